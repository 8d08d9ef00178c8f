//! Pseudonyms of MAC addresses, made by way of those of IP addresses, so that one key covers both.

use std::net::{IpAddr, Ipv6Addr};

use crate::Pseudonymiser;

/// A MAC address.
pub type Mac = [u8; 6];

/// Bit of the first byte: locally administered, names no maker.
const LOCAL: u8 = 2;
/// Bit of the first byte: a group of devices.
const GROUP: u8 = 1;

/// As the low bits of an IPv6 address under a prefix of their own.
fn carried(mac: Mac) -> IpAddr {
    let mut bytes = [0; 16];
    bytes[0] = 0xfd;
    bytes[10..].copy_from_slice(&mac);
    Ipv6Addr::from(bytes).into()
}

fn low(address: IpAddr) -> Mac {
    let octets = match address {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
    };
    let mut mac = [0; 6];
    mac.copy_from_slice(&octets[10..]);
    mac
}

/// Whether it names one device: no group, no broadcast, not all zeros.
#[must_use]
pub fn is_device(mac: Mac) -> bool {
    mac[0] & GROUP == 0 && mac != [0; 6]
}

/// The MAC address a recipient sees. It is marked as locally administered, so that it names no maker.
#[must_use]
pub fn mac(with: &dyn Pseudonymiser, recipient: &str, mac: Mac) -> Mac {
    let mut hidden = low(with.pseudonym(recipient, carried(mac)));
    hidden[0] = (hidden[0] & !(LOCAL | GROUP)) | LOCAL;
    hidden
}

/// The two MAC addresses of devices that a pseudonym may stand for: the one with a maker's prefix first, then the one
/// that is locally administered. The mark on the pseudonym takes away which it was.
#[must_use]
pub fn mac_originals(with: &dyn Pseudonymiser, recipient: &str, pseudonym: Mac) -> Vec<Mac> {
    // All the pseudonym's prefixes lie under that of the carrying addresses.
    let prefix = with.pseudonym(recipient, carried([0; 6]));
    let mut found: Vec<Mac> = (0..4)
        .map(|bits| {
            let mut hidden = match prefix {
                IpAddr::V6(v6) => v6.octets(),
                IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            };
            hidden[10..].copy_from_slice(&pseudonym);
            hidden[10] = (hidden[10] & !(LOCAL | GROUP)) | bits;
            low(with.original(recipient, Ipv6Addr::from(hidden).into()))
        })
        .filter(|original| is_device(*original) && mac(with, recipient, *original) == pseudonym)
        .collect();
    found.sort_by_key(|original| original[0] & LOCAL);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakePseudonymiser;

    #[test]
    fn a_device_keeps_being_one_and_comes_back() {
        let camera = [0xb8, 0x27, 0xeb, 0x7d, 0x6b, 0xa6];
        let hidden = mac(&FakePseudonymiser, "r", camera);
        assert_eq!(hidden, [0xba, 0x27, 0xeb, 0x7d, 0x6b, 0xa7]);
        assert!(is_device(hidden));
        let back = mac_originals(&FakePseudonymiser, "r", hidden);
        assert_eq!(back, [camera, [0xba, 0x27, 0xeb, 0x7d, 0x6b, 0xa6]]);
        assert!(!is_device([0xff; 6]) && !is_device([1, 0, 0x5e, 0, 0, 1]) && !is_device([0; 6]));
    }
}
