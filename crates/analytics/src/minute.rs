//! The minute so far: whole minutes, judged as they grow.
//!
//! A window belongs to the minute of its start. Its minute metrics are those of a window from the
//! beginning of the minute to its own end, put together by the rules of [`WindowRecord::merge`].

use serde::{Deserialize, Serialize};

use crate::distinct::Distinct;
use crate::features::Values;
use crate::host::mix;
use crate::metrics::Metric;
use crate::record::{MAX_KEYS, WindowRecord};
use crate::talk::MAX_NAMES;

/// Length of a minute, microseconds. Windows at least as long have no minute beside them.
pub(crate) const MINUTE_US: i64 = 60_000_000;

/// Counts that add up, each with its minute metric.
const SUMS: [(Metric, Metric); 5] = [
    (Metric::PacketsOut, Metric::MinutePacketsOut),
    (Metric::PacketsIn, Metric::MinutePacketsIn),
    (Metric::BytesOut, Metric::MinuteBytesOut),
    (Metric::BytesIn, Metric::MinuteBytesIn),
    (Metric::SynOut, Metric::MinuteSynOut),
];

/// What a device did in the minute so far. Bounded whatever it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Minute {
    /// Whole minutes since the Unix epoch.
    number: i64,
    /// Start of the newest window, microseconds.
    at_us: i64,
    sums: [u64; SUMS.len()],
    /// Packets with known peers on services not used with them before.
    pairing: f64,
    peers: Distinct<MAX_KEYS>,
    services: Distinct<MAX_KEYS>,
    names: Distinct<MAX_NAMES>,
    /// The most peers and services of one window: more than its keys show, where it has more of them
    /// than a record holds.
    most: [u64; 2],
}

impl Minute {
    /// Takes a window, and completes its values by what is judged of its minute. After a step back,
    /// and in another minute, it begins anew.
    ///
    /// As all that looks back, it counts only where the window itself has some of it.
    pub(crate) fn complete(&mut self, record: &WindowRecord, values: &mut Values) {
        let number = record.start_us.div_euclid(MINUTE_US);
        if number != self.number || record.start_us < self.at_us {
            *self = Self { number, ..Self::default() };
        }
        self.at_us = record.start_us;
        for (sum, (metric, _)) in self.sums.iter_mut().zip(SUMS) {
            *sum = sum.saturating_add(record.count(metric));
        }
        for key in &record.keys {
            self.peers.insert(key.peer.digest());
            if key.has_service() {
                self.services.insert(mix(u64::from(key.protocol) << 16 | u64::from(key.port)));
            }
        }
        for (most, metric) in self.most.iter_mut().zip([Metric::Peers, Metric::ServicePorts]) {
            *most = (*most).max(record.count(metric));
        }
        if let Some(talk) = &record.talk {
            self.names.merge(talk.names());
        }
        let now = values[Metric::NewPeerService.index()];
        self.pairing += now;
        if now > 0.0 {
            values[Metric::MinuteNewPeerService.index()] = self.pairing;
        }
    }

    /// Whether a window was the last one taken.
    pub(crate) fn is_at(&self, record: &WindowRecord) -> bool {
        self.at_us == record.start_us && self.number == record.start_us.div_euclid(MINUTE_US)
    }

    /// A minute metric of the minute so far; 0 for other metrics.
    pub(crate) fn count(&self, metric: Metric) -> u64 {
        match metric {
            Metric::MinuteNewPeerService => self.pairing as u64,
            Metric::MinutePeers => self.most[0].max(self.peers.count()),
            Metric::MinuteServicePorts => self.most[1].max(self.services.count()),
            Metric::MinuteDnsNames => self.names.count(),
            _ => {
                let place = SUMS.iter().position(|(_, minute)| *minute == metric);
                place.map_or(0, |place| self.sums[place])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;
    use crate::features::values_of;
    use crate::host::Host;
    use crate::metrics::told;
    use crate::novelty::Novelty;
    use crate::windows::{Class, Segment, WindowConfig, Windower};

    /// A packet of one device: seconds, peer, port, sent or received, SYN.
    type Packet = (u8, u8, u16, bool, bool);

    fn cut(packets: &[Packet], window_us: i64) -> Vec<WindowRecord> {
        let config = WindowConfig { window_us, ..WindowConfig::default() };
        let mut windower = Windower::new(config).unwrap();
        let device = Host::v4([192, 168, 1, 2].into());
        for (second, peer, port, sent, syn) in packets {
            let peer = Host::v4([203, 0, 113, *peer].into());
            let (src, dst) = if *sent { (device, peer) } else { (peer, device) };
            let segment = Segment {
                src: Some(src),
                dst: Some(dst),
                class: Class::Tcp,
                protocol: 6,
                src_port: if *sent { 40_000 } else { *port },
                dst_port: if *sent { *port } else { 40_000 },
                tcp_flags: if *syn && *sent { 2 } else { 16 },
                ..Segment::frame(100)
            };
            windower.push_segment(i64::from(*second) * 1_000_000_000, &segment);
        }
        windower.finish();
        windower.take_ready()
    }

    proptest! {
        /// The minute of six windows is the window of a minute, over the same packets.
        #[test]
        fn a_minute_is_a_window_of_a_minute(
            mut packets in proptest::collection::vec(
                (0_u8..60, 1_u8..40, 1_u16..40, any::<bool>(), any::<bool>()), 1..120)
        ) {
            packets.sort_unstable();
            // Only who sends is a device.
            packets[0].3 = true;
            let whole = cut(&packets, MINUTE_US);
            prop_assert_eq!(whole.len(), 1);
            let mut minute = Minute::default();
            let mut stored = Minute::default();
            for record in cut(&packets, 10_000_000) {
                let novelty = Novelty { pairing: record.packets(), ..Novelty::default() };
                let mut values = values_of(&record, novelty);
                minute.complete(&record, &mut values);
                // A restart changes nothing.
                let text = serde_json::to_string(&stored).unwrap();
                stored = serde_json::from_str(&text).unwrap();
                stored.complete(&record, &mut values_of(&record, novelty));
                let so_far = values[Metric::MinuteNewPeerService.index()] as u64;
                prop_assert_eq!(so_far, minute.count(Metric::MinuteNewPeerService));
            }
            prop_assert_eq!(&stored, &minute);
            prop_assert_eq!(minute.count(Metric::MinuteNewPeerService), whole[0].packets());
            let own = SUMS.into_iter().chain([
                (Metric::Peers, Metric::MinutePeers),
                (Metric::ServicePorts, Metric::MinuteServicePorts),
                (Metric::DnsNames, Metric::MinuteDnsNames),
            ]);
            for (window, of_minute) in own {
                prop_assert!(told().contains(&of_minute));
                prop_assert_eq!(whole[0].count(window), minute.count(of_minute), "{}", of_minute.name());
            }
        }
    }

    #[test]
    fn every_minute_begins_anew() {
        let record = |at_s: u8| cut(&[(at_s, 1, 80, true, true)], 10_000_000).remove(0);
        let mut minute = Minute::default();
        let counts = [0, 10, 50, 60, 20].map(|at_s| {
            minute.complete(&record(at_s), &mut [0.0; crate::metrics::METRICS]);
            minute.count(Metric::MinutePacketsOut)
        });
        assert_eq!(counts, [1, 2, 3, 1, 1], "the last one is a step back");
    }
}
