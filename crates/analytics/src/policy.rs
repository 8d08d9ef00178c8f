//! Who counts as a protected device.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::host::Host;

/// Which ends of a conversation get windows of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevicePolicy {
    /// Every local address that sends: private and link-local IPv4, unique local and link-local
    /// IPv6. Addresses that only receive are not devices (a scan would invent thousands). Global
    /// IPv6 addresses are not local, whoever has them: list such devices by their MAC address.
    #[default]
    Local,
    /// Exactly these addresses, seen sending or not. A listed MAC address takes every frame from
    /// and to it, whatever the internet addresses inside; it goes before a listed internet address.
    Listed(Vec<Host>),
}

/// Whether an IPv4 address is private (RFC 1918) or link-local (RFC 3927).
#[inline]
#[must_use]
pub fn is_local_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    bits >> 24 == 10 || bits >> 20 == 0xac1 || bits >> 16 == 0xc0a8 || bits >> 16 == 0xa9fe
}

/// Whether an IPv6 address is link-local (RFC 4291) or unique local (RFC 4193).
#[inline]
#[must_use]
pub fn is_local_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    first & 0xffc0 == 0xfe80 || first & 0xfe00 == 0xfc00
}

/// Whether an address is local in the sense of [`DevicePolicy::Local`].
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_local_v4(v4),
        IpAddr::V6(v6) => is_local_v6(v6),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn local_ranges_end_where_they_should() {
        for (text, local) in [
            ("10.0.0.0", true),
            ("11.0.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.168.0.1", true),
            ("192.169.0.1", false),
            ("169.254.9.9", true),
            ("127.0.0.1", false),
            ("fe80::1", true),
            ("fec0::1", false),
            ("fd00::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_local(text.parse().unwrap()), local, "{text}");
        }
    }
}
