//! What identifies a device: a sighting put into its normal form, or refused.

use std::net::IpAddr;

use model::{DeviceRole, Timestamp};
use ports::AddressSighting;

use crate::error::AssetsError;

/// Longest name of a sensor.
pub(crate) const MAX_SENSOR_CHARS: usize = 128;

/// A sighting in its normal form; at least one of `mac` and `address` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) sensor: String,
    pub(crate) mac: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) seen_at: Timestamp,
}

impl Sighting {
    /// Checks and normalises; an address that names nobody (unspecified, multicast) is no evidence.
    pub(crate) fn new(raw: &AddressSighting) -> Result<Self, AssetsError> {
        if raw.sensor.is_empty() || raw.sensor.chars().count() > MAX_SENSOR_CHARS {
            return Err(AssetsError::Invalid(format!(
                "a sighting names its sensor in 1 to {MAX_SENSOR_CHARS} characters"
            )));
        }
        let mac = match &raw.mac {
            None => None,
            Some(text) => Some(normal_mac(text).ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                AssetsError::Invalid(format!("'{shown}' is not a MAC address"))
            })?),
        };
        let address =
            raw.address.map(|address| address.to_canonical()).filter(|a| names_a_host(*a));
        if mac.is_none() && address.is_none() {
            return Err(AssetsError::Invalid(
                "a sighting needs a MAC address or the address of one host".into(),
            ));
        }
        Ok(Self { sensor: raw.sensor.clone(), mac, address, seen_at: raw.seen_at })
    }

    /// What the cache is keyed by: the MAC address on its sensor, else the address.
    pub(crate) fn key(&self) -> (String, String) {
        let own = match (&self.mac, self.address) {
            (Some(mac), _) => mac.clone(),
            (None, Some(address)) => address.to_string(),
            (None, None) => String::new(),
        };
        (self.sensor.clone(), own)
    }

    /// Whether the device made its MAC address up (the locally administered bit of IEEE 802).
    pub(crate) fn mac_is_private(&self) -> bool {
        let first = self.mac.as_deref().and_then(|mac| mac.get(..2));
        first
            .and_then(|octet| u8::from_str_radix(octet, 16).ok())
            .is_some_and(|octet| octet & 2 != 0)
    }

    /// The role the configuration gives to such a device.
    pub(crate) fn role(&self, protected_macs: &[String]) -> DeviceRole {
        let protected = if protected_macs.is_empty() {
            self.address.is_none_or(is_local)
        } else {
            let listed =
                |mac: &String| protected_macs.iter().any(|m| normal_mac(m).as_ref() == Some(mac));
            self.mac.as_ref().is_some_and(listed)
        };
        if protected { DeviceRole::Protected } else { DeviceRole::Unknown }
    }
}

/// A MAC address in lower-case colon form.
pub(crate) fn normal_mac(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase().replace('-', ":");
    let parts: Vec<&str> = lower.split(':').collect();
    let hex = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    (parts.len() == 6 && parts.iter().all(hex)).then_some(lower)
}

fn names_a_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

/// Private or link-local IPv4 (RFC 1918, RFC 3927), unique or link-local IPv6 (RFC 4193, RFC 4291).
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn raw(mac: Option<&str>, address: Option<&str>) -> AddressSighting {
        AddressSighting {
            sensor: "gw".into(),
            mac: mac.map(str::to_owned),
            address: address.map(|a| a.parse().unwrap()),
            seen_at: Timestamp::from_secs(1),
        }
    }

    #[test]
    fn forms_of_the_same_evidence_are_equal() {
        let one = Sighting::new(&raw(Some("B8-27-EB-7D-6B-A6"), Some("::ffff:10.0.0.1"))).unwrap();
        let two = Sighting::new(&raw(Some("b8:27:eb:7d:6b:a6"), Some("10.0.0.1"))).unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for (mac, address) in [
            (None, None),
            (None, Some("0.0.0.0")),
            (None, Some("224.0.0.251")),
            (None, Some("255.255.255.255")),
            (Some("b8:27:eb:7d:6b"), Some("10.0.0.1")),
            (Some("b8:27:eb:7d:6b:zz"), None),
        ] {
            assert!(Sighting::new(&raw(mac, address)).is_err(), "{mac:?} {address:?}");
        }
        let mut nameless = raw(None, Some("10.0.0.1"));
        nameless.sensor = "x".repeat(MAX_SENSOR_CHARS + 1);
        assert!(Sighting::new(&nameless).is_err());
    }

    #[test]
    fn roles_follow_the_list_and_otherwise_the_address() {
        let role =
            |mac, address, list: &[String]| Sighting::new(&raw(mac, address)).unwrap().role(list);
        let mac = Some("b8:27:eb:7d:6b:a6");
        assert_eq!(role(mac, Some("192.168.1.2"), &[]), DeviceRole::Protected);
        assert_eq!(role(mac, Some("192.0.2.1"), &[]), DeviceRole::Unknown);
        assert_eq!(role(None, Some("fd00::1"), &[]), DeviceRole::Protected);
        let list = ["B8:27:EB:7D:6B:A6".to_owned()];
        assert_eq!(role(mac, Some("192.0.2.1"), &list), DeviceRole::Protected);
        assert_eq!(role(None, Some("192.168.1.2"), &list), DeviceRole::Unknown);
    }
}
