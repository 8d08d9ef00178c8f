//! The shipped capture as an edge would send it.

use std::fs::File;
use std::path::PathBuf;

use analytics::host::Host;
use analytics::record::WindowRecord;
use analytics::windows::{Segment, WindowConfig, Windower};
use flate2::read::GzDecoder;
use model::Timestamp;
use ports::WindowBatch;
use protocols::capture::CaptureStream;
use protocols::packet::decode;

/// The edge's name in these tests.
pub(crate) const EDGE: &str = "harbour-gw";
/// The device of the capture.
pub(crate) const DEVICE: &str = "192.168.100.113";

/// Every window of the capture's device, training part first, as one stream.
pub(crate) fn windows() -> Vec<WindowRecord> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
    let files = ["hakai-train.pcap.gz", "hakai-test.pcap.gz"].map(|name| folder.join(name));
    windows_of(&files, DEVICE)
}

/// Every window of one device in these captures, as one stream.
pub(crate) fn windows_of(files: &[PathBuf], device: &str) -> Vec<WindowRecord> {
    // As a gateway does: windows of every local host, of which one stands on the device side.
    let device: Host = device.parse().unwrap();
    let mut windower = Windower::new(WindowConfig::default()).unwrap();
    let mut records = Vec::new();
    for file in files {
        let mut stream = CaptureStream::new(GzDecoder::new(File::open(file).unwrap()));
        while let Some(frame) = stream.next_frame() {
            let frame = frame.unwrap();
            if let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) {
                windower.push_segment(frame.ts_ns, &Segment::from(&packet));
                records.append(&mut windower.take_ready());
            }
        }
    }
    windower.finish();
    records.append(&mut windower.take_ready());
    records.retain(|record| record.device == device);
    records
}

/// The windows in batches of `size`, numbered from 1.
pub(crate) fn batches(records: &[WindowRecord], epoch: u64, size: usize) -> Vec<WindowBatch> {
    records
        .chunks(size)
        .zip(1..)
        .map(|(records, seq)| WindowBatch {
            edge: EDGE.into(),
            epoch,
            seq,
            complete_to: Timestamp::from_micros(records.last().unwrap().end_us),
            records: serde_json::to_value(records).unwrap(),
            devices: serde_json::Value::Null,
            operations: serde_json::Value::Null,
        })
        .collect()
}
