//! MUD files (RFC 8520): what a maker says its device needs, as entries of an allow list.
//!
//! Pure: bytes in, entries and what could not be carried over out. A name stands for nothing until
//! somebody says its addresses; a controller or maker for nothing until somebody says its networks.

use std::collections::{BTreeMap, BTreeSet};

use ports::edge::{AllowEntry, Net};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Entries of access lists read.
pub const MAX_ACES: usize = 512;
/// Ports of a range taken one by one.
pub const MAX_RANGE: u16 = 64;

/// What stands for names and classes in a file.
#[derive(Clone, Debug, Default)]
pub struct Meanings {
    /// Networks of the house (`local-networks`).
    pub local: Vec<Net>,
    /// The device's own controllers (`my-controller`).
    pub controllers: Vec<Net>,
    /// By name: hosts (`dst-dnsname`, `src-dnsname`), controllers (`controller`), makers (`manufacturer`).
    pub names: BTreeMap<String, Vec<Net>>,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mud {
    /// Where the file is to be found.
    pub url: String,
    /// What kind of device it is for.
    pub system: String,
    /// What may pass.
    #[schema(value_type = Vec<Object>)]
    pub entries: Vec<AllowEntry>,
    /// What could not be carried over, and why.
    pub left_out: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// It is not a MUD file; the text names the place.
pub fn read(text: &[u8], meanings: &Meanings) -> Result<Mud, String> {
    let file: Value = serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))?;
    let mud = &file["ietf-mud:mud"];
    if !mud.is_object() {
        return Err("no member 'ietf-mud:mud': this is not a MUD file (RFC 8520)".to_owned());
    }
    match mud["mud-version"].as_u64() {
        Some(1) => {}
        other => return Err(format!("mud-version {other:?}: only version 1 is known")),
    }
    let word =
        |name: &str| mud[name].as_str().unwrap_or_default().chars().take(255).collect::<String>();
    let mut reader =
        Reader { meanings, entries: BTreeSet::new(), left_out: BTreeSet::new(), aces: 0 };
    let lists =
        file["ietf-access-control-list:acls"]["acl"].as_array().map_or(&[][..], Vec::as_slice);
    for (member, from) in [("from-device-policy", true), ("to-device-policy", false)] {
        for named in items(&mud[member]["access-lists"]["access-list"]) {
            let name = named["name"].as_str().unwrap_or_default();
            let Some(list) = lists.iter().find(|list| list["name"] == name) else {
                return Err(format!(
                    "{member} names the access list '{name}', which is not in the file"
                ));
            };
            for ace in items(&list["aces"]["ace"]) {
                reader.ace(ace, from)?;
            }
        }
    }
    reader.defaults();
    let (entries, left_out) =
        (reader.entries.into_iter().collect(), reader.left_out.into_iter().collect());
    Ok(Mud { url: word("mud-url"), system: word("systeminfo"), entries, left_out })
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

struct Reader<'a> {
    meanings: &'a Meanings,
    entries: BTreeSet<AllowEntry>,
    left_out: BTreeSet<String>,
    aces: usize,
}

