//! Flow records → [`WindowRecord`]s.
//!
//! A flow counts in the window of its start, whole: records do not tell how it was spread. What
//! records cannot tell (sizes of single packets, their pauses, messages, broadcasts without MAC) stays 0 in training and in
//! operation alike.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use crate::host::Host;
use crate::metrics::{COUNTS, Metric};
use crate::pace::Pace;
use crate::policy::{DevicePolicy, is_local};
use crate::record::{KeyCount, MAX_KEYS, RECORD_VERSION, WindowRecord};

/// Windows open at once; the oldest are closed beyond it, and counted.
pub const MAX_OPEN_WINDOWS: usize = 65_536;
/// Distinct peers and services counted in a window; metrics saturate there.
const MAX_DISTINCT: usize = 4_096;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;

/// One flow, or one packet, between two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRow {
    /// Start, microseconds.
    pub ts_us: i64,
    /// Who opened it, or sent it.
    pub from: Host,
    /// The other end.
    pub to: Host,
    /// Hardware address of the sender.
    pub from_mac: Option<Host>,
    /// IP protocol number.
    pub protocol: u8,
    /// Port of the sender.
    pub from_port: u16,
    /// Port of the receiver.
    pub to_port: u16,
    /// Packets sent by `from`.
    pub packets: u64,
    /// Bytes sent by `from`.
    pub bytes: u64,
    /// Packets sent back.
    pub packets_back: u64,
    /// Bytes sent back.
    pub bytes_back: u64,
    /// Whether it opened a TCP connection.
    pub opened: bool,
    /// Whether the opening was not answered.
    pub failed: bool,
    /// Whether it was reset.
    pub reset: bool,
}

/// What was done with the flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FlowStats {
    /// Flows taken.
    pub flows: u64,
    /// Flows between ends of which none is a device.
    pub foreign: u64,
    /// Windows closed early because too many were open.
    pub closed_early: u64,
}

#[derive(Default)]
struct Open {
    counts: [u64; COUNTS],
    keys: BTreeMap<(Host, u8, u16), (usize, KeyCount)>,
    overflow: u64,
    peers: HashSet<Host>,
    services: HashSet<(u8, u16)>,
    mac: Option<Host>,
}

/// Cuts flows into windows, one per device.
pub struct FlowWindower {
    window_us: i64,
    policy: DevicePolicy,
    open: BTreeMap<(i64, Host), Open>,
    ready: Vec<WindowRecord>,
    stats: FlowStats,
}

impl FlowWindower {
    /// Windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64, policy: DevicePolicy) -> Self {
        Self {
            window_us: window_us.max(1),
            policy,
            open: BTreeMap::new(),
            ready: Vec::new(),
            stats: FlowStats::default(),
        }
    }

    fn is_device(&self, host: Host) -> bool {
        match &self.policy {
            DevicePolicy::Local => host.ip().is_none_or(is_local),
            DevicePolicy::Listed(listed) => listed.contains(&host),
        }
    }

    /// Takes a flow, in any order within the open windows.
    pub fn push(&mut self, flow: &FlowRow) {
        self.stats.flows += 1;
        let listed = matches!(self.policy, DevicePolicy::Listed(_));
        let sends = self.is_device(flow.from);
        // Who only receives is no device unless listed: a scan would invent thousands.
        let answers = self.is_device(flow.to) && (listed || flow.packets_back > 0);
        if !sends && !answers {
            self.stats.foreign += 1;
        }
        if sends {
            self.count(flow, flow.from, flow.to, true);
        }
        if answers && flow.to != flow.from {
            self.count(flow, flow.to, flow.from, false);
        }
    }

    fn count(&mut self, flow: &FlowRow, device: Host, peer: Host, sender: bool) {
        let start = flow.ts_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        let full = self.open.len() >= MAX_OPEN_WINDOWS && !self.open.contains_key(&(start, device));
        if let Some(((start_us, device), open)) = full.then(|| self.open.pop_first()).flatten() {
            self.stats.closed_early += 1;
            self.ready.push(open.record(device, start_us, self.window_us));
        }
        self.open.entry((start, device)).or_default().count(flow, peer, sender);
    }

    /// Closes the windows that ended before a time.
    pub fn close_before(&mut self, ts_us: i64) {
        while let Some(entry) = self.open.first_entry() {
            let (start_us, device) = *entry.key();
            if start_us.saturating_add(self.window_us) > ts_us {
                break;
            }
            self.ready.push(entry.remove().record(device, start_us, self.window_us));
        }
    }

    /// Closes every window.
    pub fn finish(&mut self) {
        while let Some(((start_us, device), open)) = self.open.pop_first() {
            self.ready.push(open.record(device, start_us, self.window_us));
        }
    }

    /// The closed windows, in the order of their closing.
    pub fn take_ready(&mut self) -> Vec<WindowRecord> {
        std::mem::take(&mut self.ready)
    }

    /// What was done so far.
    #[must_use]
    pub const fn stats(&self) -> FlowStats {
        self.stats
    }
}

