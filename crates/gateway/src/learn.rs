//! Allow lists learned from windows: with whom a device spoke, over which service.

use analytics::record::{KeyCount, PROTOCOL_ARP, PROTOCOL_LINK, WindowRecord};
use model::Timestamp;
use ports::edge::{AllowEntry, Net};
use serde_json::Value;

use crate::Gateway;
use crate::error::GatewayError;
use crate::policy::MAX_ENTRIES;
use crate::store::{self, AllowRow, ListRow};

/// Longest time a list learns, seconds (90 days).
pub(crate) const MAX_LEARN_S: u32 = 90 * 86_400;

/// Whether an address is of a network of one's own (RFC 1918, RFC 4193, link-local).
fn is_local(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        std::net::IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// What one key of a window would have needed to pass. A window does not tell who began: towards the
/// outside the device is taken for the client, on networks of one's own it may be either.
fn entries(key: &KeyCount) -> Vec<AllowEntry> {
    let Some(address) = key.peer.ip() else { return vec![] };
    if matches!(key.protocol, PROTOCOL_ARP | PROTOCOL_LINK) || key.failed >= key.packets {
        return vec![];
    }
    let peer = Net::one(address);
    let plain = AllowEntry { peer, protocol: Some(key.protocol), port: None, local_port: None };
    if !key.has_service() {
        return vec![plain];
    }
    let client = AllowEntry { port: Some(key.port), ..plain };
    if is_local(address) {
        return vec![client, AllowEntry { local_port: Some(key.port), ..plain }];
    }
    vec![client]
}

/// What a device did in these windows.
fn rows(records: &[WindowRecord], device: &str, now: Timestamp) -> Vec<AllowRow> {
    let of_device = |record: &&WindowRecord| {
        record.mac.map_or_else(|| record.device.to_string(), |mac| mac.to_string()) == device
            || record.device.to_string() == device
    };
    let keys = records.iter().filter(of_device).flat_map(|record| &record.keys);
    keys.flat_map(|key| {
        let packets = u64::from(key.packets);
        entries(key).into_iter().map(move |entry| (entry, packets))
    })
    .map(|(entry, packets)| AllowRow {
        device: device.to_owned(),
        entry,
        source: "learned".into(),
        packets,
        first_seen: now,
        last_seen: now,
    })
    .collect()
}

impl Gateway {
    /// Takes up what devices with a learning list did. A batch that cannot be read teaches nothing; its
    /// sink says so.
    pub(crate) async fn learn(&self, edge: &str, records: &Value) -> Result<(), GatewayError> {
        let now = self.platform.now();
        let learning = |list: &ListRow| {
            list.state == "learning" && list.learn_until.is_none_or(|until| now < until)
        };
        let lists: Vec<ListRow> = {
            let mut connection = self.platform.db.read().await?;
            store::allow_lists(&mut connection, edge).await?.into_iter().filter(learning).collect()
        };
        if lists.is_empty() {
            return Ok(());
        }
        let Ok(records) = serde_json::from_value::<Vec<WindowRecord>>(records.clone()) else {
            return Ok(());
        };
        let edge = edge.to_owned();
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    for list in lists {
                        let rows = rows(&records, &list.device, now);
                        store::learn(tx.sql(), &edge, &rows, MAX_ENTRIES).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use analytics::host::Host;

    use super::*;

    fn key(peer: &str, protocol: u8, port: u16, failed: u32) -> KeyCount {
        let peer = Host::from(peer.parse::<std::net::IpAddr>().unwrap());
        KeyCount { failed, ..KeyCount::new(peer, protocol, port, 4) }
    }

    #[test]
    fn what_worked_is_learned_and_what_failed_is_not() {
        assert_eq!(entries(&key("192.0.2.1", 6, 443, 4)), [], "a scan teaches nothing");
        let outside = entries(&key("192.0.2.1", 6, 443, 0));
        assert_eq!(outside.len(), 1);
        assert_eq!((outside[0].port, outside[0].local_port), (Some(443), None));
        let inside = entries(&key("10.0.0.9", 17, 53, 0));
        assert_eq!((inside[0].port, inside[1].local_port), (Some(53), Some(53)));
        let icmp = entries(&key("10.0.0.9", 1, 0, 0));
        assert_eq!((icmp[0].protocol, icmp[0].port), (Some(1), None));
        assert_eq!(entries(&KeyCount::new(Host::mac([2; 6]), PROTOCOL_ARP, 0, 1)), []);
    }
}
