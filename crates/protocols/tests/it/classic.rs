//! Classic pcap by hand-made bytes: the four magic numbers, odd frames, damage.

use protocols::capture::{CaptureError, CaptureReader, MAX_FRAME_BYTES};
use protocols::packet::LinkType;

/// Header fields after the magic number, in the order of `put`.
fn header(magic: u32, link: u32, put: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = put(magic).to_vec();
    // Versions are two halves: the order within the word depends on the byte order.
    if put(1) == 1_u32.to_le_bytes() {
        bytes.extend([2, 0, 4, 0]);
    } else {
        bytes.extend([0, 2, 0, 4]);
    }
    for word in [0, 0, 65535, link] {
        bytes.extend(put(word));
    }
    bytes
}

fn record(
    seconds: u32,
    fraction: u32,
    frame: &[u8],
    wire: u32,
    put: fn(u32) -> [u8; 4],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [seconds, fraction, frame.len() as u32, wire] {
        bytes.extend(put(word));
    }
    bytes.extend(frame);
    bytes
}

fn check(magic: u32, put: fn(u32) -> [u8; 4], ts_ns: i64) {
    let mut bytes = header(magic, 1, put);
    bytes.extend(record(1_533_042_911, 474_174, b"frame", 60, put));
    let mut reader = CaptureReader::new(&bytes);
    let frame = reader.next().unwrap().unwrap();
    assert_eq!(frame.ts_ns, ts_ns);
    assert_eq!(frame.captured, b"frame");
    assert_eq!((frame.wire_len, frame.link, frame.index), (60, LinkType::ETHERNET, 0));
    assert_eq!(reader.next(), None);
    assert_eq!(reader.stats().frames, 1);
}

#[test]
fn the_four_magic_numbers_are_read() {
    check(0xa1b2_c3d4, u32::to_le_bytes, 1_533_042_911_474_174_000);
    check(0xa1b2_c3d4, u32::to_be_bytes, 1_533_042_911_474_174_000);
    check(0xa1b2_3c4d, u32::to_le_bytes, 1_533_042_911_000_474_174);
    check(0xa1b2_3c4d, u32::to_be_bytes, 1_533_042_911_000_474_174);
}

#[test]
fn a_capture_without_frames_is_fine() {
    let bytes = header(0xa1b2_c3d4, 1, u32::to_le_bytes);
    assert_eq!(CaptureReader::new(&bytes).count(), 0);
}

#[test]
fn only_the_lower_half_of_the_link_field_is_the_link_type() {
    let mut bytes = header(0xa1b2_c3d4, 0x5400_0071, u32::to_be_bytes);
    bytes.extend(record(1, 0, b"x", 1, u32::to_be_bytes));
    let frame = CaptureReader::new(&bytes).next().unwrap().unwrap();
    assert_eq!(frame.link, LinkType::LINUX_SLL);
}

#[test]
fn disorder_ten_year_gaps_empty_and_jumbo_frames_are_delivered() {
    let put = u32::to_le_bytes;
    let jumbo = vec![7; MAX_FRAME_BYTES as usize];
    let mut bytes = header(0xa1b2_c3d4, 1, put);
    bytes.extend(record(1_000_000_000, 0, b"a", 1, put));
    bytes.extend(record(1_315_360_000, 0, b"", 0, put));
    bytes.extend(record(999_999_999, 999_999, &jumbo, MAX_FRAME_BYTES, put));
    // Latest time the format holds, with a fraction that is none.
    bytes.extend(record(u32::MAX, u32::MAX, b"z", 1, put));
    let frames: Vec<_> = CaptureReader::new(&bytes).collect::<Result<_, _>>().unwrap();
    let times: Vec<_> = frames.iter().map(|frame| frame.ts_ns).collect();
    assert_eq!(
        times,
        [
            1_000_000_000_000_000_000,
            1_315_360_000_000_000_000,
            999_999_999_999_999_000,
            4_294_967_295_000_000_000 + 4_294_967_295_000
        ]
    );
    let lengths: Vec<_> = frames.iter().map(|frame| frame.captured.len()).collect();
    assert_eq!(lengths, [1, 0, MAX_FRAME_BYTES as usize, 1]);
}

