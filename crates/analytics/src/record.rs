//! One window of one device: the wire form between the probe and the node.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::host::Host;
use crate::metrics::{ALL, COUNTS, Metric};
use crate::pace::Pace;
use crate::talk::Talk;

/// Version of the serialised form. Version 1 had no directions and failures of keys, version 2 neither
/// pauses nor messages; a reader refuses them as any other, because their windows would look like ones
/// without failures, or of devices that say nothing.
pub const RECORD_VERSION: u8 = 3;
/// Keys a record carries; packets of further keys are only counted (`overflow_packets`).
pub const MAX_KEYS: usize = 256;

/// Protocol number a key carries for ARP (0 is free: IPv6 hop-by-hop is never a final protocol).
pub const PROTOCOL_ARP: u8 = 0;
/// Protocol number a key carries for frames without an internet protocol.
pub const PROTOCOL_LINK: u8 = 255;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// With whom and over which service a device exchanged packets in a window.
/// Serialised as `["peer", protocol, port, packets, received, failed]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyCount {
    /// The other end.
    pub peer: Host,
    /// IP protocol number; [`PROTOCOL_ARP`] and [`PROTOCOL_LINK`] where there is none.
    pub protocol: u8,
    /// Service port: destination port of a SYN, otherwise the smaller port; 0 without ports.
    pub port: u16,
    /// Packets in either direction.
    pub packets: u32,
    /// Of these, packets the device received.
    pub received: u32,
    /// Connection attempts of the device without answer within one second.
    pub failed: u32,
}

impl KeyCount {
    /// A key with packets of which nothing more is known.
    #[must_use]
    pub const fn new(peer: Host, protocol: u8, port: u16, packets: u32) -> Self {
        Self { peer, protocol, port, packets, received: 0, failed: 0 }
    }

    /// Whether the key is of UDP.
    #[inline]
    #[must_use]
    pub const fn is_udp(&self) -> bool {
        self.protocol == UDP
    }

    /// UDP packets the device sent beyond those it received: a question has one answer, and what
    /// leaks through a conversation has none.
    #[inline]
    #[must_use]
    pub const fn unanswered(&self) -> u32 {
        if self.is_udp() { self.packets.saturating_sub(self.received.saturating_mul(2)) } else { 0 }
    }

    /// Whether the key names a service: only TCP and UDP have ports.
    #[inline]
    #[must_use]
    pub const fn has_service(&self) -> bool {
        self.protocol == TCP || self.protocol == UDP
    }
}

impl Serialize for KeyCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.peer, self.protocol, self.port, self.packets, self.received, self.failed)
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (peer, protocol, port, packets, received, failed) =
            Deserialize::deserialize(deserializer)?;
        Ok(Self { peer, protocol, port, packets, received, failed })
    }
}

/// What one device did in one window. Only windows with traffic exist.
///
/// The record is complete for training and for scoring: the counts are final, and the novelty of
/// the keys is judged by whoever knows which keys are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowRecord {
    /// [`RECORD_VERSION`].
    pub version: u8,
    /// Address that names the device.
    pub device: Host,
    /// Last MAC address the device sent from, as a [`Host`], if the link has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Host>,
    /// Start of the window, microseconds since the Unix epoch, packet time.
    pub start_us: i64,
    /// End of the window (exclusive), microseconds since the Unix epoch, packet time.
    pub end_us: i64,
    /// The metrics taken from packets, in the order of [`crate::metrics::ALL`].
    pub counts: [u64; COUNTS],
    /// Up to [`MAX_KEYS`] keys in the order of their first packet.
    pub keys: Vec<KeyCount>,
    /// Packets whose key found no place in `keys`; novelty counts them as never seen.
    pub overflow_packets: u64,
    /// Pauses between the packets sent.
    #[serde(skip_serializing_if = "Pace::is_empty")]
    pub pace: Pace,
    /// What was said in messages, where any were heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk: Option<Box<Talk>>,
}