impl Open {
    fn count(&mut self, flow: &FlowRow, peer: Host, sender: bool) {
        let (out, back) = if sender {
            ((flow.packets, flow.bytes), (flow.packets_back, flow.bytes_back))
        } else {
            ((flow.packets_back, flow.bytes_back), (flow.packets, flow.bytes))
        };
        let packets = out.0.saturating_add(back.0);
        self.add(Metric::PacketsOut, out.0);
        self.add(Metric::BytesOut, out.1);
        self.add(Metric::PacketsIn, back.0);
        self.add(Metric::BytesIn, back.1);
        if flow.protocol == TCP && flow.opened {
            self.add(if sender { Metric::SynOut } else { Metric::SynIn }, 1);
            if sender && flow.failed {
                self.add(Metric::SynFailed, 1);
            }
        }
        if flow.reset {
            self.add(Metric::Resets, 1);
        }
        match flow.protocol {
            UDP => self.add(Metric::Udp, packets),
            ICMP | ICMP6 => self.add(Metric::Icmp, packets),
            _ => {}
        }
        if sender && is_multicast(peer) {
            self.add(Metric::BroadcastOut, flow.packets);
        }
        if sender && flow.from_mac.is_some() {
            self.mac = flow.from_mac;
        }
        let ported = flow.protocol == TCP || flow.protocol == UDP;
        let port = match (ported, flow.opened) {
            (false, _) => 0,
            (true, true) => flow.to_port,
            (true, false) => flow.from_port.min(flow.to_port),
        };
        if self.peers.len() < MAX_DISTINCT {
            self.peers.insert(peer);
        }
        if ported && self.services.len() < MAX_DISTINCT {
            self.services.insert((flow.protocol, port));
        }
        let place = self.keys.len();
        let known = self.keys.contains_key(&(peer, flow.protocol, port));
        if !known && place >= MAX_KEYS {
            self.overflow = self.overflow.saturating_add(packets);
            return;
        }
        let short = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let (_, key) = self
            .keys
            .entry((peer, flow.protocol, port))
            .or_insert_with(|| (place, KeyCount::new(peer, flow.protocol, port, 0)));
        key.packets = key.packets.saturating_add(short(packets));
        key.received = key.received.saturating_add(short(back.0));
        let failed = flow.protocol == TCP && sender && flow.opened && flow.failed;
        key.failed = key.failed.saturating_add(u32::from(failed));
    }

    fn add(&mut self, metric: Metric, value: u64) {
        if let Some(count) = self.counts.get_mut(metric.index()) {
            *count = count.saturating_add(value);
        }
    }

    fn record(mut self, device: Host, start_us: i64, window_us: i64) -> WindowRecord {
        let of = |counts: &[u64; COUNTS], metric: Metric| counts[metric.index()];
        let mean = |counts: &[u64; COUNTS], bytes: Metric, packets: Metric| {
            of(counts, bytes).checked_div(of(counts, packets)).unwrap_or(0)
        };
        self.counts[Metric::Peers.index()] = self.peers.len() as u64;
        self.counts[Metric::ServicePorts.index()] = self.services.len() as u64;
        let sizes = [
            mean(&self.counts, Metric::BytesOut, Metric::PacketsOut),
            mean(&self.counts, Metric::BytesIn, Metric::PacketsIn),
        ];
        self.counts[Metric::MeanSizeOut.index()] = sizes[0];
        self.counts[Metric::MeanSizeIn.index()] = sizes[1];
        let mut keys: Vec<(usize, KeyCount)> = self.keys.into_values().collect();
        keys.sort_unstable_by_key(|(place, _)| *place);
        WindowRecord {
            version: RECORD_VERSION,
            device,
            mac: self.mac,
            start_us,
            end_us: start_us.saturating_add(window_us),
            counts: self.counts,
            keys: keys.into_iter().map(|(_, key)| key).collect(),
            overflow_packets: self.overflow,
            pace: Pace::default(),
            talk: None,
        }
    }
}

fn is_multicast(host: Host) -> bool {
    match host.ip() {
        Some(std::net::IpAddr::V4(v4)) => v4.is_multicast() || v4.is_broadcast(),
        Some(std::net::IpAddr::V6(v6)) => v6.is_multicast(),
        None => host.as_mac().is_some_and(|mac| mac[0] & 1 == 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn flow(ts_us: i64, to: u8) -> FlowRow {
        FlowRow {
            ts_us,
            from: Host::v4([10, 0, 0, 1].into()),
            to: Host::v4([203, 0, 113, to].into()),
            from_mac: None,
            protocol: TCP,
            from_port: 40_000,
            to_port: 443,
            packets: 4,
            bytes: 400,
            packets_back: 0,
            bytes_back: 0,
            opened: true,
            failed: true,
            reset: false,
        }
    }

    #[test]
    fn flows_become_the_counts_of_packets() {
        let mut windower = FlowWindower::new(10_000_000, DevicePolicy::Local);
        for row in [flow(1, 1), flow(2, 2), flow(12_000_000, 1)] {
            windower.push(&row);
        }
        windower.close_before(10_000_000);
        assert_eq!(windower.take_ready().len(), 1);
        windower.push(&flow(9_000_000, 3));
        windower.finish();
        let ready = windower.take_ready();
        assert_eq!(ready.len(), 2);
        let record = &ready[1];
        assert_eq!(record.count(Metric::PacketsOut), 4);
        assert_eq!(record.count(Metric::SynFailed), 1);
        assert_eq!(record.count(Metric::MeanSizeOut), 100);
        assert_eq!(record.keys[0].port, 443);
        assert_eq!(windower.stats().flows, 4);
        // The record is one that a reader of the wire form takes.
        let json = serde_json::to_string(record).unwrap();
        assert_eq!(&serde_json::from_str::<WindowRecord>(&json).unwrap(), record);
    }

    #[test]
    fn who_only_receives_is_no_device() {
        let mut windower = FlowWindower::new(10, DevicePolicy::Local);
        let mut inward = flow(1, 1);
        std::mem::swap(&mut inward.from, &mut inward.to);
        windower.push(&inward);
        windower.finish();
        assert!(windower.take_ready().is_empty());
        assert_eq!(windower.stats().foreign, 1);
    }
}
