//! Cost of cutting windows (per packet) and of judging them (per window).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use analytics::detector::Detector;
use analytics::host::Host;
use analytics::model_file::ModelFile;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, train, train_one};
use analytics::windows::{Class, DEFAULT_WINDOW_US, Segment, WindowConfig, Windower};
use divan::counter::ItemsCount;

const PACKETS: usize = 100_000;
const DEVICES: usize = 20;

fn main() {
    divan::main();
}

/// Twenty devices that talk to a few services each, a packet every four milliseconds.
fn packets() -> Vec<(i64, Segment)> {
    (0..PACKETS)
        .map(|turn| {
            let device = Host::v4([192, 168, 1, (turn % DEVICES) as u8 + 1].into());
            let peer =
                Host::v4([203, 0, 113, (turn * 7 % 5) as u8 + (turn % DEVICES) as u8].into());
            let outgoing = turn * 13 % 3 != 0;
            let (src, dst) = if outgoing { (device, peer) } else { (peer, device) };
            let segment = Segment {
                src: Some(src),
                dst: Some(dst),
                class: Class::Udp,
                protocol: 17,
                src_port: if outgoing { 40_000 } else { 53 },
                dst_port: if outgoing { 53 } else { 40_000 },
                ..Segment::frame(80 + (turn * turn % 900) as u32)
            };
            (turn as i64 * 4_000_000, segment)
        })
        .collect()
}

fn cut(packets: &[(i64, Segment)]) -> Vec<WindowRecord> {
    let mut windower = Windower::new(WindowConfig::default()).unwrap();
    for (ts_ns, segment) in packets {
        windower.push_segment(*ts_ns, segment);
    }
    windower.finish();
    windower.take_ready()
}

#[divan::bench]
fn cut_windows(bencher: divan::Bencher<'_, '_>) {
    let packets = packets();
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| cut(&packets));
}

/// Judges windows that all differ, so that no remembered judgement helps.
#[divan::bench]
fn judge_windows(bencher: divan::Bencher<'_, '_>) {
    let mut records = cut(&packets());
    let options = TrainOptions::default();
    let trained = train(&records, &options, |_| {}).unwrap();
    let file = ModelFile::new(trained, &options, DEFAULT_WINDOW_US, DevicePolicy::Local);
    // The pooled model has seen enough windows for its network; no device has.
    let mut detector = Detector::new(ModelFile { devices: Vec::new(), ..file });
    let mut turn = 0;
    bencher.counter(ItemsCount::new(records.len())).bench_local(|| {
        turn += 1;
        for record in &mut records {
            record.counts[2] = record.counts[2] % 100_000 + turn;
            divan::black_box(detector.judge(record));
        }
    });
}

/// Windows of one device, each with a few conversations of uneven length.
fn device_windows(count: usize) -> Vec<WindowRecord> {
    let device = Host::v4([192, 168, 1, 1].into());
    let packets: Vec<(i64, Segment)> = (0..count * 20)
        .map(|turn| {
            let peer = Host::v4([203, 0, 113, (turn * turn / 7 % 4) as u8].into());
            let (src, dst) = if turn % 3 == 0 { (peer, device) } else { (device, peer) };
            let size = 80 + (turn * turn % 900) as u32;
            let segment = Segment {
                src: Some(src),
                dst: Some(dst),
                class: Class::Udp,
                protocol: 17,
                src_port: if src == device { 40_000 } else { 53 },
                dst_port: if src == device { 53 } else { 40_000 },
                ..Segment::frame(size)
            };
            (turn as i64 * 500_000_000 + (turn as i64 * 7_919) % 90_000_000, segment)
        })
        .collect();
    let mut records = cut(&packets);
    records.truncate(count);
    records
}

/// The shipped ensemble with everything it looks back on, windows that all differ.
#[divan::bench]
fn judge_device_windows(bencher: divan::Bencher<'_, '_>) {
    let mut records = device_windows(6_000);
    let options = TrainOptions::default();
    let trained = train(&records, &options, |_| {}).unwrap();
    let file = ModelFile::new(trained, &options, DEFAULT_WINDOW_US, DevicePolicy::Local);
    let mut detector = Detector::new(file);
    let mut turn = 0;
    bencher.counter(ItemsCount::new(records.len())).bench_local(|| {
        turn += 1;
        for record in &mut records {
            record.counts[2] = record.counts[2] % 100_000 + turn;
            record.start_us += 100_000_000_000;
            record.end_us += 100_000_000_000;
            divan::black_box(detector.judge(record));
        }
    });
}

/// One device, one model.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn train_6000_windows(bencher: divan::Bencher<'_, '_>) {
    let records = device_windows(6_000);
    let device = records.first().map(|record| record.device);
    let options = TrainOptions::default();
    bencher
        .counter(ItemsCount::new(records.len()))
        .bench_local(|| train_one(device, records.iter().collect(), &options).unwrap());
}
