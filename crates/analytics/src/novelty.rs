//! Which peers and services a device is known to use, and how much of a window is new.

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::record::{KeyCount, WindowRecord};

/// Known keys of one device. A training with more keys than this keeps the first ones and says so
/// (`saturated`): what lies beyond would count as new for ever.
pub const MAX_KNOWN_KEYS: usize = 65_536;

/// Packets of one unknown service that count: with a handshake's three it has been used, and how much
/// makes it no newer.
const EXCHANGE_PACKETS: u64 = 3;

/// Peers, services and their combinations seen in training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownKeys {
    peers: HashSet<Host>,
    services: HashSet<(u8, u16)>,
    combinations: HashMap<(Host, u8, u16), Usual>,
    saturated: bool,
}

/// The most that one conversation did in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// Answered packets, fading over the context.
    pub traffic: f32,
    /// Minutes of an hour with answered packets; 0 where it is not known (a key learned later).
    pub minutes: u8,
}

impl Usual {
    /// The larger of both, each for itself.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { traffic: self.traffic.max(other.traffic), minutes: self.minutes.max(other.minutes) }
    }
}

/// What of a window is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Novelty {
    /// Packets with an unknown peer.
    pub peer: u64,
    /// Packets with an unknown (protocol, service port), of each peer three at most.
    pub service: u64,
    /// Packets with an unknown (peer, protocol, service port).
    pub combination: u64,
    /// Unknown peers, each once.
    pub peers: u64,
    /// Packets with a known peer and a known service that are not known together.
    pub pairing: u64,
}

impl KnownKeys {
    /// Learns the keys of a window. Packets beyond the keys of the record teach nothing.
    pub fn learn(&mut self, record: &WindowRecord) {
        for key in &record.keys {
            self.learn_key(key);
        }
    }

    /// Learns one key: its peer, its service and both together are known from now on.
    pub fn learn_key(&mut self, key: &KeyCount) {
        let combination = (key.peer, key.protocol, key.port);
        if self.combinations.contains_key(&combination) {
            return;
        }
        if self.combinations.len() >= MAX_KNOWN_KEYS {
            self.saturated = true;
            return;
        }
        self.combinations.insert(combination, Usual::default());
        self.peers.insert(key.peer);
        if key.has_service() {
            self.services.insert((key.protocol, key.port));
        }
    }

    /// Counts what is new in a window. Packets beyond the keys of the record are new in every way:
    /// training counted them alike, so a device that always has so many keeps its threshold.
    #[must_use]
    pub fn compare(&self, record: &WindowRecord) -> Novelty {
        self.compare_where(record, |_| false)
    }

    /// [`KnownKeys::compare`], with the keys that `normal` names taken as known.
    #[must_use]
    pub fn compare_where(
        &self,
        record: &WindowRecord,
        normal: impl Fn(&KeyCount) -> bool,
    ) -> Novelty {
        let beyond = record.overflow_packets;
        let mut novelty = Novelty {
            peer: beyond,
            service: beyond,
            combination: beyond,
            peers: beyond,
            pairing: 0,
        };
        for (place, key) in record.keys.iter().enumerate() {
            if self.contains(key) || normal(key) {
                continue;
            }
            let packets = u64::from(key.packets);
            novelty.combination += packets;
            let new_peer = !self.peers.contains(&key.peer);
            let new_service =
                key.has_service() && !self.services.contains(&(key.protocol, key.port));
            if new_peer {
                novelty.peer += packets;
                let before = &record.keys[..place];
                novelty.peers += u64::from(before.iter().all(|other| other.peer != key.peer));
            }
            if new_service {
                novelty.service += packets.min(EXCHANGE_PACKETS);
            }
            if !new_peer && !new_service {
                novelty.pairing += packets;
            }
        }
        novelty
    }

    /// The most that a conversation did in training; `None` for one that is not known.
    #[inline]
    #[must_use]
    pub fn usual(&self, key: &KeyCount) -> Option<Usual> {
        self.combinations.get(&(key.peer, key.protocol, key.port)).copied()
    }

    /// Notes the most that a known conversation did.
    pub fn set_usual(&mut self, key: (Host, u8, u16), usual: Usual) {
        if let Some(known) = self.combinations.get_mut(&key) {
            *known = known.max(usual);
        }
    }

    /// Whether a combination is known.
    #[must_use]
    pub fn contains(&self, key: &KeyCount) -> bool {
        self.combinations.contains_key(&(key.peer, key.protocol, key.port))
    }

    /// Number of known combinations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.combinations.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.combinations.is_empty()
    }

    /// Whether [`MAX_KNOWN_KEYS`] was reached.
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.saturated
    }
}

/// The stored form: the combinations in order; peers and services follow from them.
#[derive(Serialize, Deserialize)]
struct Stored {
    saturated: bool,
    keys: Vec<(Host, u8, u16, f32, u8)>,
}

impl Serialize for KnownKeys {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.combinations.iter();
        let mut keys: Vec<_> = entries
            .map(|(key, usual)| (key.0, key.1, key.2, usual.traffic, usual.minutes))
            .collect();
        // The order of a hash map differs from run to run; a model file must not.
        keys.sort_unstable_by_key(|key| (key.0, key.1, key.2));
        Stored { saturated: self.saturated, keys }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KnownKeys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let mut known = Self::default();
        for (peer, protocol, port, traffic, minutes) in stored.keys {
            known.learn_key(&KeyCount::new(peer, protocol, port, 1));
            known.set_usual((peer, protocol, port), Usual { traffic, minutes });
        }
        known.saturated |= stored.saturated;
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::metrics::COUNTS;
    use crate::pace::Pace;
    use crate::record::RECORD_VERSION;

    fn record(keys: &[(u8, u16, u32)], overflow_packets: u64) -> WindowRecord {
        WindowRecord {
            version: RECORD_VERSION,
            device: Host::v4([10, 0, 0, 1].into()),
            mac: None,
            start_us: 0,
            end_us: 1,
            counts: [0; COUNTS],
            keys: keys
                .iter()
                .map(|(last, port, packets)| {
                    KeyCount::new(Host::v4([192, 0, 2, *last].into()), 6, *port, *packets)
                })
                .collect(),
            overflow_packets,
            pace: Pace::default(),
            talk: None,
        }
    }

    #[test]
    fn each_kind_of_novelty_is_counted() {
        let mut known = KnownKeys::default();
        known.learn(&record(&[(1, 80, 9), (2, 443, 1)], 0));
        let now = record(&[(1, 80, 5), (1, 443, 2), (3, 80, 3), (4, 22, 7)], 0);
        assert_eq!(
            known.compare(&now),
            Novelty { peer: 10, service: EXCHANGE_PACKETS, combination: 12, peers: 2, pairing: 2 }
        );
        assert_eq!(known.compare_where(&now, |key| key.port == 22).peers, 1);
        assert_eq!(now.keys.iter().filter(|key| !known.contains(key)).count(), 3);
        assert_eq!(known.compare(&record(&[(1, 80, 5)], 4)).peer, 4);
    }

    #[test]
    fn stored_form_is_ordered_and_complete() {
        let mut known = KnownKeys::default();
        known.learn(&record(&[(9, 80, 9), (2, 443, 1), (5, 1, 1)], 0));
        let json = serde_json::to_string(&known).unwrap();
        let again: KnownKeys = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
        assert_eq!(
            again.compare(&record(&[(9, 443, 1)], 0)),
            Novelty { combination: 1, pairing: 1, ..Novelty::default() }
        );
    }
}
