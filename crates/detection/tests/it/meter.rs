//! A made-up meter that reports to its server, window by window, and what can be done to it.

use analytics::host::Host;
use analytics::metrics::{COUNTS, Metric};
use analytics::record::{KeyCount, RECORD_VERSION, WindowRecord};
use model::Timestamp;
use ports::WindowBatch;

/// Length of a window.
pub(crate) const WINDOW_US: i64 = 10_000_000;
/// Start of the first window: 2026-01-05, a Monday.
const BEGIN_US: i64 = 1_767_571_200_000_000;

/// A small stream of draws; the same place gives the same number.
fn draw(device: u8, place: i64) -> f64 {
    let mut z = (place as u64 ^ (u64::from(device) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

pub(crate) fn host(text: &str) -> Host {
    text.parse().unwrap()
}

/// The window at a place: about 20 packets and 4 kB out, times `scale`.
pub(crate) fn window(device: u8, place: i64, scale: f64) -> WindowRecord {
    let mut record: WindowRecord = serde_json::from_value(serde_json::json!({
        "version": RECORD_VERSION,
        "device": format!("192.168.7.{device}"),
        "mac": format!("02:00:00:00:07:{device:02x}"),
        "start_us": BEGIN_US + place * WINDOW_US,
        "end_us": BEGIN_US + (place + 1) * WINDOW_US,
        "counts": vec![0; COUNTS], "keys": [], "overflow_packets": 0,
    }))
    .unwrap();
    let packets = (20.0 * (0.85 + 0.3 * draw(device, place))).round();
    let bytes = (packets * 200.0 * scale).round();
    for (metric, value) in [
        (Metric::PacketsOut, packets),
        (Metric::PacketsIn, (packets / 2.0).round()),
        (Metric::BytesOut, bytes),
        (Metric::BytesIn, (packets * 60.0).round()),
        (Metric::Peers, 1.0),
        (Metric::ServicePorts, 1.0),
        (Metric::MeanSizeOut, (bytes / packets).round()),
        (Metric::MeanSizeIn, 120.0),
    ] {
        record.counts[metric.index()] = value as u64;
    }
    let peer = host("198.51.100.5");
    record.keys = vec![KeyCount::new(peer, 6, 443, packets as u32)];
    record
}

/// Windows `from..to` of an everyday life.
pub(crate) fn life_of(device: u8, places: std::ops::Range<i64>) -> Vec<WindowRecord> {
    places.map(|place| window(device, place, 1.0)).collect()
}

/// The same window, with a few packets to somebody else as well.
pub(crate) fn meets(mut record: WindowRecord, peer: &str, port: u16) -> WindowRecord {
    record.keys.push(KeyCount::new(host(peer), 6, port, 3));
    record.counts[Metric::Peers.index()] += 1;
    record
}

/// Batches of an edge, numbered from `seq`.
pub(crate) fn batches(records: &[WindowRecord], seq: u64, size: usize) -> Vec<WindowBatch> {
    records
        .chunks(size)
        .zip(seq..)
        .map(|(records, seq)| WindowBatch {
            edge: "meter-gw".into(),
            epoch: 1,
            seq,
            complete_to: Timestamp::from_micros(records.last().unwrap().end_us),
            records: serde_json::to_value(records).unwrap(),
        })
        .collect()
}