#[test]
fn a_cut_capture_gives_the_frames_before_the_cut_then_one_error() {
    let put = u32::to_le_bytes;
    let mut bytes = header(0xa1b2_c3d4, 1, put);
    bytes.extend(record(1, 0, b"whole", 5, put));
    let second = bytes.len();
    bytes.extend(record(2, 0, b"broken", 6, put));
    for cut in second + 1..bytes.len() {
        let mut reader = CaptureReader::new(&bytes[..cut]);
        assert_eq!(reader.next().unwrap().unwrap().captured, b"whole");
        let error = reader.next().unwrap().unwrap_err();
        let needed = if cut - second < 16 { 16 } else { 22 };
        let available = (cut - second) as u64;
        let expected =
            CaptureError::Truncated { offset: second as u64, needed, available, frames: 1 };
        assert_eq!(error, expected);
        assert!(error.to_string().contains(&format!("byte {second}")), "{error}");
        assert_eq!(reader.next(), None, "one error, then the end");
    }
}

#[test]
fn a_cut_file_header_is_an_error() {
    let bytes = header(0xa1b2_c3d4, 1, u32::to_le_bytes);
    for cut in 4..24 {
        let error = CaptureReader::new(&bytes[..cut]).next().unwrap().unwrap_err();
        assert!(matches!(error, CaptureError::Truncated { offset: 0, needed: 24, .. }), "{error}");
    }
}

#[test]
fn what_is_no_capture_is_named() {
    for (bytes, words) in [
        (b"".as_slice(), "empty"),
        (b"\xd4\xc3", "d4c3"),
        (b"GET / HTTP/1.1", "47455420"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"\x28\xb5\x2f\xfdrest", "zstd"),
        (b"\x34\xcd\xb2\xa1rest", "editcap"),
    ] {
        let mut reader = CaptureReader::new(bytes);
        let error = reader.next().unwrap().unwrap_err();
        assert!(matches!(error, CaptureError::UnknownMagic { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(reader.next(), None);
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_by_place_and_limit() {
    let put = u32::to_le_bytes;
    let mut bytes = header(0xa1b2_c3d4, 1, put);
    bytes.extend(record(1, 0, b"fine", 4, put));
    let place = bytes.len() as u64;
    for word in [2, 0, MAX_FRAME_BYTES + 1, MAX_FRAME_BYTES + 1] {
        bytes.extend(put(word));
    }
    let mut reader = CaptureReader::new(&bytes);
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    let expected = CaptureError::FrameTooLong {
        offset: place,
        index: 1,
        length: MAX_FRAME_BYTES + 1,
        form: "pcap",
    };
    assert_eq!(error, expected);
    let words = error.to_string();
    assert!(words.contains("262144") && words.contains(&place.to_string()), "{words}");
}

#[test]
fn another_version_is_refused_and_the_oldest_ones_are_read() {
    let put = u32::to_le_bytes;
    let mut bytes = header(0xa1b2_c3d4, 1, put);
    bytes[4] = 3;
    let error = CaptureReader::new(&bytes).next().unwrap().unwrap_err();
    assert!(matches!(error, CaptureError::Version { major: 3, minor: 4, .. }), "{error}");
    // Version 2.2 wrote the length on the wire first.
    let mut bytes = header(0xa1b2_c3d4, 1, put);
    bytes[6] = 2;
    for word in [1, 0, 60, 3] {
        bytes.extend(put(word));
    }
    bytes.extend(b"abc");
    let frame = CaptureReader::new(&bytes).next().unwrap().unwrap();
    assert_eq!((frame.captured, frame.wire_len), (b"abc".as_slice(), 60));
}
