//! Entry points of the fuzz targets, shared with the test that replays the corpus.

mod app;
mod hello;
mod machines;
mod netflow;
mod order;

pub use app::{app, parser};
pub use hello::hello;
pub use machines::machines;
pub use netflow::netflow;
pub use order::{fragments, segments};

use std::io::Read;

use crate::capture::{CaptureReader, CaptureStream, UnpackLimits, Unpacked};
use crate::flow::{Limits, MAX_MESSAGE_BYTES, MAX_PARTIAL_PACKETS, Tracker};
use crate::packet::{LinkType, decode};

/// Most decoders are reached from here; the first byte of the input picks one.
const LINKS: [LinkType; 10] = [
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::RAW,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::IEEE802154,
    LinkType::IEEE802154_NO_FCS,
    LinkType::IPV4,
    LinkType::IPV6,
];

/// Any bytes as a capture: both readers must agree frame by frame, and every frame is decoded.
///
/// # Panics
/// When the readers disagree or a law of the decoder breaks: that is the finding.
pub fn capture(data: &[u8]) {
    let mut reader = CaptureReader::new(data);
    let mut stream = CaptureStream::new(Trickle { data, step: 1 });
    loop {
        let (left, right) = (reader.next(), stream.next_frame());
        assert_eq!(left, right, "the slice reader and the stream reader disagree");
        match left {
            Some(Ok(frame)) => check_decode(frame.link, frame.captured, frame.wire_len),
            Some(Err(error)) => assert!(!error.to_string().is_empty(), "an error without words"),
            None => break,
        }
    }
    assert_eq!(reader.stats(), stream.stats(), "the readers counted differently");
}

/// Any bytes as a packed file: never more than the bound comes out, and reading ends.
///
/// # Panics
/// When more comes out than the bound allows: that is the finding.
pub fn unpack(data: &[u8]) {
    const LIMITS: UnpackLimits = UnpackLimits { window_bytes: 1 << 20, unpacked_bytes: 8 << 20 };
    // Reading from a slice does not fail.
    let Ok(mut source) = Unpacked::new(data, LIMITS) else { return };
    let (mut buffer, mut given) = ([0; 4_096], 0);
    while let Ok(read @ 1..) = source.read(&mut buffer) {
        given += read as u64;
    }
    let most = LIMITS.unpacked_bytes.max(data.len() as u64);
    assert!(given <= most, "{given} bytes came out, the bound is {most}");
}

/// Any bytes as one frame: byte 0 picks the link type, bytes 1 and 2 add to the wire length.
pub fn packet(data: &[u8]) {
    let Some((&[pick, w0, w1], frame)) = data.split_first_chunk::<3>() else {
        return;
    };
    let link = LINKS[usize::from(pick) % LINKS.len()];
    let held = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let wire_len = held.saturating_add(u32::from(u16::from_be_bytes([w0, w1])));
    check_decode(link, frame, wire_len);
}

/// The payload lies inside the frame and the wire length covers what was captured.
fn check_decode(link: LinkType, captured: &[u8], wire_len: u32) {
    let Ok(view) = decode(link, captured, wire_len) else {
        return;
    };
    assert!(view.payload.len() <= captured.len(), "payload longer than the frame");
    assert!(view.wire_len as usize >= captured.len(), "wire length below the captured length");
    assert_eq!(
        Ok(view),
        decode(link, captured, wire_len),
        "the same frame decoded to two different views"
    );
}

/// A source that gives little at a time, to reach the refilling paths of the stream.
struct Trickle<'a> {
    data: &'a [u8],
    step: usize,
}

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.step = self.step % 4099 * 3 + 1;
        let count = self.step.min(buffer.len()).min(self.data.len());
        let (head, rest) = self.data.split_at(count);
        buffer[..count].copy_from_slice(head);
        self.data = rest;
        Ok(count)
    }
}

/// Most packets one input makes.
const FLOW_PACKETS: usize = 512;

