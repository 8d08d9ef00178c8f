//! Where a value means something. What is private to a network or reserved for examples must not
//! become an indicator for everybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Kind, Observable};

/// Where an address or a name means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// On the public internet, or the question does not arise (hashes, identifiers).
    Public,
    /// Inside one network: RFC 1918, RFC 4193, RFC 6598, `.local`, `.internal`, `.home.arpa`.
    Private,
    /// The own host: 127.0.0.0/8, `::1`, `localhost`.
    Loopback,
    /// One link: 169.254.0.0/16, `fe80::/10`.
    LinkLocal,
    /// Multicast and broadcast.
    Multicast,
    /// For examples: RFC 5737, RFC 3849, RFC 2606, RFC 6761.
    Documentation,
    /// Reserved otherwise: 0.0.0.0/8, 240.0.0.0/4, benchmarking, reverse zones.
    Reserved,
}

/// Names and what ends in them. RFC 2606, 6761, 6762, 8375, ICANN's resolution on `.internal`.
const NAMES: &[(&str, Scope)] = &[
    ("example", Scope::Documentation),
    ("example.com", Scope::Documentation),
    ("example.net", Scope::Documentation),
    ("example.org", Scope::Documentation),
    ("test", Scope::Documentation),
    ("invalid", Scope::Documentation),
    ("localhost", Scope::Loopback),
    ("localdomain", Scope::Private),
    ("local", Scope::Private),
    ("internal", Scope::Private),
    ("lan", Scope::Private),
    ("home.arpa", Scope::Private),
    ("in-addr.arpa", Scope::Reserved),
    ("ip6.arpa", Scope::Reserved),
];

pub(super) fn of(observable: &Observable) -> Scope {
    match observable.kind {
        Kind::Ipv4 | Kind::Ipv6 => observable.value.parse().map_or(Scope::Public, address),
        Kind::Ipv4Net | Kind::Ipv6Net => {
            let address_text = observable.value.split('/').next().unwrap_or_default();
            address_text.parse().map_or(Scope::Public, address)
        }
        Kind::Domain => name(&observable.value),
        Kind::Url | Kind::Endpoint | Kind::Email => {
            observable.host().map_or(Scope::Public, |host| of(&host))
        }
        _ => Scope::Public,
    }
}

fn name(value: &str) -> Scope {
    let ends = |reserved: &str| {
        value.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    NAMES.iter().find(|(reserved, _)| ends(reserved)).map_or(Scope::Public, |(_, scope)| *scope)
}

fn address(ip: IpAddr) -> Scope {
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => v6(ip),
    }
}

fn v4(ip: Ipv4Addr) -> Scope {
    match ip.octets() {
        [127, ..] => Scope::Loopback,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Scope::Private,
        [169, 254, ..] => Scope::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Scope::Documentation,
        [224..=239, ..] | [255, 255, 255, 255] => Scope::Multicast,
        [0 | 240..=255, ..] | [198, 18 | 19, ..] | [192, 0, 0, _] => Scope::Reserved,
        _ => Scope::Public,
    }
}

fn v6(ip: Ipv6Addr) -> Scope {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return v4(inner);
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Scope::Loopback,
        [0x2001, 0xdb8, ..] => Scope::Documentation,
        // RFC 9637
        [0x3fff, second, ..] if second < 0x1000 => Scope::Documentation,
        [first, ..] if first & 0xfe00 == 0xfc00 => Scope::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => Scope::LinkLocal,
        [first, ..] if first & 0xff00 == 0xff00 => Scope::Multicast,
        // Global unicast is 2000::/3 and the mapped forms of it.
        [first, ..] if first & 0xe000 == 0x2000 || first == 0x64 => Scope::Public,
        _ => Scope::Reserved,
    }
}
