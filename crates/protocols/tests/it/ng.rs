//! pcapng by hand-made bytes: byte orders, sections, interfaces, time units, damage.

use protocols::capture::{CaptureError, CaptureReader, MAX_BLOCK_BYTES, MAX_FRAME_BYTES};
use protocols::packet::LinkType;

/// Builds a pcapng file block by block.
#[derive(Clone)]
pub(crate) struct Builder {
    pub(crate) bytes: Vec<u8>,
    big: bool,
}

impl Builder {
    pub(crate) fn new(big: bool) -> Self {
        let mut builder = Self { bytes: Vec::new(), big };
        builder.section(big);
        builder
    }

    fn half(&self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn word(&self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn section(&mut self, big: bool) -> &mut Self {
        self.big = big;
        let mut body = self.word(0x1a2b_3c4d).to_vec();
        body.extend(self.half(1));
        body.extend(self.half(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let padded = body.len().next_multiple_of(4);
        let length = self.word(padded as u32 + 12);
        self.bytes.extend(self.word(kind));
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(length);
        self
    }

    pub(crate) fn interface(
        &mut self,
        link: u16,
        snap: u32,
        options: &[(u16, &[u8])],
    ) -> &mut Self {
        let mut body = self.half(link).to_vec();
        body.extend([0, 0]);
        body.extend(self.word(snap));
        for (code, value) in options {
            body.extend(self.half(*code));
            body.extend(self.half(value.len() as u16));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        body.extend([0; 4]);
        self.block(1, &body)
    }

    pub(crate) fn enhanced(&mut self, interface: u32, units: u64, frame: &[u8]) -> &mut Self {
        let mut body = self.word(interface).to_vec();
        body.extend(self.word((units >> 32) as u32));
        body.extend(self.word(units as u32));
        body.extend(self.word(frame.len() as u32));
        body.extend(self.word(frame.len() as u32 + 2));
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        // A comment option behind the frame.
        body.extend(self.half(1));
        body.extend(self.half(3));
        body.extend(b"hey\0");
        body.extend([0; 4]);
        self.block(6, &body)
    }

    fn simple(&mut self, frame: &[u8], wire: u32) -> &mut Self {
        let mut body = self.word(wire).to_vec();
        body.extend(frame);
        self.block(3, &body)
    }

    fn old_packet(&mut self, interface: u16, units: u64, frame: &[u8]) -> &mut Self {
        let mut body = self.half(interface).to_vec();
        body.extend(self.half(9));
        body.extend(self.word((units >> 32) as u32));
        body.extend(self.word(units as u32));
        body.extend(self.word(frame.len() as u32));
        body.extend(self.word(frame.len() as u32));
        body.extend(frame);
        self.block(2, &body)
    }
}

#[test]
fn all_packet_blocks_are_read_in_both_byte_orders() {
    for big in [false, true] {
        let mut file = Builder::new(big);
        file.interface(1, 0, &[])
            .enhanced(0, 1_500_000_000_000_001, b"enhanced")
            .simple(b"simple", 6)
            .old_packet(0, 1_500_000_001_000_000, b"old")
            .block(5, &[0; 12])
            .block(0xbad, b"custom words");
        let mut reader = CaptureReader::new(&file.bytes);
        let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        let seen: Vec<_> =
            frames.iter().map(|f| (f.ts_ns, f.captured, f.wire_len, f.index)).collect();
        assert_eq!(
            seen,
            [
                (1_500_000_000_000_001_000, b"enhanced".as_slice(), 10, 0),
                (1_500_000_000_000_001_000, b"simple".as_slice(), 6, 1),
                (1_500_000_001_000_000_000, b"old".as_slice(), 3, 2),
            ]
        );
        let stats = reader.stats();
        assert_eq!((stats.frames, stats.sections, stats.skipped_blocks), (3, 1, 2));
        assert_eq!(stats.frames_without_time, 1);
    }
}

#[test]
fn a_simple_packet_is_cut_at_the_snap_length() {
    let mut file = Builder::new(false);
    file.interface(1, 4, &[]).simple(b"abcd", 1500);
    let frame = CaptureReader::new(&file.bytes).next().unwrap().unwrap();
    assert_eq!((frame.captured, frame.wire_len), (b"abcd".as_slice(), 1500));
}

#[test]
fn sections_and_interfaces_keep_to_themselves() {
    let mut file = Builder::new(false);
    file.interface(1, 0, &[]).interface(101, 0, &[(9, &[9])]);
    file.enhanced(1, 77, b"raw").enhanced(0, 77, b"ethernet");
    file.section(true).interface(113, 0, &[]).enhanced(0, 5, b"cooked");
    let seen: Vec<_> =
        CaptureReader::new(&file.bytes).map(|f| f.map(|f| (f.link, f.ts_ns)).unwrap()).collect();
    assert_eq!(
        seen,
        [(LinkType::RAW, 77), (LinkType::ETHERNET, 77_000), (LinkType::LINUX_SLL, 5000)]
    );
}

/// One frame at `units` with the given resolution and offset, as nanoseconds.
fn time(resolution: u8, offset_s: i64, units: u64) -> (i64, u64) {
    let mut file = Builder::new(true);
    file.interface(1, 0, &[(9, &[resolution]), (14, &offset_s.to_be_bytes())]);
    file.enhanced(0, units, b"x");
    let mut reader = CaptureReader::new(&file.bytes);
    let frame = reader.next().unwrap().unwrap();
    (frame.ts_ns, reader.stats().clamped_times)
}

#[test]
fn time_units_become_nanoseconds() {
    assert_eq!(time(6, 0, 1_533_042_911_474_174), (1_533_042_911_474_174_000, 0));
    assert_eq!(time(9, 0, 1_533_042_911_474_174_001), (1_533_042_911_474_174_001, 0));
    assert_eq!(time(3, 0, 1_533_042_911_474), (1_533_042_911_474_000_000, 0));
    assert_eq!(time(0, 0, 7), (7_000_000_000, 0));
    assert_eq!(time(12, 0, 1_999), (1, 0), "picoseconds are cut off");
    assert_eq!(time(127, 0, u64::MAX), (0, 0));
    // Powers of two: 2^-10 s, and the finest.
    assert_eq!(time(0x80 | 10, 0, 1024 + 512), (1_500_000_000, 0));
    assert_eq!(time(0xff, 0, u64::MAX), (0, 0));
}

#[test]
fn a_time_offset_is_added_and_what_does_not_fit_is_clamped_and_counted() {
    assert_eq!(time(6, 1_500_000_000, 1), (1_500_000_000_000_001_000, 0));
    assert_eq!(time(6, -2, 1), (-1_999_999_000, 0));
    assert_eq!(time(0, 0, u64::MAX), (i64::MAX, 1));
    assert_eq!(time(6, i64::MIN, 0), (i64::MIN, 1));
}

/// The error a damaged file ends in, after `frames` good frames.
fn failure(bytes: &[u8], frames: usize) -> CaptureError {
    let mut reader = CaptureReader::new(bytes);
    for _ in 0..frames {
        reader.next().unwrap().unwrap();
    }
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(reader.next(), None, "one error, then the end");
    error
}

#[test]
fn every_cut_is_told_with_its_place() {
    let mut file = Builder::new(false);
    file.interface(1, 0, &[]).enhanced(0, 1, b"first");
    let whole = file.bytes.len();
    file.enhanced(0, 2, b"second");
    let second = file.bytes.len();
    file.block(5, &[0; 64]);
    for cut in (whole + 1..second).chain(second + 1..file.bytes.len()) {
        let (place, frames) = if cut < second { (whole, 1) } else { (second, 2) };
        let error = failure(&file.bytes[..cut], frames);
        let CaptureError::Truncated { offset, available, needed, frames: before } = error else {
            panic!("cut at {cut}: {error}");
        };
        assert_eq!((offset, available), (place as u64, (cut - place) as u64));
        assert!(needed > available);
        assert_eq!(before, frames as u64);
    }
}

#[test]
fn damaged_blocks_are_refused() {
    let start = Builder::new(false);
    let at = start.bytes.len() as u64;
    let mut described = start.clone();
    described.interface(1, 0, &[]);
    let place = described.bytes.len();

    let error = failure(&{ start.clone().enhanced(0, 1, b"x").bytes.clone() }, 0);
    assert_eq!(error, CaptureError::UnknownInterface { offset: at, interface: 0, known: 0 });

    // Trailing length differs.
    let mut bytes = described.clone().enhanced(0, 1, b"x").bytes.clone();
    let last = bytes.len() - 4;
    bytes[last] ^= 4;
    assert!(failure(&bytes, 0).to_string().contains("two lengths"));

    // Captured length beyond the block, beyond the limit.
    for (length, words) in [(64, "runs over"), (MAX_FRAME_BYTES + 1, "limit is 262144")] {
        let mut bytes = described.clone().enhanced(0, 1, b"x").bytes.clone();
        bytes[place + 20..place + 24].copy_from_slice(&length.to_le_bytes());
        let error = failure(&bytes, 0).to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains(&format!("byte {place}")), "{error}");
    }

    // Block lengths that are none.
    for (length, words) in [(8, "shorter"), (13, "multiple"), (MAX_BLOCK_BYTES + 4, "1048576")] {
        let mut bytes = described.clone().enhanced(0, 1, b"x").bytes.clone();
        bytes[place + 4..place + 8].copy_from_slice(&length.to_le_bytes());
        let error = failure(&bytes, 0).to_string();
        assert!(error.contains(words), "{error}");
    }

    // An option that runs over its block.
    let mut bytes = start.bytes.clone();
    let mut bad = Builder { bytes: Vec::new(), big: false };
    bad.block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 200, 0, 0, 0, 0, 0]);
    bytes.extend(bad.bytes);
    assert!(failure(&bytes, 0).to_string().contains("option"));
}

#[test]
fn a_section_without_byte_order_or_of_another_version_is_refused() {
    let mut bytes = Builder::new(false).bytes;
    bytes[8] = 0;
    assert!(failure(&bytes, 0).to_string().contains("byte-order"));
    let mut bytes = Builder::new(false).bytes;
    bytes[12] = 2;
    assert!(matches!(failure(&bytes, 0), CaptureError::Version { major: 2, .. }));
}

#[test]
fn interfaces_are_bounded() {
    let mut file = Builder::new(false);
    for _ in 0..=protocols::capture::MAX_INTERFACES {
        file.interface(1, 0, &[]);
    }
    let error = failure(&file.bytes, 0);
    assert!(matches!(error, CaptureError::TooManyInterfaces { .. }), "{error}");
}

#[test]
fn a_huge_block_without_frames_is_passed_over() {
    let mut file = Builder::new(false);
    file.block(10, &vec![0; MAX_BLOCK_BYTES as usize * 2]);
    file.interface(1, 0, &[]).enhanced(0, 1, b"behind");
    let mut reader = CaptureReader::new(&file.bytes);
    assert_eq!(reader.next().unwrap().unwrap().captured, b"behind");
    assert_eq!(reader.stats().skipped_blocks, 1);
}
