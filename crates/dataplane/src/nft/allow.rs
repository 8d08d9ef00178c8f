//! Allow lists as concatenated sets.
//!
//! The kernel refuses ranges that lie partly over each other, so entries of one shape share a set, in
//! which only networks within networks can overlap; of these the widest is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ports::edge::{AllowEntry, AllowList};

use super::Form;
use super::script::{Key, keys, table};

/// Entries of all allow lists of a gateway.
pub const MAX_ENTRIES: usize = 4_096;

/// Which parts of a packet a set looks at besides device and peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Peer,
    Protocol,
    Port,
    LocalPort,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Peer, Self::Protocol, Self::Port, Self::LocalPort];

    const fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Protocol => "proto",
            Self::Port => "port",
            Self::LocalPort => "local",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Peer => "",
            Self::Protocol => " . inet_proto",
            Self::Port | Self::LocalPort => " . inet_proto . inet_service",
        }
    }

    /// The expression for a packet from the device (`from`) or to it.
    fn expression(self, v4: bool, from: bool) -> String {
        let protocol = if v4 { " . ip protocol" } else { " . ip6 nexthdr" };
        match self {
            Self::Peer => String::new(),
            Self::Protocol => protocol.to_owned(),
            Self::Port => format!("{protocol} . th {}port", if from { "d" } else { "s" }),
            Self::LocalPort => format!("{protocol} . th {}port", if from { "s" } else { "d" }),
        }
    }

    fn of(entry: &AllowEntry) -> Result<(Self, String), String> {
        match (entry.protocol, entry.port, entry.local_port) {
            (None, None, None) => Ok((Self::Peer, String::new())),
            (Some(protocol), None, None) => Ok((Self::Protocol, format!(" . {protocol}"))),
            (Some(protocol), Some(port), None) => {
                Ok((Self::Port, format!(" . {protocol} . {port}")))
            }
            (Some(protocol), None, Some(port)) => {
                Ok((Self::LocalPort, format!(" . {protocol} . {port}")))
            }
            (None, ..) => Err("a port of an allow list needs a protocol".to_owned()),
            (Some(_), Some(_), Some(_)) => {
                Err("an entry of an allow list names the peer's port or the device's, not both"
                    .to_owned())
            }
        }
    }
}

/// Both kinds of peer a device with this key can have.
fn families(key: &Key) -> &'static [bool] {
    match key.suffix {
        "4" => &[true],
        "6" => &[false],
        _ => &[true, false],
    }
}

const fn family(v4: bool) -> (&'static str, &'static str) {
    if v4 { ("4", "ipv4_addr") } else { ("6", "ipv6_addr") }
}

/// The sets.
pub(super) fn sets(form: Form) -> String {
    let mut text = String::new();
    for key in keys(form) {
        let _ = writeln!(text, "  set listed{} {{ type {}; }}", key.suffix, key.kind);
        for v4 in families(key) {
            let (suffix, kind) = family(*v4);
            for shape in Shape::ALL {
                let _ = writeln!(
                    text,
                    "  set allow_{}{suffix} {{ type {} . {kind}{}; flags interval; }}",
                    shape.name(),
                    key.kind,
                    shape.kind()
                );
            }
        }
    }
    text
}

/// The chains. What a device needs to be on a link at all passes: ARP, neighbour discovery, multicast
/// listener reports, DHCP.
pub(super) fn chains(form: Form) -> String {
    let mut text = String::new();
    for (chain, from) in [("allow_from", true), ("allow_to", false)] {
        let _ = writeln!(text, "  chain {chain} {{");
        text.push_str("    meta protocol arp return\n    udp dport { 67, 68, 546, 547 } return\n");
        text.push_str("    icmpv6 type { 130, 131, 132, 133, 134, 135, 136, 143 } return\n");
        for key in keys(form) {
            let device = if from { key.from } else { key.to };
            for v4 in families(key) {
                let end = if from { "daddr" } else { "saddr" };
                let peer = if *v4 { format!("ip {end}") } else { format!("ip6 {end}") };
                for shape in Shape::ALL {
                    let rest = shape.expression(*v4, from);
                    let suffix = family(*v4).0;
                    let _ = writeln!(
                        text,
                        "    {device} . {peer}{rest} @allow_{}{suffix} return",
                        shape.name()
                    );
                }
            }
        }
        text.push_str("    goto drop_allow_list\n  }\n");
    }
    text.push_str("  chain allow {\n");
    for Key { suffix, from, to, .. } in keys(form) {
        let _ = writeln!(text, "    iifname @inside {from} @listed{suffix} jump allow_from");
        let _ = writeln!(text, "    oifname @inside {to} @listed{suffix} jump allow_to");
    }
    text.push_str("  }\n");
    text
}

fn key_of<'a>(form: Form, device: &str) -> Result<&'a Key, String> {
    let address = device.parse::<std::net::IpAddr>().ok();
    let (suffix, named) = match (form, address) {
        (Form::Bridge, None) if analytics::host::parse_mac(device).is_some() => ("", true),
        (Form::Router, Some(address)) if address.is_ipv4() => ("4", true),
        (Form::Router, Some(_)) => ("6", true),
        _ => ("", false),
    };
    let found = keys(form).iter().find(|key| key.suffix == suffix && named);
    found.ok_or_else(|| {
        let kind = if form == Form::Bridge { "a MAC address" } else { "an internet address" };
        format!("allow list of '{device}': this gateway tells devices by {kind}")
    })
}

/// The elements of all sets, in place of those before.
pub(super) fn elements(form: Form, lists: &[AllowList]) -> Result<String, String> {
    let count: usize = lists.iter().map(|list| list.entries.len()).sum();
    if count > MAX_ENTRIES {
        return Err(format!("{count} entries of allow lists: a gateway takes {MAX_ENTRIES}"));
    }
    let mut sets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in keys(form) {
        sets.entry(format!("listed{}", key.suffix)).or_default();
        for v4 in families(key) {
            for shape in Shape::ALL {
                sets.entry(format!("allow_{}{}", shape.name(), family(*v4).0)).or_default();
            }
        }
    }
    for list in lists {
        let key = key_of(form, &list.device)?;
        sets.entry(format!("listed{}", key.suffix)).or_default().insert(list.device.clone());
        for entry in widest(&list.entries) {
            let (shape, rest) = Shape::of(&entry)?;
            let v4 = entry.peer.is_v4();
            if !families(key).contains(&v4) {
                continue;
            }
            let set = format!("allow_{}{}", shape.name(), family(v4).0);
            // A range that is everything is written with its ends: the kernel wants both.
            let element = format!("{} . {}{rest}", list.device, entry.peer);
            sets.entry(set).or_default().insert(element);
        }
    }
    let mut text = String::new();
    for (set, elements) in sets {
        let _ = writeln!(text, "flush set {} {set}", table(form));
        if !elements.is_empty() {
            let joined: Vec<String> = elements.into_iter().collect();
            let _ = writeln!(text, "add element {} {set} {{ {} }}", table(form), joined.join(", "));
        }
    }
    Ok(text)
}

/// Without what others of the same shape cover.
fn widest(entries: &[AllowEntry]) -> Vec<AllowEntry> {
    let unique: BTreeSet<AllowEntry> = entries.iter().copied().collect();
    unique
        .iter()
        .filter(|entry| !unique.iter().any(|other| other != *entry && other.covers(entry)))
        .copied()
        .collect()
}
