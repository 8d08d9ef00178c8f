//! Flow export instead of packets: NetFlow and IPFIX datagrams to windows.
//!
//! Exporters tell each direction by itself and late. Directions are paired while both are in reach,
//! and a window is closed only when flows of it are no longer expected; a flow that comes even later
//! counts in the oldest window still open.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use analytics::host::Host;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::rows::{FlowRow, FlowWindower};
use analytics::windows::DEFAULT_WINDOW_US;
use protocols::netflow::{Collector, Flow, Stats};
use serde::Serialize;

use crate::EdgeError;

/// Flows that wait for their other direction at most; beyond, the oldest go on alone.
pub const MAX_WAITING_FLOWS: usize = 65_536;
/// How long a flow waits for its other direction, in the exporters' time.
pub const PAIR_WITHIN_NS: i64 = 5_000_000_000;
/// Largest datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Datagrams taken before something else gets its turn.
const BURST: usize = 256;
const TCP: u8 = 6;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;

/// What was received and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlowCounts {
    /// What was read of the exporters.
    #[serde(flatten)]
    pub read: Stats,
    /// Flows whose other direction was found.
    pub paired: u64,
    /// Flows later than their window; they count in a later one.
    pub late: u64,
    /// Windows closed early because too many were open.
    pub windows_closed_early: u64,
}

type Ends = (IpAddr, IpAddr, u8, u16, u16);

/// Receives flow export and cuts it into windows.
pub struct FlowIntake {
    socket: UdpSocket,
    buffer: Vec<u8>,
    collector: Collector,
    pairs: Pairs,
    windower: FlowWindower,
    lateness_us: i64,
    latest_ns: Option<i64>,
    closed_us: Option<i64>,
    late: u64,
}

impl FlowIntake {
    /// Listens on an address; every local host is a device. Windows are kept open for `lateness_us` of the exporters' time.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn listen(address: SocketAddr, lateness_us: i64) -> Result<Self, EdgeError> {
        let socket = UdpSocket::bind(address)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| {
                EdgeError::Network(format!("flow export cannot be received on {address}: {error}"))
            })?;
        Ok(Self {
            socket,
            buffer: vec![0; MAX_DATAGRAM],
            collector: Collector::new(),
            pairs: Pairs::default(),
            windower: FlowWindower::new(DEFAULT_WINDOW_US, DevicePolicy::Local),
            lateness_us,
            latest_ns: None,
            closed_us: None,
            late: 0,
        })
    }

    /// Takes the datagrams that wait; `false` when there were none.
    ///
    /// # Errors
    /// The socket is broken.
    pub fn take(&mut self) -> Result<bool, EdgeError> {
        for turn in 0..BURST {
            let (length, from) = match self.socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Ok(turn > 0);
                }
                Err(error) => return Err(EdgeError::system("receiving flow export")(error)),
            };
            let (mut flows, datagram) = (Vec::new(), &self.buffer[..length]);
            let read = self.collector.read(from.ip(), datagram, |flow| flows.push(*flow));
            if let Err(error) = read {
                tracing::debug!(exporter = %from.ip(), %error, "flow export that cannot be read");
            }
            for flow in flows {
                self.flow(&flow);
            }
        }
        Ok(true)
    }

    fn flow(&mut self, flow: &Flow) {
        self.latest_ns = Some(self.latest_ns.map_or(flow.end_ns, |latest| latest.max(flow.end_ns)));
        let (pairs, windower) = (&mut self.pairs, &mut self.windower);
        let (closed_us, late) = (self.closed_us, &mut self.late);
        pairs.take(flow, |mut row| {
            if let Some(closed_us) = closed_us
                && row.ts_us < closed_us
            {
                *late += 1;
                row.ts_us = closed_us;
            }
            windower.push(&row);
        });
    }

    /// The windows of which no more flows are expected, and the time up to which that holds.
    pub fn ready(&mut self) -> Option<(Vec<WindowRecord>, i64)> {
        let latest_us = self.latest_ns? / 1_000;
        let complete_us =
            (latest_us - self.lateness_us).div_euclid(DEFAULT_WINDOW_US) * DEFAULT_WINDOW_US;
        if self.closed_us.is_some_and(|closed| closed >= complete_us) {
            return None;
        }
        self.closed_us = Some(complete_us);
        self.windower.close_before(complete_us);
        Some((self.windower.take_ready(), complete_us))
    }

    /// All windows: no more flows will come.
    pub fn finish(&mut self) -> (Vec<WindowRecord>, Option<i64>) {
        let windower = &mut self.windower;
        self.pairs.finish(|row| windower.push(&row));
        self.windower.finish();
        let end_us = self
            .latest_ns
            .map(|latest| ((latest / 1_000).div_euclid(DEFAULT_WINDOW_US) + 1) * DEFAULT_WINDOW_US);
        (self.windower.take_ready(), end_us)
    }

    /// What was received so far.
    pub fn counts(&self) -> FlowCounts {
        FlowCounts {
            read: self.collector.stats(),
            paired: self.pairs.paired,
            late: self.late,
            windows_closed_early: self.windower.stats().closed_early,
        }
    }
}

