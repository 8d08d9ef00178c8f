//! The counts of one open window, and the connection attempts that wait for an answer.

use std::collections::VecDeque;

use protocols::packet::ip_protocol;

use super::keys::KeyTable;
use super::segment::{Class, Segment};
use crate::host::Host;
use crate::metrics::{COUNTS, Metric};
use crate::pace::Pace;
use crate::record::KeyCount;
use crate::talk::Talk;

/// How long a connection attempt may wait for SYN-ACK before it counts as failed.
pub const ANSWER_WITHIN_US: i64 = 1_000_000;
/// Connection attempts of one device that may wait at the same time. Further ones count as failed
/// at once: a device with so many open attempts in a second is not waiting for answers.
pub const MAX_PENDING_SYN: usize = 1_024;

/// Counts of one window that is still open.
#[derive(Debug, Default)]
pub(super) struct Open {
    counts: [u64; COUNTS],
    keys: KeyTable,
    /// UDP packets sent to groups: nobody answers those.
    udp_to_groups: u64,
    /// Time of the last packet sent.
    sent_us: Option<i64>,
    pace: Pace,
    talk: Option<Box<Talk>>,
}

/// What a window gives away when it is over.
pub(super) struct Closed {
    pub(super) counts: [u64; COUNTS],
    pub(super) keys: Vec<KeyCount>,
    /// Packets beyond the keys.
    pub(super) overflow_packets: u64,
    pub(super) pace: Pace,
    pub(super) talk: Option<Box<Talk>>,
}

impl Open {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.counts[Metric::PacketsOut.index()] | self.counts[Metric::PacketsIn.index()] == 0
    }

    #[inline]
    fn bump(&mut self, metric: Metric, by: u64) {
        self.counts[metric.index()] += by;
    }

    /// What is said in the window, to add to it.
    pub(super) fn talk(&mut self) -> &mut Talk {
        self.talk.get_or_insert_default()
    }

    /// Counts one packet, sent (`outgoing`) or received.
    #[inline]
    pub(super) fn add(&mut self, at_us: i64, segment: &Segment, outgoing: bool) {
        let size = u64::from(segment.wire_len);
        if outgoing {
            match self.sent_us {
                // Packets that come out of order do not pause.
                Some(before) if before > at_us => {}
                before => {
                    if let Some(before) = before {
                        self.pace.add(at_us.abs_diff(before));
                    }
                    self.sent_us = Some(at_us);
                }
            }
            self.bump(Metric::PacketsOut, 1);
            self.bump(Metric::BytesOut, size);
            self.bump(Metric::BroadcastOut, u64::from(segment.group));
        } else {
            self.bump(Metric::PacketsIn, 1);
            self.bump(Metric::BytesIn, size);
        }
        match segment.class {
            Class::Tcp => {
                if segment.is_syn() {
                    self.bump(if outgoing { Metric::SynOut } else { Metric::SynIn }, 1);
                }
                self.bump(Metric::Resets, u64::from(segment.is_reset()));
            }
            Class::Udp => {
                self.bump(Metric::Udp, 1);
                self.udp_to_groups += u64::from(outgoing && segment.group);
            }
            Class::Icmp => self.bump(Metric::Icmp, 1),
            Class::Arp => self.bump(Metric::Arp, 1),
            Class::OtherIp | Class::Link => {}
        }
        self.keys.add(segment.peer(outgoing), segment.protocol, segment.service_port(), !outgoing);
    }

    #[inline]
    pub(super) fn add_failed(&mut self, attempt: &Attempt) {
        self.bump(Metric::SynFailed, 1);
        self.keys.add_failed(attempt.peer, ip_protocol::TCP, attempt.remote_port);
    }

    /// Finishes the counts, gives everything away, and empties the window.
    pub(super) fn close(&mut self, fresh: Vec<KeyCount>, scratch: &mut Vec<u64>) -> Closed {
        let mut counts = std::mem::take(&mut self.counts);
        counts[Metric::Peers.index()] = self.keys.peers(scratch);
        counts[Metric::ServicePorts.index()] = self.keys.services(scratch);
        (counts[Metric::PortsOfPeer.index()], counts[Metric::PeersOfPort.index()]) =
            self.keys.spread(scratch);
        counts[Metric::UdpUnanswered.index()] =
            self.keys.unanswered().saturating_sub(std::mem::take(&mut self.udp_to_groups));
        for (mean, bytes, packets) in [
            (Metric::MeanSizeOut, Metric::BytesOut, Metric::PacketsOut),
            (Metric::MeanSizeIn, Metric::BytesIn, Metric::PacketsIn),
        ] {
            let packets = counts[packets.index()];
            counts[mean.index()] =
                (counts[bytes.index()] + packets / 2).checked_div(packets).unwrap_or(0);
        }
        self.sent_us = None;
        let (keys, overflow_packets) = self.keys.take(fresh);
        let (pace, talk) = (std::mem::take(&mut self.pace), self.talk.take());
        Closed { counts, keys, overflow_packets, pace, talk }
    }
}

/// A connection attempt that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    peer: Host,
    pub(super) at_us: i64,
    local_port: u16,
    remote_port: u16,
}

impl Attempt {
    pub(super) fn new(at_us: i64, segment: &Segment) -> Self {
        Self {
            peer: segment.peer(true),
            at_us,
            local_port: segment.src_port,
            remote_port: segment.dst_port,
        }
    }
}

/// Connection attempts of one device that still wait for an answer, oldest first.
#[derive(Debug, Default)]
pub(super) struct Attempts(VecDeque<Attempt>);

impl Attempts {
    /// Notes an attempt. `false` when too many wait already: it then counts as failed.
    pub(super) fn push(&mut self, at_us: i64, segment: &Segment) -> bool {
        if self.0.len() >= MAX_PENDING_SYN {
            return false;
        }
        self.0.push_back(Attempt::new(at_us, segment));
        true
    }

    /// Takes back the attempt that a received SYN-ACK answers, if it came in time.
    pub(super) fn answer(&mut self, at_us: i64, segment: &Segment) {
        let peer = segment.peer(false);
        let found = self.0.iter().rposition(|attempt| {
            attempt.local_port == segment.dst_port
                && attempt.remote_port == segment.src_port
                && attempt.peer == peer
                && at_us.saturating_sub(attempt.at_us) <= ANSWER_WITHIN_US
        });
        if let Some(place) = found {
            self.0.remove(place);
        }
    }

    /// Removes the attempts made before `limit_us` and hands each to `failed`.
    #[inline]
    pub(super) fn expire(&mut self, limit_us: i64, mut failed: impl FnMut(&Attempt)) {
        while let Some(attempt) = self.0.front()
            && attempt.at_us < limit_us
        {
            failed(attempt);
            self.0.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
