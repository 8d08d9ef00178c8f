//! Items of reads and writes.

use super::super::bytes::Cursor;
use super::super::operation::{Object, Values};

/// Specification of a variable.
const VARIABLE: u8 = 0x12;
/// Syntax: any pointer.
const ANY: u8 = 0x10;
/// Areas of timers and counters, whose addresses are numbers, not bits.
const COUNTERS: [u8; 4] = [0x1c, 0x1d, 0x1e, 0x1f];
/// Return code of success.
pub(super) const DONE: u8 = 0xff;

/// What an item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Type of the elements (1 bit, 2 byte, 3 character, 4 word, 5 integer, 6 double word,
    /// 7 double integer, 8 real …); 0 where the syntax is not read.
    pub transport: u8,
    /// Elements.
    pub count: u16,
    /// Data block, 0 in other areas.
    pub block: u16,
    /// Area (0x81 inputs, 0x82 outputs, 0x83 flags, 0x84 data blocks, 0x1c counters, 0x1d timers).
    pub area: u8,
    /// First bit, or number of the timer or counter.
    pub address: u32,
    /// How the item is written: 0x10 is an any pointer, others are not read further.
    pub syntax: u8,
}

impl Item {
    /// Bits of one element.
    const fn bits(&self) -> u32 {
        match self.transport {
            1 => 1,
            2 | 3 => 8,
            4 | 5 => 16,
            6..=8 | 10 | 11 => 32,
            9 => 48,
            12 => 64,
            _ => 8,
        }
    }

    /// Area and block as the address space; addresses in bits.
    pub(super) fn object(&self) -> Object<'static> {
        if self.syntax != ANY {
            return Object::None;
        }
        let space = u32::from(self.area) << 16 | u32::from(self.block);
        let count = u32::from(self.count);
        let numbered = COUNTERS.contains(&self.area);
        let count = if numbered { count } else { count * self.bits() };
        Object::Range { space, start: self.address, count }
    }

    /// Values written to it.
    pub(super) fn values<'a>(&self, part: &Part<'a>) -> Values<'a> {
        match self.transport {
            4 => Values::u16_be(part.data),
            5 => Values::i16_be(part.data),
            6 => Values::u32_be(part.data),
            7 => Values::i32_be(part.data),
            8 => Values::f32_be(part.data),
            _ => Values::u8(part.data),
        }
    }
}

/// Items among parameters, `count` as stated.
pub(super) fn items(count: u8, bytes: &[u8]) -> impl Iterator<Item = Item> {
    let mut cursor = Cursor::new(bytes);
    (0..count).map_while(move |_| {
        let (kind, length) = (cursor.u8()?, usize::from(cursor.u8()?));
        let mut inner = Cursor::new(cursor.take(length)?);
        if length % 2 == 1 {
            cursor.up_to(1);
        }
        let syntax = inner.u8()?;
        let mut item = Item { transport: 0, count: 0, block: 0, area: 0, address: 0, syntax };
        if kind == VARIABLE && syntax == ANY {
            item.transport = inner.u8()?;
            item.count = inner.be16()?;
            item.block = inner.be16()?;
            item.area = inner.u8()?;
            item.address = inner.be24()?;
        }
        Some(item)
    })
}

/// Data of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Return code: 0xff done, 0 in requests, others are refusals.
    pub code: u8,
    /// How the data is written: 3 bits, 4 bytes or words, 5 integers, 7 reals, 9 octets.
    pub transport: u8,
    /// The data, as far as captured.
    pub data: &'a [u8],
}

impl<'a> Part<'a> {
    /// Values, where only the answer is known.
    pub(super) fn values(&self) -> Values<'a> {
        match self.transport {
            5 => Values::i16_be(self.data),
            7 => Values::f32_be(self.data),
            _ => Values::u8(self.data),
        }
    }
}

/// Data of items, each padded to an even length.
pub(super) fn parts<'a>(count: u8, bytes: &'a [u8]) -> impl Iterator<Item = Part<'a>> + use<'a> {
    let mut cursor = Cursor::new(bytes);
    (0..count).map_while(move |_| {
        let (code, transport) = (cursor.u8()?, cursor.u8()?);
        let stated = usize::from(cursor.be16()?);
        let length = if matches!(transport, 3..=5) { stated.div_ceil(8) } else { stated };
        let data = cursor.up_to(length);
        if length % 2 == 1 {
            cursor.up_to(1);
        }
        Some(Part { code, transport, data })
    })
}