/// Flows that wait for their other direction.
#[derive(Default)]
struct Pairs {
    waiting: HashMap<Ends, Flow>,
    order: VecDeque<(i64, Ends)>,
    latest_ns: i64,
    paired: u64,
}

impl Pairs {
    fn take(&mut self, flow: &Flow, mut each: impl FnMut(FlowRow)) {
        self.latest_ns = self.latest_ns.max(flow.end_ns);
        self.expire(&mut each);
        let back = (flow.dst, flow.src, flow.protocol, flow.dst_port, flow.src_port);
        if let Some(other) = self.waiting.remove(&back) {
            self.paired += 2;
            // Who sent first has opened; at the same time, the one with the greater port.
            let first = (other.start_ns, flow.src_port) <= (flow.start_ns, other.src_port);
            let (open, answer) = if first { (&other, flow) } else { (flow, &other) };
            each(row(open, Some(answer)));
        } else {
            let ends = (flow.src, flow.dst, flow.protocol, flow.src_port, flow.dst_port);
            // A second report of the same direction: the first goes on alone.
            if let Some(before) = self.waiting.insert(ends, *flow) {
                each(row(&before, None));
            }
            self.order.push_back((flow.end_ns, ends));
        }
    }

    /// Lets go those that have waited long enough.
    fn expire(&mut self, each: &mut impl FnMut(FlowRow)) {
        while let Some((end_ns, ends)) = self.order.front().copied() {
            let waits = self.latest_ns.saturating_sub(end_ns) < PAIR_WITHIN_NS;
            if waits && self.order.len() <= MAX_WAITING_FLOWS {
                break;
            }
            self.order.pop_front();
            // Reported again meanwhile: its newer place in the order decides.
            if self.waiting.get(&ends).is_some_and(|flow| flow.end_ns == end_ns)
                && let Some(alone) = self.waiting.remove(&ends)
            {
                each(row(&alone, None));
            }
        }
    }

    fn finish(&mut self, mut each: impl FnMut(FlowRow)) {
        let mut left: Vec<Flow> = self.waiting.drain().map(|(_, flow)| flow).collect();
        left.sort_by_key(|flow| (flow.start_ns, flow.src, flow.src_port));
        left.iter().for_each(|flow| each(row(flow, None)));
        self.order.clear();
    }
}

