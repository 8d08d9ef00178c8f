//! Classic pcap: a header of 24 bytes, then records of 16 bytes and a frame.

use super::parser::{Record, Step};
use super::{CaptureError, CaptureStats, MAX_FRAME_BYTES};
use crate::packet::LinkType;

/// Magic number of microsecond captures.
pub(super) const MAGIC_MICRO: u32 = 0xa1b2_c3d4;
/// Magic number of nanosecond captures.
pub(super) const MAGIC_NANO: u32 = 0xa1b2_3c4d;
/// Bytes in front of each frame.
const RECORD_HEADER_BYTES: usize = 16;
/// Major version of the format.
const VERSION: u16 = 2;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// What the file header says about the frames behind it.
pub(super) struct Classic {
    big_endian: bool,
    nanos_per_unit: i64,
    link: LinkType,
    /// Before version 2.3 the two lengths stood the other way round.
    lengths_swapped: bool,
}

impl Classic {
    pub(super) const HEADER_BYTES: usize = 24;

    pub(super) fn knows(magic: [u8; 4]) -> bool {
        [u32::from_le_bytes(magic), u32::from_be_bytes(magic)]
            .into_iter()
            .any(|number| matches!(number, MAGIC_MICRO | MAGIC_NANO))
    }

    pub(super) fn from_header(h: &[u8; Self::HEADER_BYTES]) -> Result<Self, CaptureError> {
        let magic = u32::from_be_bytes([h[0], h[1], h[2], h[3]]);
        let big_endian = matches!(magic, MAGIC_MICRO | MAGIC_NANO);
        let magic = if big_endian { magic } else { magic.swap_bytes() };
        let half = |at: usize| {
            let bytes = [h[at], h[at + 1]];
            if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        let (major, minor) = (half(4), half(6));
        if major != VERSION {
            return Err(CaptureError::Version { major, minor, known: VERSION, form: "pcap" });
        }
        // The upper half of the field tells of frame check sequences, not of the link type.
        let link = LinkType(if big_endian { half(22) } else { half(20) });
        Ok(Self {
            big_endian,
            nanos_per_unit: if magic == MAGIC_NANO { 1 } else { 1000 },
            link,
            lengths_swapped: minor < 3,
        })
    }

    #[inline]
    pub(super) fn step(
        &self,
        data: &[u8],
        offset: u64,
        stats: &mut CaptureStats,
    ) -> Result<Step, CaptureError> {
        let Some((h, rest)) = data.split_first_chunk::<RECORD_HEADER_BYTES>() else {
            return Ok(Step::Need(RECORD_HEADER_BYTES as u64));
        };
        let word = |at: usize| {
            let bytes = [h[at], h[at + 1], h[at + 2], h[at + 3]];
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let (mut captured, mut wire_len) = (word(8), word(12));
        if self.lengths_swapped {
            std::mem::swap(&mut captured, &mut wire_len);
        }
        if captured > MAX_FRAME_BYTES {
            let index = stats.frames;
            return Err(CaptureError::FrameTooLong {
                offset,
                index,
                length: captured,
                form: "pcap",
            });
        }
        let length = captured as usize;
        let consumed = RECORD_HEADER_BYTES + length;
        if rest.len() < length {
            return Ok(Step::Need(consumed as u64));
        }
        // Unsigned 32-bit seconds: the sum fits in 64 bits whatever the fields hold.
        let ts_ns =
            i64::from(word(0)) * NANOS_PER_SECOND + i64::from(word(4)) * self.nanos_per_unit;
        let start = RECORD_HEADER_BYTES;
        Ok(Step::Frame(Record { ts_ns, wire_len, link: self.link, start, length, consumed }))
    }
}
