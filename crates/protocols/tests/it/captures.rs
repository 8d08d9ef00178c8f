//! The shipped captures, and all those of the developer data.

use std::collections::BTreeMap;
use std::path::Path;

use protocols::capture::{CaptureError, CaptureReader, CaptureStream};
use protocols::packet::{LinkType, Transport, decode};

use crate::data;

#[test]
fn the_shipped_captures_hold_what_their_readme_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
    for (name, frames, first_us, last_us) in [
        ("hakai-train.pcap.gz", 431, 1_533_042_911_474_174, 1_533_046_466_491_446),
        ("hakai-test.pcap.gz", 23_192, 1_533_046_525_471_380, 1_533_129_306_734_905),
    ] {
        let packed = std::fs::File::open(folder.join(name)).unwrap();
        let mut stream = CaptureStream::new(flate2::read::GzDecoder::new(packed));
        let (mut times, mut attack) = (Vec::new(), 0);
        while let Some(frame) = stream.next_frame() {
            let frame = frame.unwrap();
            times.push(frame.ts_ns / 1000);
            let view = decode(frame.link, frame.captured, frame.wire_len).unwrap();
            assert_eq!(view.flaw, None, "{name} frame {}", frame.index);
            attack += u64::from(matches!(view.transport, Transport::Tcp { dst_port: 50, .. }));
        }
        assert_eq!(times.len(), frames, "{name}");
        assert_eq!((times[0], *times.last().unwrap()), (first_us, last_us), "{name}");
        assert_eq!(attack, if frames == 431 { 0 } else { 12_334 }, "{name}");
    }
}

/// Every capture is read to its end, every link type that occurs has a decoder, and what is
/// flawed is a known small part.
#[test]
fn all_developer_captures_are_read() {
    let Some(detection) = data::detection() else { return };
    let Some(archives) = data::unpack_archives(&detection) else { return };
    let mut files = data::captures_below(&detection);
    files.extend(data::captures_below(archives.path()));
    assert!(files.len() > 500, "{} captures", files.len());
    let mut links: BTreeMap<LinkType, u64> = BTreeMap::new();
    let (mut frames, mut flaws, mut cut) = (0_u64, 0_u64, Vec::new());
    for path in &files {
        let bytes = data::read(path);
        for item in CaptureReader::new(&bytes) {
            match item {
                Ok(frame) => {
                    frames += 1;
                    *links.entry(frame.link).or_default() += 1;
                    let view = decode(frame.link, frame.captured, frame.wire_len);
                    let view = view.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    flaws += u64::from(view.flaw.is_some());
                }
                Err(CaptureError::Truncated { .. }) => cut.push(path.clone()),
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }
    eprintln!("{} captures, {frames} frames, {flaws} flawed, {links:?}", files.len());
    eprintln!("cut off: {cut:?}");
    let kinds: Vec<_> = links.keys().copied().collect();
    assert_eq!(kinds, [LinkType::NULL, LinkType::ETHERNET, LinkType::IEEE802154]);
    assert_eq!(cut.len(), 1, "one capture of the set is cut off");
    assert!(flaws * 1000 < frames, "{flaws} flawed of {frames}");
}