impl WindowRecord {
    /// Value of one of the counts; 0 for the metrics that need a model or look back.
    #[must_use]
    pub fn count(&self, metric: Metric) -> u64 {
        match (metric, self.counts.get(metric.index())) {
            (_, Some(count)) => *count,
            (Metric::GapOut, _) => self.pace.mean_ms(),
            (Metric::GapVariation, _) => self.pace.variation(),
            _ => self.talk.as_ref().map_or(0, |talk| talk.count(metric)),
        }
    }

    /// Packets in both directions.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.count(Metric::PacketsOut).saturating_add(self.count(Metric::PacketsIn))
    }

    /// Bytes on the wire in both directions.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.count(Metric::BytesOut).saturating_add(self.count(Metric::BytesIn))
    }

    /// Adds the window of another address of the same device.
    pub fn merge(&mut self, other: &Self) {
        for (size, packets) in
            [(Metric::MeanSizeOut, Metric::PacketsOut), (Metric::MeanSizeIn, Metric::PacketsIn)]
        {
            let (a, b) = (self.count(packets) as f64, other.count(packets) as f64);
            let total = (self.count(size) as f64).mul_add(a, other.count(size) as f64 * b);
            self.counts[size.index()] = (total / (a + b).max(1.0)).round() as u64;
        }
        for (metric, (own, others)) in ALL.iter().zip(self.counts.iter_mut().zip(other.counts)) {
            match metric {
                Metric::MeanSizeOut | Metric::MeanSizeIn => {}
                Metric::PortsOfPeer | Metric::PeersOfPort => *own = (*own).max(others),
                _ => *own = own.saturating_add(others),
            }
        }
        for key in &other.keys {
            self.merge_key(key);
        }
        self.overflow_packets = self.overflow_packets.saturating_add(other.overflow_packets);
        self.pace.merge(&other.pace);
        if let Some(talk) = &other.talk {
            self.talk.get_or_insert_default().merge(talk);
        }
    }

    fn merge_key(&mut self, key: &KeyCount) {
        let same = |known: &&mut KeyCount| {
            (known.peer, known.protocol, known.port) == (key.peer, key.protocol, key.port)
        };
        if let Some(known) = self.keys.iter_mut().find(same) {
            known.packets = known.packets.saturating_add(key.packets);
            known.received = known.received.saturating_add(key.received);
            known.failed = known.failed.saturating_add(key.failed);
        } else if self.keys.len() < MAX_KEYS {
            self.keys.push(*key);
        } else {
            self.overflow_packets = self.overflow_packets.saturating_add(u64::from(key.packets));
        }
    }

    /// The keys with the most packets, at most `limit`: the evidence of a finding.
    #[must_use]
    pub fn top_keys(&self, limit: usize) -> Vec<KeyCount> {
        let mut keys = self.keys.clone();
        keys.sort_by(|a, b| b.packets.cmp(&a.packets).then_with(|| a.cmp(b)));
        keys.truncate(limit);
        keys
    }

    /// The peers with the most packets, at most `limit`, each with its packets.
    #[must_use]
    pub fn top_peers(&self, limit: usize) -> Vec<(Host, u64)> {
        let mut peers: Vec<(Host, u64)> = Vec::new();
        let mut keys = self.keys.clone();
        keys.sort_unstable();
        for key in keys {
            match peers.last_mut() {
                Some((peer, packets)) if *peer == key.peer => *packets += u64::from(key.packets),
                _ => peers.push((key.peer, u64::from(key.packets))),
            }
        }
        peers.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        peers.truncate(limit);
        peers
    }
}

#[derive(Deserialize)]
struct Wire {
    version: u8,
    device: Host,
    #[serde(default)]
    mac: Option<Host>,
    start_us: i64,
    end_us: i64,
    counts: [u64; COUNTS],
    keys: Vec<KeyCount>,
    overflow_packets: u64,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    talk: Option<Box<Talk>>,
}

