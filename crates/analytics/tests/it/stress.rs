//! Developer captures whose attack is changed so that what gives it away is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};

use analytics::host::Host;
use analytics::record::{KeyCount, WindowRecord};
use analytics::windows::{Class, Segment};

use crate::frames::{carrying_name, dns_frame, dns_message};
use crate::support::{
    Edited, Labelled, Reconnects, benign_windows, labelled_windows, labels, protected, scenario,
    windows,
};

/// What is done to the attack (and to the benign part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stress {
    /// Nothing.
    AsIs,
    /// The attempts go to the peer and service the device talks to most.
    KnownPeer,
    /// The same on a device that often reconnects in vain to that peer.
    Noisy,
    /// One UDP packet for each attempt, to the peer and service the device uses most over UDP.
    Leak,
    /// The same, every second packet being an answer.
    AnsweredLeak,
    /// One attempt a minute to a known peer.
    Weak,
    /// The same on a device that often reconnects in vain to that peer.
    WeakNoisy,
    /// Data of the usual size in both directions on the usual service, with a peer never seen.
    Mimic,
    /// Every ten seconds a connection half opened to a peer the device knows on a TCP service it knows,
    /// never used together: a patient look around.
    SlowScan,
    /// Every three seconds a query with data in its name, answered by the usual resolver.
    DnsTunnel,
}

/// Every kind.
pub(crate) const ALL: [Stress; 10] = [
    Stress::AsIs,
    Stress::KnownPeer,
    Stress::Noisy,
    Stress::Leak,
    Stress::AnsweredLeak,
    Stress::Weak,
    Stress::WeakNoisy,
    Stress::Mimic,
    Stress::SlowScan,
    Stress::DnsTunnel,
];

/// Windows to train on and labelled windows to judge.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) devices: Vec<Host>,
    pub(crate) training: Vec<WindowRecord>,
    pub(crate) test: Vec<Labelled>,
}

/// The service a device exchanges most packets with over a protocol, answered ones only.
fn usual_service(records: &[WindowRecord], device: Host, protocol: u8) -> Option<(Host, u16)> {
    let mut packets = BTreeMap::new();
    let of_device = records.iter().filter(|record| record.device == device);
    let keys = of_device.flat_map(|record| &record.keys);
    for key in keys.filter(|key| key.protocol == protocol && key.received > 0) {
        *packets.entry((key.peer, key.port)).or_insert(0) += key.packets;
    }
    packets.into_iter().max_by_key(|(_, packets)| *packets).map(|(service, _)| service)
}

/// Who answers most of a device's questions for names.
fn resolver(records: &[WindowRecord], device: Host) -> Option<Host> {
    let mut packets = BTreeMap::new();
    let of_device = records.iter().filter(|record| record.device == device);
    let keys = of_device.flat_map(|record| &record.keys);
    for key in keys.filter(|key| (key.protocol, key.port) == (17, 53) && key.received > 0) {
        *packets.entry(key.peer).or_insert(0) += key.packets;
    }
    packets.into_iter().max_by_key(|(_, packets)| *packets).map(|(peer, _)| peer)
}

fn turn_round(segment: &mut Segment) {
    std::mem::swap(&mut segment.src, &mut segment.dst);
    std::mem::swap(&mut segment.src_port, &mut segment.dst_port);
    std::mem::swap(&mut segment.src_mac, &mut segment.dst_mac);
}

/// A scenario as it is, trained on its own training part and that of `more`; `None` without data.
pub(crate) fn plain(name: &str, more: &[&str]) -> Option<Case> {
    let folder = scenario(name)?;
    let own = folder.join("train.pcap.gz");
    let mut training = if own.is_file() { windows(&own) } else { Vec::new() };
    for other in more {
        training.extend(windows(&scenario(other)?.join("train.pcap.gz")));
    }
    let test =
        labelled_windows(&folder.join("test.pcap.gz"), &labels(&folder), None, &mut |_, _| {
            Edited::Kept
        });
    Some(Case { name: name.to_owned(), devices: protected(&folder), training, test })
}

/// Pairs of a peer and a TCP service, both known of a device, that it never used together.
fn unused_pairs(records: &[WindowRecord], device: Host) -> Vec<(Host, u16)> {
    let keys = || {
        let of_device = records.iter().filter(|record| record.device == device);
        of_device.flat_map(|record| &record.keys).filter(|key| key.has_service())
    };
    let single = |key: &&KeyCount| !key.peer.is_group();
    let peers: BTreeSet<Host> = keys().filter(single).map(|key| key.peer).collect();
    let ports: BTreeSet<u16> = keys().filter(|key| key.protocol == 6).map(|key| key.port).collect();
    let used: BTreeSet<(Host, u16)> =
        keys().filter(|key| key.protocol == 6).map(|key| (key.peer, key.port)).collect();
    let pairs = peers.iter().flat_map(|peer| ports.iter().map(move |port| (*peer, *port)));
    pairs.filter(|pair| !used.contains(pair)).collect()
}