impl Reader<'_> {
    fn ace(&mut self, ace: &Value, from: bool) -> Result<(), String> {
        self.aces += 1;
        if self.aces > MAX_ACES {
            return Err(format!("more than {MAX_ACES} entries of access lists"));
        }
        let name: String =
            ace["name"].as_str().unwrap_or("without a name").chars().take(80).collect();
        if ace["actions"]["forwarding"].as_str().is_none_or(|action| !action.ends_with("accept")) {
            self.left_out.insert(format!(
                "{name}: only entries that accept are taken; everything else is dropped anyway"
            ));
            return Ok(());
        }
        let matches = &ace["matches"];
        let peers = match self.peers(matches, from) {
            Ok(peers) => peers,
            Err(why) => {
                self.left_out.insert(format!("{name}: {why}"));
                return Ok(());
            }
        };
        let transport = [("tcp", 6_u8), ("udp", 17)]
            .into_iter()
            .find(|(member, _)| matches[*member].is_object());
        let network =
            ["ipv4", "ipv6"].into_iter().find_map(|family| matches[family]["protocol"].as_u64());
        let protocol = transport
            .map(|(_, number)| number)
            .or_else(|| network.and_then(|number| u8::try_from(number).ok()));
        let ports = match transport {
            Some((member, _)) => ports(&matches[member], from),
            None => Ok(vec![(None, None)]),
        };
        match ports {
            Err(why) => {
                self.left_out.insert(format!("{name}: {why}"));
            }
            Ok(ports) => {
                for peer in peers {
                    let entry =
                        |(port, local_port): Pair| AllowEntry { peer, protocol, port, local_port };
                    self.entries.extend(ports.iter().copied().map(entry));
                }
            }
        }
        Ok(())
    }

    /// The other end: by name, by address, by class.
    fn peers(&self, matches: &Value, from: bool) -> Result<Vec<Net>, String> {
        let kinds: &[bool] = match (matches["ipv4"].is_object(), matches["ipv6"].is_object()) {
            (true, false) => &[true],
            (false, true) => &[false],
            _ => &[true, false],
        };
        let of_kind = |nets: &[Net]| {
            nets.iter().copied().filter(|net| kinds.contains(&net.is_v4())).collect::<Vec<_>>()
        };
        let end = if from { "dst" } else { "src" };
        for family in ["ipv4", "ipv6"] {
            let name = &matches[family][format!("ietf-acldns:{end}-dnsname")];
            if let Some(name) = name.as_str() {
                let nets =
                    self.meanings.names.get(name).map(|nets| of_kind(nets)).unwrap_or_default();
                return if nets.is_empty() {
                    Err(format!(
                        "the {family} addresses of {name} are not known: give them with its name"
                    ))
                } else {
                    Ok(nets)
                };
            }
            let network = &matches[family]
                [format!("{}-{family}-network", if from { "destination" } else { "source" })];
            if let Some(text) = network.as_str() {
                return text
                    .parse()
                    .map(|net| vec![net])
                    .map_err(|error: ports::edge::NotANet| error.to_string());
            }
        }
        let class = &matches["ietf-mud:mud"];
        let known = |nets: &[Net], what: &str| {
            let nets = of_kind(nets);
            if nets.is_empty() {
                Err(format!("nobody said which networks {what} are"))
            } else {
                Ok(nets)
            }
        };
        if class.get("local-networks").is_some() {
            return known(&self.meanings.local, "the local networks");
        }
        if class.get("my-controller").is_some() {
            return known(&self.meanings.controllers, "the controllers of this device");
        }
        for member in ["controller", "manufacturer", "model"] {
            if let Some(name) = class[member].as_str() {
                let nets = self.meanings.names.get(name).cloned().unwrap_or_default();
                return known(&nets, &format!("{member} {name}"));
            }
        }
        if class.get("same-manufacturer").is_some() {
            return Err("devices of the same maker are not known to a gateway: name them by hand"
                .to_owned());
        }
        let anywhere = |v4: &bool| if *v4 { "0.0.0.0/0" } else { "::/0" };
        Ok(kinds.iter().map(anywhere).filter_map(|text| text.parse().ok()).collect())
    }

    /// RFC 8520 §4: what a device may do without a word of its maker: names and time. (ARP, neighbour
    /// discovery and DHCP pass by themselves.)
    fn defaults(&mut self) {
        let of_house =
            if self.meanings.local.is_empty() { vec![] } else { self.meanings.local.clone() };
        for peer in of_house {
            for (protocol, port) in [(17, 53), (6, 53), (17, 123)] {
                self.entries.insert(AllowEntry {
                    peer,
                    protocol: Some(protocol),
                    port: Some(port),
                    local_port: None,
                });
            }
        }
    }
}

/// A port of the other end, one of the device.
type Pair = (Option<u16>, Option<u16>);

/// The ports of a transport.
fn ports(transport: &Value, from: bool) -> Result<Vec<Pair>, String> {
    let (other, own) = if from {
        ("destination-port", "source-port")
    } else {
        ("source-port", "destination-port")
    };
    let others = one_by_one(&transport[other])?;
    let owns = one_by_one(&transport[own])?;
    match (others, owns) {
        (None, None) => Ok(vec![(None, None)]),
        (Some(ports), None) => Ok(ports.into_iter().map(|port| (Some(port), None)).collect()),
        (None, Some(ports)) => Ok(ports.into_iter().map(|port| (None, Some(port))).collect()),
        (Some(_), Some(_)) => Err("an entry names the port of one end, not of both".to_owned()),
    }
}

/// The ports of an operator (RFC 8519 §4.2): one, or a range.
fn one_by_one(match_on: &Value) -> Result<Option<Vec<u16>>, String> {
    if match_on.is_null() {
        return Ok(None);
    }
    let number = |name: &str| match_on[name].as_u64().and_then(|number| u16::try_from(number).ok());
    if let (Some(lower), Some(upper)) = (number("lower-port"), number("upper-port")) {
        if upper < lower || upper - lower >= MAX_RANGE {
            return Err(format!(
                "ports {lower} to {upper}: a range of at most {MAX_RANGE} is taken"
            ));
        }
        return Ok(Some((lower..=upper).collect()));
    }
    match (match_on["operator"].as_str(), number("port")) {
        (None | Some("eq"), Some(port)) => Ok(Some(vec![port])),
        (operator, _) => {
            Err(format!("operator {} of a port is not taken", operator.unwrap_or("without a port")))
        }
    }
}

#[cfg(test)]
#[path = "mud_tests.rs"]
mod tests;
