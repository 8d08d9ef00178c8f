//! Object headers of the application layer (IEEE 1815-2012, clause 4 and annex A).

use super::super::bytes::Cursor;

/// How the value of an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Highest bit of the flags.
    Bit,
    /// Two highest bits of the flags.
    TwoBits,
    /// Signed 16 bits.
    I16,
    /// Signed 32 bits.
    I32,
    /// Unsigned 16 bits.
    U16,
    /// Unsigned 32 bits.
    U32,
    /// Unsigned 48 bits: milliseconds since 1970.
    Time,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// First byte: the code of a control relay output block.
    Byte,
    /// None read.
    Nothing,
}

/// Length of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// So many bits, packed without prefix.
    Packed(u8),
    /// So many bytes.
    Bytes(usize),
}

/// Length of an object, where its value stands and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) size: Size,
    pub(super) at: usize,
    pub(super) coding: Coding,
}

const fn form(size: usize, at: usize, coding: Coding) -> Option<Form> {
    Some(Form { size: Size::Bytes(size), at, coding })
}

const fn packed(bits: u8, coding: Coding) -> Option<Form> {
    Some(Form { size: Size::Packed(bits), at: 0, coding })
}

/// Form of a group and variation; `None` where this crate does not know its length.
pub(super) const fn of(group: u8, variation: u8) -> Option<Form> {
    match group {
        1..=13 | 80 => binary(group, variation),
        20..=23 => counter(group, variation),
        30..=43 => analogue(group, variation),
        50..=52 => time(group, variation),
        101 => match variation {
            1 => form(2, 0, Coding::U16),
            2 => form(4, 0, Coding::U32),
            3 => form(8, 0, Coding::Nothing),
            _ => None,
        },
        // The variation is the length of the string.
        110..=113 => form(variation as usize, 0, Coding::Nothing),
        _ => None,
    }
}

const fn binary(group: u8, variation: u8) -> Option<Form> {
    use Coding::{Bit, Byte, Nothing, TwoBits};
    match (group, variation) {
        (1 | 10 | 80, 1) | (12, 3) => packed(1, Bit),
        (3, 1) => packed(2, TwoBits),
        (1 | 10, 2) | (2 | 11 | 13, 1) => form(1, 0, Bit),
        (2 | 11 | 13, 2) => form(7, 0, Bit),
        (2, 3) => form(3, 0, Bit),
        (3, 2) | (4, 1) => form(1, 0, TwoBits),
        (4, 2) => form(7, 0, TwoBits),
        (4, 3) => form(3, 0, TwoBits),
        (12, 1) => form(11, 0, Byte),
        (12, 2) => form(11, 0, Nothing),
        _ => None,
    }
}

const fn counter(group: u8, variation: u8) -> Option<Form> {
    use Coding::{U16, U32};
    match (group, variation) {
        (_, 1) | (20, 3) => form(5, 1, U32),
        (_, 2) | (20, 4) => form(3, 1, U16),
        (20, 5 | 7) | (21, 9 | 11) => form(4, 0, U32),
        (20, 6 | 8) | (21, 10 | 12) => form(2, 0, U16),
        (21..=23, 5) => form(11, 1, U32),
        (21..=23, 6) => form(9, 1, U16),
        _ => None,
    }
}

const fn analogue(group: u8, variation: u8) -> Option<Form> {
    use Coding::{F32, F64, I16, I32, U16, U32};
    match (group, variation) {
        (34, 1) => form(2, 0, U16),
        (34, 2) => form(4, 0, U32),
        (34, 3) => form(4, 0, F32),
        // Output commands: the value, then the status.
        (41, 1) => form(5, 0, I32),
        (41, 2) => form(3, 0, I16),
        (41, 3) => form(5, 0, F32),
        (41, 4) => form(9, 0, F64),
        (30 | 31, 5 | 6) => match (group, variation) {
            (30, 5) => form(5, 1, F32),
            (30, _) => form(9, 1, F64),
            (_, 5) => form(4, 0, I32),
            _ => form(2, 0, I16),
        },
        (31, 7) | (40, 3) => form(5, 1, F32),
        (31, 8) | (40, 4) => form(9, 1, F64),
        (30, 3) => form(4, 0, I32),
        (30, 4) => form(2, 0, I16),
        (_, 1) => form(5, 1, I32),
        (_, 2) => form(3, 1, I16),
        (_, 3) => form(11, 1, I32),
        (_, 4) => form(9, 1, I16),
        (_, 5) => form(5, 1, F32),
        (_, 6) => form(9, 1, F64),
        (_, 7) => form(11, 1, F32),
        (_, 8) => form(15, 1, F64),
        _ => None,
    }
}

const fn time(group: u8, variation: u8) -> Option<Form> {
    match (group, variation) {
        (50, 1 | 3) | (51, 1 | 2) => form(6, 0, Coding::Time),
        (50, 2) => form(10, 0, Coding::Time),
        (50, 4) => form(11, 0, Coding::Time),
        (52, 1 | 2) => form(2, 0, Coding::U16),
        _ => None,
    }
}

/// Value of an object.
pub(super) fn value(form: Form, object: &[u8]) -> Option<f64> {
    let mut cursor = Cursor::new(object.get(form.at..)?);
    Some(match form.coding {
        Coding::Bit => f64::from(cursor.u8()? >> 7),
        Coding::TwoBits => f64::from(cursor.u8()? >> 6),
        Coding::I16 => f64::from(cursor.le16()?.cast_signed()),
        Coding::I32 => f64::from(cursor.le32()?.cast_signed()),
        Coding::U16 => f64::from(cursor.le16()?),
        Coding::U32 => f64::from(cursor.le32()?),
        Coding::Time => {
            let (low, high) = (cursor.le32()?, cursor.le16()?);
            f64::from(low) + f64::from(high) * 4_294_967_296.0
        }
        Coding::F32 => f64::from(f32::from_bits(cursor.le32()?)),
        Coding::F64 => f64::from_bits(cursor.le64()?),
        Coding::Byte => f64::from(cursor.u8()?),
        Coding::Nothing => return None,
    })
}

/// Header of objects: which, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) group: u8,
    pub(super) variation: u8,
    /// Bytes of the number before each object.
    pub(super) prefix: usize,
    /// Whether that number is a length, not an index.
    pub(super) sized: bool,
    pub(super) start: u32,
    /// Objects; 0 where all are meant.
    pub(super) count: u32,
}

/// Reads the next header.
pub(super) fn header(cursor: &mut Cursor<'_>) -> Option<Header> {
    let (group, variation, qualifier) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (prefix, sized) = match qualifier >> 4 & 7 {
        0 => (0, false),
        1 => (1, false),
        2 => (2, false),
        3 => (4, false),
        4 => (1, true),
        5 => (2, true),
        6 => (4, true),
        _ => return None,
    };
    let (start, count) = match qualifier & 0x0f {
        0 | 3 => range(u32::from(cursor.u8()?), u32::from(cursor.u8()?))?,
        1 | 4 => range(u32::from(cursor.le16()?), u32::from(cursor.le16()?))?,
        2 | 5 => range(cursor.le32()?, cursor.le32()?)?,
        6 => (0, 0),
        7 | 0x0b => (0, u32::from(cursor.u8()?)),
        8 => (0, u32::from(cursor.le16()?)),
        9 => (0, cursor.le32()?),
        _ => return None,
    };
    Some(Header { group, variation, prefix, sized, start, count })
}

fn range(start: u32, stop: u32) -> Option<(u32, u32)> {
    Some((start, stop.checked_sub(start)?.checked_add(1)?))
}
