#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use analytics::commands::Summary;
use analytics::metrics::Metric;
use ports::WindowBatch;
use ports::edge::{self, FromEdge};
use serde_json::Value;

use super::*;

const MASTER: [u8; 6] = [2, 0, 0, 0, 0, 100];
const PLC: [u8; 6] = [2, 0, 0, 0, 0, 104];

/// A frame between the master (192.168.1.100) and the PLC (192.168.1.104, port 502).
fn frame(to_plc: bool, (seq, ack): (u32, u32), flags: u8, data: &[u8]) -> Vec<u8> {
    let (src, dst) = if to_plc { (MASTER, PLC) } else { (PLC, MASTER) };
    let mut bytes = [dst, src].concat();
    bytes.extend([0x08, 0x00, 0x45, 0]);
    bytes.extend((40 + data.len() as u16).to_be_bytes());
    bytes.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 192, 168, 1, src[5], 192, 168, 1, dst[5]]);
    let ports: [u16; 2] = if to_plc { [40_000, 502] } else { [502, 40_000] };
    ports.iter().for_each(|port| bytes.extend(port.to_be_bytes()));
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(data);
    bytes
}

/// Frames of a connection that reads register 0 every second and writes one register once.
fn capture(seconds: u32) -> Vec<(i64, Vec<u8>)> {
    let mut frames = vec![
        (0, frame(true, (99, 0), 0x02, &[])),
        (1_000_000, frame(false, (499, 100), 0x12, &[])),
    ];
    let mut seq = 100;
    for second in 1..=seconds {
        let pdu: [u8; 5] = if second == 15 { [6, 0, 40, 2, 188] } else { [3, 0, 0, 0, 1] };
        let adu = [&[0, 1, 0, 0, 0, 6, 1][..], &pdu].concat();
        frames.push((i64::from(second) * 1_000_000_000, frame(true, (seq, 500), 0x18, &adu)));
        seq += adu.len() as u32;
    }
    frames
}

fn watch(outbox: &Arc<Outbox>, side: DeviceSide, waits: bool) -> Watch {
    let mut watch = Watch::new("e", Arc::clone(outbox), Arc::default(), side, waits).unwrap();
    watch.start(7).unwrap();
    watch
}

/// As if what waits had waited long enough.
fn settle(watch: &mut Watch) {
    (watch.told_at, watch.pending_since) = (Duration::ZERO, Some(Duration::ZERO));
    watch.settle();
}

fn told(outbox: &Outbox) -> Vec<Summary> {
    outbox.welcome(7, None);
    let mut summaries = Vec::new();
    while let Some(mut frame) = outbox.next(Duration::ZERO) {
        if let Some(FromEdge::Windows(batch)) = edge::decode(&mut frame).unwrap()
            && !batch.operations.is_null()
        {
            let reports: Vec<Report> = serde_json::from_value(batch.operations).unwrap();
            summaries.extend(reports.into_iter().map(|report| match report {
                Report::Commands(summary) => summary,
                other => panic!("{other:?}"),
            }));
        }
    }
    summaries
}

#[test]
fn commands_go_with_the_windows_once_their_window_is_over() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Listed(HashSet::from([PLC])), true);
    for (at_ns, bytes) in capture(25) {
        watch.frame(at_ns, LinkType::ETHERNET, &bytes, bytes.len() as u32, false);
    }
    watch.advance(26_500_000_000);
    settle(&mut watch);
    let before: Vec<i64> = told(&outbox).iter().map(|summary| summary.start_us).collect();
    assert_eq!(before, [0, 10_000_000], "only windows that are over");
    watch.finish();
    let all = told(&outbox);
    assert_eq!(
        all.iter().map(|summary| summary.start_us).collect::<Vec<_>>(),
        [0, 10_000_000, 20_000_000]
    );
    let counts: Vec<u64> = all.iter().map(Summary::operations).collect();
    assert_eq!(counts, [9, 10, 6]);
    let write = all[1].entries.iter().find(|entry| entry.function == 6).unwrap();
    assert_eq!((write.values.as_slice(), write.first_us), (&[700.0][..], 15_000_000));
    let stats = watch.stats();
    assert_eq!((stats.operations, stats.operations_untold, stats.operations_late), (25, 0, 0));
}

#[test]
fn messages_are_counted_in_the_windows_of_their_ends() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Listed(HashSet::from([PLC])), true);
    for (at_ns, bytes) in capture(25) {
        watch.frame(at_ns, LinkType::ETHERNET, &bytes, bytes.len() as u32, false);
    }
    watch.finish();
    outbox.welcome(7, None);
    let mut counts = Vec::new();
    while let Some(mut frame) = outbox.next(Duration::ZERO) {
        if let Some(FromEdge::Windows(batch)) = edge::decode(&mut frame).unwrap() {
            let records: Vec<WindowRecord> = serde_json::from_value(batch.records).unwrap();
            let of = |record: &WindowRecord| {
                [Metric::IndustrialReads, Metric::IndustrialWrites].map(|own| record.count(own))
            };
            counts.extend(records.iter().map(of));
        }
    }
    assert_eq!(counts, [[9, 0], [9, 1], [6, 0]], "as the commands have it");
    assert_eq!(watch.stats().messages_late, 0);
}