impl<'de> Deserialize<'de> for WindowRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        if wire.version != RECORD_VERSION {
            return Err(D::Error::custom(format!(
                "window record version {} is unknown: this build reads version {RECORD_VERSION}",
                wire.version
            )));
        }
        if wire.keys.len() > MAX_KEYS {
            return Err(D::Error::custom(format!(
                "window record holds {} keys, the limit is {MAX_KEYS}",
                wire.keys.len()
            )));
        }
        if wire.end_us <= wire.start_us {
            return Err(D::Error::custom("window record ends before it starts"));
        }
        if wire.mac.is_some_and(|mac| mac.as_mac().is_none()) {
            return Err(D::Error::custom("window record: `mac` is not a MAC address"));
        }
        Ok(Self {
            version: wire.version,
            device: wire.device,
            mac: wire.mac,
            start_us: wire.start_us,
            end_us: wire.end_us,
            counts: wire.counts,
            keys: wire.keys,
            overflow_packets: wire.overflow_packets,
            pace: wire.pace,
            talk: wire.talk,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn record() -> WindowRecord {
        let peer = |last: u8| Host::v4([192, 0, 2, last].into());
        let key = |last, port, packets| KeyCount::new(peer(last), 6, port, packets);
        WindowRecord {
            version: RECORD_VERSION,
            device: Host::v4([192, 168, 0, 7].into()),
            mac: Some(Host::mac([2, 0, 0, 0, 0, 7])),
            start_us: 10_000_000,
            end_us: 20_000_000,
            counts: [7; COUNTS],
            keys: vec![key(1, 80, 3), key(2, 443, 4), key(1, 443, 2)],
            overflow_packets: 1,
            pace: Pace::default(),
            talk: None,
        }
    }

    #[test]
    fn json_is_compact_and_round_trips() {
        let json = serde_json::to_string(&record()).unwrap();
        assert!(json.contains(r#"["192.0.2.1",6,80,3,0,0]"#), "{json}");
        assert_eq!(serde_json::from_str::<WindowRecord>(&json).unwrap(), record());
    }

    #[test]
    fn top_peers_add_up_their_services() {
        assert_eq!(record().top_peers(1), vec![(Host::v4([192, 0, 2, 1].into()), 5)]);
        assert_eq!(record().top_keys(1)[0].packets, 4);
    }

    #[test]
    fn windows_of_two_addresses_add_up() {
        let (mut both, mut other) = (record(), record());
        other.counts[Metric::PacketsOut.index()] = 21;
        other.counts[Metric::MeanSizeOut.index()] = 11;
        other.counts[Metric::PortsOfPeer.index()] = 9;
        other.keys[0].failed = 2;
        other.keys.push(KeyCount::new(Host::v4([192, 0, 2, 9].into()), 17, 53, 1));
        both.merge(&other);
        assert_eq!((both.count(Metric::PacketsOut), both.count(Metric::MeanSizeOut)), (28, 10));
        assert_eq!((both.count(Metric::PortsOfPeer), both.count(Metric::SynOut)), (9, 14));
        assert_eq!((both.keys.len(), both.keys[0].packets, both.keys[0].failed), (4, 6, 2));
        assert_eq!(both.overflow_packets, 2);
    }

    #[test]
    fn foreign_or_oversized_records_are_refused() {
        let refuse = |change: &dyn Fn(&mut serde_json::Value), word: &str| {
            let mut value = serde_json::to_value(record()).unwrap();
            change(&mut value);
            let error = serde_json::from_value::<WindowRecord>(value).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        refuse(&|v| v["version"] = 1.into(), "version 1");
        refuse(&|v| v["end_us"] = 0.into(), "ends before");
        refuse(&|v| v["mac"] = "192.0.2.1".into(), "MAC");
        refuse(&|v| v["keys"] = vec![v["keys"][0].clone(); MAX_KEYS + 1].into(), "limit is 256");
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(text in "[\\[\\]{}\",:0-9a-z]{0,80}") {
            let _ = serde_json::from_str::<WindowRecord>(&text);
        }
    }
}