fn row(open: &Flow, answer: Option<&Flow>) -> FlowRow {
    let times = |flow: &Flow, count: u64| count.saturating_mul(u64::from(flow.sampled));
    let opened = open.protocol == TCP && open.tcp_flags & SYN != 0;
    let answered = answer.is_some_and(|flow| flow.tcp_flags & SYN != 0);
    let flags = open.tcp_flags | answer.map_or(0, |flow| flow.tcp_flags);
    FlowRow {
        ts_us: open.start_ns / 1_000,
        from: Host::from(open.src),
        to: Host::from(open.dst),
        from_mac: open.src_mac.map(Host::mac),
        protocol: open.protocol,
        from_port: open.src_port,
        to_port: open.dst_port,
        packets: times(open, open.packets),
        bytes: times(open, open.bytes),
        packets_back: answer.map_or(0, |flow| times(flow, flow.packets)),
        bytes_back: answer.map_or(0, |flow| times(flow, flow.bytes)),
        opened,
        // More flags than SYN alone: the answer was there, only its flow did not reach us.
        failed: opened && !answered && open.tcp_flags & !(SYN | 0xc0) == 0,
        reset: open.protocol == TCP && flags & RST != 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn flow(src: [u8; 4], ports: (u16, u16), dst: [u8; 4], flags: u8, start_s: i64) -> Flow {
        Flow {
            src: src.into(),
            dst: dst.into(),
            src_mac: None,
            dst_mac: None,
            protocol: TCP,
            src_port: ports.0,
            dst_port: ports.1,
            tcp_flags: flags,
            packets: 2,
            bytes: 80,
            start_ns: start_s * 1_000_000_000,
            end_ns: start_s * 1_000_000_000,
            sampled: 1,
        }
    }

    const DEVICE: [u8; 4] = [10, 0, 0, 1];
    const SERVER: [u8; 4] = [192, 0, 2, 1];

    fn rows(flows: &[Flow]) -> Vec<FlowRow> {
        let (mut pairs, mut rows) = (Pairs::default(), Vec::new());
        for flow in flows {
            pairs.take(flow, |row| rows.push(row));
        }
        pairs.finish(|row| rows.push(row));
        rows
    }

    #[test]
    fn directions_become_one_row_whichever_comes_first() {
        let out = flow(DEVICE, (40_000, 502), SERVER, 0x1a, 100);
        let back = flow(SERVER, (502, 40_000), DEVICE, 0x1a, 100);
        for flows in [[out, back], [back, out]] {
            let [row] = rows(&flows)[..] else { panic!() };
            assert_eq!(row.from, Host::v4(DEVICE.into()));
            assert_eq!((row.to_port, row.packets, row.packets_back), (502, 2, 2));
            assert!(row.opened && !row.failed && !row.reset);
        }
    }

    #[test]
    fn unanswered_attempts_have_failed_and_nothing_is_lost() {
        let attempt = flow(DEVICE, (40_000, 50), SERVER, SYN, 100);
        let repeated = flow(DEVICE, (40_000, 50), SERVER, SYN, 101);
        let much_later = flow(SERVER, (50, 40_000), DEVICE, 0x12, 200);
        let rows = rows(&[attempt, repeated, much_later]);
        assert_eq!(rows.len(), 3);
        assert!(rows[0].failed && rows[1].failed && !rows[2].failed);
    }

    #[test]
    fn late_flows_count_in_a_later_window_and_are_counted() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut intake = FlowIntake::listen(address, 20_000_000).unwrap();
        intake.flow(&flow(DEVICE, (1, 2), SERVER, SYN, 100));
        intake.flow(&flow(DEVICE, (1, 3), SERVER, SYN, 150));
        let (records, complete_us) = intake.ready().unwrap();
        assert_eq!((records.len(), complete_us), (1, 130_000_000));
        intake.flow(&flow(DEVICE, (1, 4), SERVER, SYN, 101));
        intake.flow(&flow(DEVICE, (1, 5), SERVER, SYN, 190));
        assert_eq!(intake.counts().late, 1);
        let (rest, end_us) = intake.finish();
        let packets: u64 = rest.iter().chain(&records).map(WindowRecord::packets).sum();
        assert_eq!((packets, end_us), (8, Some(200_000_000)));
    }
}