#[test]
fn who_is_not_on_the_device_side_is_not_told() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Listed(HashSet::from([[9; 6]])), true);
    for (at_ns, bytes) in capture(25) {
        watch.frame(at_ns, LinkType::ETHERNET, &bytes, bytes.len() as u32, false);
    }
    watch.finish();
    assert!(told(&outbox).is_empty());
    assert_eq!(watch.stats().operations, 0);
}

#[test]
fn what_the_node_cannot_take_waits_and_what_must_go_is_counted() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Everybody, false);
    // The node is away: the outbox is filled by others.
    while !outbox.full() {
        let batch = WindowBatch {
            edge: "e".into(),
            epoch: 0,
            seq: 0,
            complete_to: Timestamp::from_secs(0),
            records: Value::Null,
            devices: Value::Null,
            operations: Value::Null,
        };
        outbox.push(batch, 0, false);
    }
    for (at_ns, bytes) in capture(25) {
        watch.frame(at_ns, LinkType::ETHERNET, &bytes, bytes.len() as u32, false);
    }
    watch.advance(60_000_000_000);
    assert_eq!(watch.reports.len(), 3, "nothing is given away while nobody takes it");
    outbox.welcome(7, Some(u64::MAX - 1));
    settle(&mut watch);
    let told = told(&outbox);
    assert_eq!(told.iter().map(Summary::operations).sum::<u64>(), 25);
    assert_eq!(watch.stats().operations_untold, 0);
}

/// Starts of the windows told, in seconds.
fn windows(outbox: &Outbox) -> Vec<i64> {
    outbox.welcome(7, None);
    let mut starts = Vec::new();
    while let Some(mut frame) = outbox.next(Duration::ZERO) {
        if let Some(FromEdge::Windows(batch)) = edge::decode(&mut frame).unwrap() {
            let records: Vec<WindowRecord> = serde_json::from_value(batch.records).unwrap();
            starts.extend(records.iter().map(|record| record.start_us / 1_000_000));
        }
    }
    starts.dedup();
    starts
}

fn see(watch: &mut Watch, seconds: impl IntoIterator<Item = i64>) {
    for second in seconds {
        let bytes = frame(true, (1, 1), 0x18, &[]);
        watch.frame(second * 1_000_000_000, LinkType::ETHERNET, &bytes, 54, true);
    }
}

/// One frame of the year 2100 must not end the story of all frames of today.
#[test]
fn a_clock_that_jumps_is_followed_there_and_back() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Everybody, true);
    see(&mut watch, [1_000, 1_011, 4_102_444_800, 1_020, 1_031, 1_042]);
    assert_eq!(watch.at(), Some(Timestamp::from_secs(1_042)));
    watch.finish();
    assert_eq!(windows(&outbox), [1_000, 1_010, 4_102_444_800, 1_020, 1_030, 1_040]);
    assert_eq!(watch.stats().clock_steps, 1);
}

#[test]
fn what_was_told_before_a_restart_is_not_told_again() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Everybody, true).repeatable(Some(1_020_000_000));
    watch.quiet(true);
    see(&mut watch, [1_000, 1_010, 1_019]);
    watch.quiet(false);
    // One more of a window that is told, then new ones; later, the clock is set back for good.
    see(&mut watch, [1_020, 1_019, 1_031, 100, 111]);
    watch.finish();
    assert_eq!(windows(&outbox), [1_020, 1_030, 100, 110]);
    assert_eq!(watch.stats().told_before, 2);
}

#[test]
fn a_million_fake_devices_are_bounded_and_counted() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Everybody, false);
    let mut bytes = frame(true, (1, 1), 0x02, &[]);
    for sender in 0..1_000_000_u32 {
        let [_, number @ ..] = sender.to_be_bytes();
        bytes[9..12].copy_from_slice(&number);
        bytes[26] = 10;
        bytes[27..30].copy_from_slice(&number);
        watch.frame(i64::from(sender) * 1_000, LinkType::ETHERNET, &bytes, 54, true);
    }
    watch.finish();
    let stats = watch.stats();
    let places = analytics::windows::DEFAULT_MAX_DEVICES as u64;
    assert_eq!(stats.frames, 1_000_000);
    assert_eq!(stats.devices_refused, 1_000_000 - places);
    assert!(stats.facts_refused >= 1_000_000 - 2 * places, "{stats:?}");
    assert!(stats.conversations_given_up >= 1_000_000 - 2 * places, "{stats:?}");
    assert!(outbox.unacked().0 <= 2 * crate::outbox::MAX_UNACKED_BATCHES);
    assert!(stats.refused > 0, "the outbox is bounded, and what it refused is counted");
}

#[test]
fn devices_without_a_place_are_counted_through_restarts() {
    let outbox = Arc::new(Outbox::default());
    let mut watch = watch(&outbox, DeviceSide::Listed(HashSet::new()), true);
    let mut bytes = frame(true, (99, 0), 0x02, &[]);
    let places = analytics::inventory::DEFAULT_MAX_DEVICES as u32;
    for number in 0..places + 10 {
        bytes[8..12].copy_from_slice(&number.to_be_bytes());
        watch.frame(1_000_000, LinkType::ETHERNET, &bytes, bytes.len() as u32, false);
    }
    let beyond = watch.stats().facts_refused;
    assert!(beyond >= 10, "{beyond}");
    watch.start(8).unwrap();
    assert_eq!(watch.stats().facts_refused, beyond);
}
