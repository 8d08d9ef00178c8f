//! Entry points of the fuzz targets, shared with the test that replays the corpus.

use crate::capture::{CaptureReader, CaptureStream};
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
