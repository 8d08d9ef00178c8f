//! pcapng: sections of blocks (draft-ietf-opsawg-pcapng clauses 3 and 4).

use super::parser::{Record, Step};
use super::{CaptureError, CaptureStats, MAX_BLOCK_BYTES, MAX_FRAME_BYTES, MAX_INTERFACES};
use crate::packet::LinkType;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Major version of the format.
const VERSION: u16 = 1;
/// Bytes of a section header block that must be seen: type, lengths, order, version, length.
const SECTION_HEADER_BYTES: usize = 28;
/// Bytes of the smallest block: type and its length twice.
const BLOCK_FRAME_BYTES: u32 = 12;
/// Bytes in front of the frame of a packet block, type and length included.
const PACKET_HEADER_BYTES: usize = 28;
const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// Whether a capture that begins so is pcapng; the number reads the same in both byte orders.
pub(super) fn is_section_header(magic: [u8; 4]) -> bool {
    u32::from_le_bytes(magic) == SECTION_HEADER
}

/// How the time units of an interface become nanoseconds.
#[derive(Clone, Copy)]
enum Scale {
    Multiply(u64),
    Divide(u128),
    /// Units are two to the power of minus this.
    Shift(u8),
    /// Units so small that 64 bits of them are no nanosecond.
    Nothing,
}

impl Scale {
    /// Reads the `if_tsresol` option: a power of ten, or of two when the upper bit is set.
    fn from_option(value: u8) -> Self {
        let power = u32::from(value & 0x7f);
        if value & 0x80 != 0 {
            return Self::Shift(value & 0x7f);
        }
        if power <= 9 {
            return Self::Multiply(10_u64.pow(9 - power));
        }
        10_u128.checked_pow(power - 9).map_or(Self::Nothing, Self::Divide)
    }

    #[inline]
    fn nanos(self, units: u64) -> i128 {
        match self {
            Self::Multiply(factor) => i128::from(units) * i128::from(factor),
            // Both quotients are at most 64 bits times 10^9: they fit.
            Self::Divide(divisor) => (u128::from(units) / divisor) as i128,
            Self::Shift(bits) => ((u128::from(units) * 1_000_000_000) >> bits) as i128,
            Self::Nothing => 0,
        }
    }
}

struct Interface {
    link: LinkType,
    snap_len: u32,
    scale: Scale,
    offset_ns: i128,
}

/// The section being read.
#[derive(Default)]
pub(super) struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
    last_ts_ns: i64,
}

/// A block's own word about itself.
#[derive(Clone, Copy)]
struct Block {
    kind: u32,
    length: u32,
    offset: u64,
}

impl Block {
    fn bad(self, reason: &'static str) -> CaptureError {
        CaptureError::BadBlock { offset: self.offset, kind: self.kind, reason }
    }
}