/// Any bytes as a script of packets between few ends: a byte picks what comes next, the bytes
/// behind it are ports, sequence numbers, times and payload.
///
/// # Panics
/// When the tracker leaves its bounds or its counts contradict each other: that is the finding.
pub fn flow(data: &[u8]) {
    let limits = Limits { conversations: 8, buffered_bytes: 16 * 1024, ..Limits::default() };
    let mut tracker = Tracker::new(limits);
    let mut script = Script { data };
    let mut frame = Vec::new();
    let (mut ts_ns, mut told) = (0_i64, 0_u64);
    for _ in 0..FLOW_PACKETS {
        let Some(kind) = script.byte() else { break };
        ts_ns = match kind >> 6 {
            3 => ts_ns.wrapping_add(i64::from(script.word()) << 32),
            quiet => ts_ns.wrapping_add(i64::from(quiet) * 1_000_000),
        };
        frame.clear();
        let link = script.frame(kind, &mut frame);
        let cut = u32::from(script.byte().unwrap_or(0) & 0x0f);
        let wire_len = u32::try_from(frame.len()).unwrap_or(u32::MAX).saturating_add(cut);
        let Ok(view) = decode(link, &frame, wire_len) else { continue };
        tracker.push(ts_ns, &view, &mut |sighting| {
            told += 1;
            let mut operations = 0;
            sighting.record.operations(&mut |_| operations += 1);
        });
        let held = tracker.buffered_bytes();
        let most = limits.buffered_bytes + MAX_MESSAGE_BYTES + (MAX_PARTIAL_PACKETS << 17);
        assert!(held <= most, "{held} bytes wait");
        assert!(tracker.stats().open <= limits.conversations as u64, "too many conversations");
    }
    tracker.finish(&mut |_| told += 1);
    let stats = tracker.stats();
    assert_eq!(stats.open, 0, "a conversation stayed");
    let messages: u64 = stats.protocols.met().map(|(_, counts)| counts.messages).sum();
    assert_eq!(messages, told, "messages counted and told differ");
}

/// Reads a script of packets.
struct Script<'a> {
    data: &'a [u8],
}

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*first)
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte().unwrap_or(0), self.byte().unwrap_or(0)])
    }

    fn payload(&mut self, frame: &mut Vec<u8>) {
        let len = usize::from(self.byte().unwrap_or(0)).min(self.data.len());
        let (head, rest) = self.data.split_at(len);
        frame.extend_from_slice(head);
        self.data = rest;
    }

    /// A frame: TCP or UDP between two hosts, a fragment, or an Ethernet frame.
    fn frame(&mut self, kind: u8, frame: &mut Vec<u8>) -> LinkType {
        if kind & 0x0f == 15 {
            frame.extend([1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
            frame.extend(self.word().to_be_bytes());
            self.payload(frame);
            return LinkType::ETHERNET;
        }
        let mut body = Vec::new();
        let port = PORTS[usize::from(kind >> 2) % PORTS.len()];
        let (mut src, mut dst) = (1_u8, 2);
        let mut ports = (40_000_u16, port);
        if kind & 1 != 0 {
            (src, dst, ports) = (dst, src, (port, 40_000));
        }
        let tcp = kind & 2 != 0;
        body.extend(ports.0.to_be_bytes());
        body.extend(ports.1.to_be_bytes());
        if tcp {
            // Around zero, where the numbers wrap.
            let seq = i32::from(self.word().cast_signed()).cast_unsigned();
            let flags = self.byte().unwrap_or(0);
            body.extend(seq.to_be_bytes());
            body.extend([0, 0, 0, self.byte().unwrap_or(0), 0x50, flags & 0x17, 1, 0, 0, 0, 0, 0]);
        } else {
            body.extend([0; 4]);
        }
        self.payload(&mut body);
        let fragment = if kind & 0x3c == 0x38 { self.word() & 0x2003 } else { 0 };
        frame.extend([0x45, 0]);
        frame.extend(u16::try_from(20 + body.len()).unwrap_or(u16::MAX).to_be_bytes());
        frame.extend([0, 1]);
        frame.extend(fragment.to_be_bytes());
        frame.extend([64, if tcp { 6 } else { 17 }, 0, 0, 10, 0, 0, src, 10, 0, 0, dst]);
        frame.append(&mut body);
        LinkType::IPV4
    }
}

/// Ports the parsers are at home on, and one that is nobody's.
const PORTS: [u16; 16] =
    [53, 5353, 67, 1900, 123, 80, 443, 22, 23, 1883, 502, 2404, 102, 20_000, 44_818, 9];
