//! The key of one end of a conversation: an internet address, or a MAC address where there is none.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// High half of a key that holds a MAC address: the discard-only block `0100::/64` (RFC 6666),
/// which is never the address of a host.
const MAC_TAG: u128 = 0x0100_0000_0000_0000_u128 << 64;
const HIGH_HALF: u128 = 0xffff_ffff_ffff_ffff_u128 << 64;
const V4_MAPPED: u128 = 0xffff_u128 << 32;

/// An IPv4, IPv6 or MAC address in sixteen bytes, so that it compares and hashes in one step.
///
/// Printed, parsed and serialised as the plain address. An IPv4-mapped IPv6 address is the IPv4
/// address; an address of the discard-only block counts as `0100::`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(u128);

impl Host {
    /// The host of an IPv4 address.
    #[inline]
    #[must_use]
    pub fn v4(address: Ipv4Addr) -> Self {
        Self(V4_MAPPED | u128::from(address.to_bits()))
    }

    /// The host of an IPv6 address.
    #[inline]
    #[must_use]
    pub fn v6(address: Ipv6Addr) -> Self {
        let bits = address.to_bits();
        if bits & HIGH_HALF == MAC_TAG { Self(MAC_TAG) } else { Self(bits) }
    }

    /// The host of a MAC address, for traffic that carries no internet address.
    #[inline]
    #[must_use]
    pub fn mac(address: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = address;
        // Bit 63 keeps the all-zero MAC apart from the address `0100::`.
        let low = u64::from_be_bytes([0x80, 0, a, b, c, d, e, f]);
        Self(MAC_TAG | u128::from(low))
    }

    /// The internet address, unless this is a MAC address.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        if self.as_mac().is_some() {
            None
        } else if self.0 & !u128::from(u32::MAX) == V4_MAPPED {
            Some(IpAddr::V4(Ipv4Addr::from_bits(self.0 as u32)))
        } else {
            Some(IpAddr::V6(Ipv6Addr::from_bits(self.0)))
        }
    }

    /// The MAC address, if this is one.
    #[must_use]
    pub fn as_mac(self) -> Option<[u8; 6]> {
        let [_, _, a, b, c, d, e, f] = (self.0 as u64).to_be_bytes();
        (self.0 & HIGH_HALF == MAC_TAG && self.0 & (1 << 63) != 0).then_some([a, b, c, d, e, f])
    }

    /// Whether this is an address of many: multicast, the limited broadcast, or an IPv4 address that
    /// ends like the broadcast of most networks (`.255`). Nobody answers for a group.
    #[must_use]
    pub fn is_group(self) -> bool {
        match self.ip() {
            Some(IpAddr::V4(address)) => address.is_multicast() || address.octets()[3] == 255,
            Some(IpAddr::V6(address)) => address.is_multicast(),
            None => self.as_mac().is_some_and(|mac| mac[0] & 1 != 0),
        }
    }

    /// A well-mixed 64-bit digest: the same on every machine and run.
    #[inline]
    #[must_use]
    pub fn digest(self) -> u64 {
        mix((self.0 as u64) ^ mix((self.0 >> 64) as u64))
    }
}

/// The finaliser of SplitMix64: spreads small differences over all 64 bits.
#[inline]
#[must_use]
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::v4(v4),
            IpAddr::V6(v6) => Self::v6(v6),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.as_mac(), self.ip()) {
            (Some([a, b, c, d, e, g]), _) => {
                write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
            (None, Some(ip)) => write!(f, "{ip}"),
            (None, None) => f.write_str("::"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is neither an internet address nor six hexadecimal bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is neither an IP address nor a MAC address (aa:bb:cc:dd:ee:ff)")]
pub struct HostError(String);

/// Parses `aa:bb:cc:dd:ee:ff` (or with `-`).
#[must_use]
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0_u8; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        parse_mac(text).map(Self::mac).ok_or_else(|| HostError(text.chars().take(64).collect()))
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(bits in any::<u128>(), four in any::<u32>(), mac in any::<[u8; 6]>()) {
            for host in [Host::v6(bits.into()), Host::v4(four.into()), Host::mac(mac)] {
                prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
                let json = serde_json::to_string(&host).unwrap();
                prop_assert_eq!(serde_json::from_str::<Host>(&json).unwrap(), host);
            }
            prop_assert_eq!(Host::mac(mac).as_mac(), Some(mac));
            prop_assert_eq!(Host::v4(four.into()).ip(), Some(IpAddr::V4(four.into())));
        }

        #[test]
        fn anything_parses_or_errs(text in ".{0,40}") {
            let _ = text.parse::<Host>();
        }
    }

    #[test]
    fn discard_block_is_not_a_mac() {
        let host = Host::v6("100::8000:1:2:3".parse().unwrap());
        assert_eq!(host.as_mac(), None);
        assert_ne!(Host::mac([0; 6]), host);
    }
}
