//! Developer captures whose attack is changed so that what gives it away is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use analytics::host::Host;
use analytics::record::WindowRecord;
use analytics::windows::{Class, Segment};

use crate::support::{
    Labelled, Reconnects, benign_windows, labelled_windows, labels, protected, scenario, windows,
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
}

/// Every kind.
pub(crate) const ALL: [Stress; 8] = [
    Stress::AsIs,
    Stress::KnownPeer,
    Stress::Noisy,
    Stress::Leak,
    Stress::AnsweredLeak,
    Stress::Weak,
    Stress::WeakNoisy,
    Stress::Mimic,
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
        labelled_windows(&folder.join("test.pcap.gz"), &labels(&folder), None, &mut |_, _| true);
    Some(Case { name: name.to_owned(), devices: protected(&folder), training, test })
}

/// A scenario with one device under stress; `None` without data.
pub(crate) fn stressed(name: &str, stress: Stress) -> Option<Case> {
    let folder = scenario(name)?;
    let device = protected(&folder)[0];
    let benign = windows(&folder.join("train.pcap.gz"));
    let udp = usual_service(&benign, device, 17);
    let tcp = usual_service(&benign, device, 6).or(udp);
    let (peer, port) = tcp.unwrap();
    let leak_to = udp.unwrap();
    let noise = matches!(stress, Stress::Noisy | Stress::WeakNoisy).then_some(Reconnects {
        device,
        peer,
        port,
    });
    let sent = benign.iter().filter(|record| record.device == device);
    let (bytes, packets) = sent.fold((0, 0), |(bytes, packets), record| {
        (bytes + record.counts[2], packets + record.counts[0])
    });
    let (mut turn, mut last_ns) = (0_u64, i64::MIN);
    let mut edit = |ts_ns: i64, segment: &mut Segment| {
        turn += 1;
        match stress {
            Stress::AsIs => {}
            Stress::KnownPeer | Stress::Noisy => {
                (segment.dst, segment.dst_port) = (Some(peer), port);
            }
            Stress::Weak | Stress::WeakNoisy => {
                if last_ns.saturating_add(60_000_000_000) > ts_ns {
                    return false;
                }
                last_ns = ts_ns;
                (segment.dst, segment.dst_port) = (Some(peer), port);
            }
            Stress::Leak | Stress::AnsweredLeak => {
                (segment.dst, segment.dst_port) = (Some(leak_to.0), leak_to.1);
                (segment.class, segment.protocol) = (Class::Udp, 17);
                (segment.tcp_flags, segment.wire_len) = (0, 300);
            }
            Stress::Mimic => {
                (segment.dst, segment.dst_port) = (Some(Host::v4([203, 0, 113, 77].into())), port);
                segment.tcp_flags = 0x18;
                segment.wire_len = (bytes / packets.max(1)) as u32;
            }
        }
        if matches!(stress, Stress::AnsweredLeak | Stress::Mimic) && turn.is_multiple_of(2) {
            turn_round(segment);
        }
        true
    };
    let training = benign_windows(&folder.join("train.pcap.gz"), noise.as_ref());
    let test =
        labelled_windows(&folder.join("test.pcap.gz"), &labels(&folder), noise.as_ref(), &mut edit);
    Some(Case { name: format!("{name} {stress:?}"), devices: vec![device], training, test })
}