/// What an attack is turned into, packet by packet.
struct Attack {
    stress: Stress,
    device: Host,
    /// The peer and service used most over TCP, and over UDP.
    usual: (Host, u16),
    usual_udp: (Host, u16),
    resolver: Option<Host>,
    unused: Vec<(Host, u16)>,
    /// Mean size of what the device sends, bytes.
    size: u32,
    turn: usize,
    last_ns: i64,
}

impl Attack {
    /// Whether so many seconds passed since the last packet that was let through.
    fn waited(&mut self, ts_ns: i64, seconds: i64) -> bool {
        let due = ts_ns.saturating_sub(self.last_ns) >= seconds * 1_000_000_000;
        if due {
            self.last_ns = ts_ns;
        }
        due
    }

    fn edit(&mut self, ts_ns: i64, packet: &Segment) -> Edited {
        self.turn += 1;
        let mut segment = *packet;
        match self.stress {
            Stress::AsIs => return Edited::Kept,
            Stress::KnownPeer | Stress::Noisy => {
                (segment.dst, segment.dst_port) = (Some(self.usual.0), self.usual.1);
            }
            Stress::Weak | Stress::WeakNoisy => {
                if !self.waited(ts_ns, 60) {
                    return Edited::Dropped;
                }
                (segment.dst, segment.dst_port) = (Some(self.usual.0), self.usual.1);
            }
            Stress::Leak | Stress::AnsweredLeak => {
                (segment.dst, segment.dst_port) = (Some(self.usual_udp.0), self.usual_udp.1);
                (segment.class, segment.protocol) = (Class::Udp, 17);
                (segment.tcp_flags, segment.wire_len) = (0, 300);
            }
            Stress::Mimic => {
                let stranger = Host::v4([203, 0, 113, 77].into());
                (segment.dst, segment.dst_port) = (Some(stranger), self.usual.1);
                segment.tcp_flags = 0x18;
                segment.wire_len = self.size;
            }
            Stress::SlowScan => return self.look_around(ts_ns),
            Stress::DnsTunnel => return self.tunnel(ts_ns),
        }
        let answers = matches!(self.stress, Stress::AnsweredLeak | Stress::Mimic);
        if answers && self.turn.is_multiple_of(2) {
            turn_round(&mut segment);
        }
        Edited::Segments(vec![segment])
    }

    fn look_around(&mut self, ts_ns: i64) -> Edited {
        if !self.waited(ts_ns, 10) {
            return Edited::Dropped;
        }
        let (peer, port) = self.unused[self.turn % self.unused.len()];
        let sent = |tcp_flags| Segment {
            src: Some(self.device),
            dst: Some(peer),
            class: Class::Tcp,
            protocol: 6,
            src_port: 40_000,
            dst_port: port,
            tcp_flags,
            ..Segment::frame(60)
        };
        // SYN, and SYN with ACK.
        let mut answer = sent(0x12);
        turn_round(&mut answer);
        Edited::Segments(vec![sent(2), answer])
    }

    fn tunnel(&mut self, ts_ns: i64) -> Edited {
        if !self.waited(ts_ns, 3) {
            return Edited::Dropped;
        }
        let resolver = self.resolver.unwrap();
        let name = carrying_name(self.turn as u64);
        let ask = dns_frame(self.device, resolver, &dns_message(&name, None));
        let answer = dns_frame(resolver, self.device, &dns_message(&name, Some(0)));
        Edited::Frames(vec![ask, answer])
    }
}

/// A scenario with one device under stress; `None` without data, or where the device has nothing the
/// attack could hide in.
pub(crate) fn stressed(name: &str, stress: Stress) -> Option<Case> {
    let folder = scenario(name)?;
    let device = protected(&folder)[0];
    let benign = windows(&folder.join("train.pcap.gz"));
    let udp = usual_service(&benign, device, 17);
    let usual = usual_service(&benign, device, 6).or(udp).unwrap();
    let (peer, port) = usual;
    let noise = matches!(stress, Stress::Noisy | Stress::WeakNoisy).then_some(Reconnects {
        device,
        peer,
        port,
    });
    let sent = benign.iter().filter(|record| record.device == device);
    let (bytes, packets) = sent.fold((0, 0), |(bytes, packets), record| {
        (bytes + record.counts[2], packets + record.counts[0])
    });
    let mut attack = Attack {
        stress,
        device,
        usual,
        usual_udp: udp.unwrap(),
        resolver: resolver(&benign, device),
        unused: unused_pairs(&benign, device),
        size: (bytes / packets.max(1)) as u32,
        turn: 0,
        last_ns: i64::MIN,
    };
    let impossible = match stress {
        Stress::SlowScan => attack.unused.len() < 2,
        Stress::DnsTunnel => attack.resolver.is_none(),
        _ => false,
    };
    if impossible {
        eprintln!("{name} {stress:?}: nothing to hide in");
        return None;
    }
    let training = benign_windows(&folder.join("train.pcap.gz"), noise.as_ref());
    let test = labelled_windows(
        &folder.join("test.pcap.gz"),
        &labels(&folder),
        noise.as_ref(),
        &mut |ts_ns, segment| attack.edit(ts_ns, segment),
    );
    Some(Case { name: format!("{name} {stress:?}"), devices: vec![device], training, test })
}