impl Section {
    #[inline]
    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let raw = match bytes.get(at..at + 2) {
            Some(&[a, b]) => [a, b],
            _ => [0; 2],
        };
        if self.big_endian { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) }
    }

    #[inline]
    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let raw = match bytes.get(at..at + 4) {
            Some(&[a, b, c, d]) => [a, b, c, d],
            _ => [0; 4],
        };
        if self.big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) }
    }

    /// Reads the block at the front of `data`.
    #[inline]
    pub(super) fn step(
        &mut self,
        data: &[u8],
        offset: u64,
        stats: &mut CaptureStats,
    ) -> Result<Step, CaptureError> {
        if data.len() < BLOCK_FRAME_BYTES as usize {
            return Ok(Step::Need(u64::from(BLOCK_FRAME_BYTES)));
        }
        let kind = self.word(data, 0);
        if kind == SECTION_HEADER {
            return self.section(data, offset, stats);
        }
        let block = Block { kind, length: self.word(data, 4), offset };
        check_length(block)?;
        match kind {
            ENHANCED_PACKET | OLD_PACKET => self.packet(data, block, stats),
            SIMPLE_PACKET => self.simple_packet(data, block, stats),
            INTERFACE => self.interface(data, block),
            _ => {
                stats.skipped_blocks += 1;
                Ok(Step::Skip(u64::from(block.length)))
            }
        }
    }

    /// Begins a section: byte order and interfaces start anew.
    #[cold]
    fn section(
        &mut self,
        data: &[u8],
        offset: u64,
        stats: &mut CaptureStats,
    ) -> Result<Step, CaptureError> {
        if data.len() < SECTION_HEADER_BYTES {
            return Ok(Step::Need(SECTION_HEADER_BYTES as u64));
        }
        self.big_endian = false;
        if self.word(data, 8) != BYTE_ORDER_MAGIC {
            self.big_endian = true;
        }
        let block = Block { kind: SECTION_HEADER, length: self.word(data, 4), offset };
        if self.word(data, 8) != BYTE_ORDER_MAGIC {
            return Err(block.bad("no byte-order magic"));
        }
        check_length(block)?;
        if block.length < SECTION_HEADER_BYTES as u32 {
            return Err(block.bad("shorter than a section header"));
        }
        let (major, minor) = (self.half(data, 12), self.half(data, 14));
        if major != VERSION {
            return Err(CaptureError::Version { major, minor, known: VERSION, form: "pcapng" });
        }
        self.interfaces.clear();
        stats.sections += 1;
        Ok(Step::Skip(u64::from(block.length)))
    }

    #[cold]
    fn interface(&mut self, data: &[u8], block: Block) -> Result<Step, CaptureError> {
        let Some(body) = self.whole(data, block)? else {
            return Ok(Step::Need(u64::from(block.length)));
        };
        if body.len() < 8 {
            return Err(block.bad("shorter than an interface description"));
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(CaptureError::TooManyInterfaces { offset: block.offset });
        }
        let mut interface = Interface {
            link: LinkType(self.half(body, 0)),
            snap_len: self.word(body, 4),
            scale: Scale::Multiply(1000),
            offset_ns: 0,
        };
        let mut options = &body[8..];
        while options.len() >= 4 {
            let (code, length) = (self.half(options, 0), usize::from(self.half(options, 2)));
            if code == OPTION_END {
                break;
            }
            let Some(value) = options.get(4..4 + length) else {
                return Err(block.bad("an option runs over the end of the block"));
            };
            match (code, value) {
                (OPTION_TIME_RESOLUTION, &[power]) => interface.scale = Scale::from_option(power),
                (OPTION_TIME_OFFSET, &[_, _, _, _, _, _, _, _]) => {
                    let (a, b) = (u64::from(self.word(value, 0)), u64::from(self.word(value, 4)));
                    let raw = if self.big_endian { a << 32 | b } else { b << 32 | a };
                    interface.offset_ns = i128::from(raw.cast_signed()) * 1_000_000_000;
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        }
        self.interfaces.push(interface);
        Ok(Step::Skip(u64::from(block.length)))
    }

    /// Enhanced packet block (clause 4.3) and its obsolete forerunner (appendix A): they differ
    /// in the width of the interface number only.
    #[inline]
    fn packet(
        &mut self,
        data: &[u8],
        block: Block,
        stats: &mut CaptureStats,
    ) -> Result<Step, CaptureError> {
        if block.length < PACKET_HEADER_BYTES as u32 + 4 {
            return Err(block.bad("shorter than a packet block"));
        }
        let Some((head, _)) = data.split_first_chunk::<PACKET_HEADER_BYTES>() else {
            return Ok(Step::Need(PACKET_HEADER_BYTES as u64));
        };
        let number = if block.kind == OLD_PACKET {
            u32::from(self.half(head, 8))
        } else {
            self.word(head, 8)
        };
        let units = u64::from(self.word(head, 12)) << 32 | u64::from(self.word(head, 16));
        let (captured, wire_len) = (self.word(head, 20), self.word(head, 24));
        check_frame(captured, block, stats)?;
        if u64::from(captured) + PACKET_HEADER_BYTES as u64 + 4 > u64::from(block.length) {
            return Err(block.bad("the captured length runs over the end of the block"));
        }
        if self.whole(data, block)?.is_none() {
            return Ok(Step::Need(u64::from(block.length)));
        }
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Err(self.unknown_interface(block, number));
        };
        let nanos = interface.scale.nanos(units) + interface.offset_ns;
        let ts_ns = i64::try_from(nanos).unwrap_or_else(|_| {
            stats.clamped_times += 1;
            if nanos < 0 { i64::MIN } else { i64::MAX }
        });
        self.last_ts_ns = ts_ns;
        Ok(Step::Frame(Record {
            ts_ns,
            wire_len,
            link: interface.link,
            start: PACKET_HEADER_BYTES,
            length: captured as usize,
            consumed: block.length as usize,
        }))
    }

    /// Simple packet block (clause 4.4): the section's first interface, no time of its own.
    #[cold]
    fn simple_packet(
        &self,
        data: &[u8],
        block: Block,
        stats: &mut CaptureStats,
    ) -> Result<Step, CaptureError> {
        const HEADER: u32 = 12;
        if block.length < HEADER + 4 {
            return Err(block.bad("shorter than a simple packet block"));
        }
        let wire_len = self.word(data, 8);
        let Some(interface) = self.interfaces.first() else {
            return Err(self.unknown_interface(block, 0));
        };
        let snap = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
        let captured = wire_len.min(snap).min(block.length - HEADER - 4);
        check_frame(captured, block, stats)?;
        if self.whole(data, block)?.is_none() {
            return Ok(Step::Need(u64::from(block.length)));
        }
        stats.frames_without_time += 1;
        Ok(Step::Frame(Record {
            ts_ns: self.last_ts_ns,
            wire_len,
            link: interface.link,
            start: HEADER as usize,
            length: captured as usize,
            consumed: block.length as usize,
        }))
    }

    /// The body of a block that must be in memory as a whole; `None` when it is not there yet.
    #[inline]
    fn whole<'a>(&self, data: &'a [u8], block: Block) -> Result<Option<&'a [u8]>, CaptureError> {
        if block.length > MAX_BLOCK_BYTES {
            let Block { offset, length, .. } = block;
            return Err(CaptureError::BlockTooLong { offset, length });
        }
        let length = block.length as usize;
        let Some(bytes) = data.get(..length) else {
            return Ok(None);
        };
        if self.word(bytes, length - 4) != block.length {
            return Err(block.bad("its two lengths differ"));
        }
        Ok(bytes.get(8..length - 4))
    }

    #[cold]
    fn unknown_interface(&self, block: Block, interface: u32) -> CaptureError {
        let known = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        CaptureError::UnknownInterface { offset: block.offset, interface, known }
    }
}

#[inline]
fn check_length(block: Block) -> Result<(), CaptureError> {
    if block.length < BLOCK_FRAME_BYTES {
        return Err(block.bad("shorter than any block"));
    }
    if !block.length.is_multiple_of(4) {
        return Err(block.bad("its length is not a multiple of four"));
    }
    Ok(())
}

#[inline]
fn check_frame(captured: u32, block: Block, stats: &CaptureStats) -> Result<(), CaptureError> {
    if captured > MAX_FRAME_BYTES {
        return Err(CaptureError::FrameTooLong {
            offset: block.offset,
            index: stats.frames,
            length: captured,
            form: "pcapng",
        });
    }
    Ok(())
}
