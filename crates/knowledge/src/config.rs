//! Section `[knowledge]`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest bundle imported in one request, bytes (64 MiB).
    pub max_import_bytes: usize,
    /// Objects exported in one answer at most.
    pub max_export_objects: i64,
    /// Networks of your own, e.g. `203.0.113.0/24`: what lies in them is a doubt when a report names it.
    pub own_networks: Vec<String>,
    /// Streams of intelligence that one person may hold open at once.
    pub max_streams_per_person: usize,
}

/// Networks of one's own at most.
const MAX_OWN_NETWORKS: usize = 256;

/// A network, `address/length`, or an address alone.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.trim().split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(most);
    (length <= most).then_some((address, length))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_import_bytes: 64 << 20,
            max_export_objects: 50_000,
            own_networks: vec![],
            max_streams_per_person: 4,
        }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            (
                (1_024..=1 << 30).contains(&self.max_import_bytes),
                "knowledge.max_import_bytes must lie between 1024 and 1073741824",
            ),
            (
                (1..=1_000_000).contains(&self.max_export_objects),
                "knowledge.max_export_objects must lie between 1 and 1000000",
            ),
            (
                self.own_networks.len() <= MAX_OWN_NETWORKS
                    && self.own_networks.iter().all(|text| network(text).is_some()),
                "knowledge.own_networks holds at most 256 networks like 203.0.113.0/24",
            ),
            (
                (1..=64).contains(&self.max_streams_per_person),
                "knowledge.max_streams_per_person must lie between 1 and 64",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
