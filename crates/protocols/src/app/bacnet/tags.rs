//! Tagged values (ASHRAE 135, clause 20.2).

use super::super::bytes::Cursor;

/// What a tag begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// A value of an application type.
    Application(u8, &'a [u8]),
    /// A value whose type the context gives.
    Context(u8, &'a [u8]),
    /// The context opens.
    Open(u8),
    /// The context closes.
    Close,
}

/// Type of an application tag that holds its value in the length.
const BOOLEAN: u8 = 1;
const YES: &[u8] = &[1];
const NO: &[u8] = &[0];

/// Reads the next tag.
pub(super) fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Tag<'a>> {
    let first = cursor.u8()?;
    let number = if first >> 4 == 0x0f { cursor.u8()? } else { first >> 4 };
    let context = first & 8 != 0;
    let short = first & 7;
    if context && short == 6 {
        return Some(Tag::Open(number));
    }
    if context && short == 7 {
        return Some(Tag::Close);
    }
    if !context && number == BOOLEAN {
        return Some(Tag::Application(number, if short == 0 { NO } else { YES }));
    }
    let length = if short < 5 {
        usize::from(short)
    } else {
        match cursor.u8()? {
            254 => usize::from(cursor.be16()?),
            255 => cursor.be32()? as usize,
            length => usize::from(length),
        }
    };
    let value = cursor.up_to(length);
    Some(if context { Tag::Context(number, value) } else { Tag::Application(number, value) })
}

/// An unsigned number of at most four bytes.
pub(super) fn unsigned(value: &[u8]) -> u32 {
    value.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// A value of an application type as a number; texts, dates and the like have none.
pub(super) fn number(kind: u8, value: &[u8]) -> Option<f64> {
    match kind {
        BOOLEAN | 2 | 9 | 12 => Some(f64::from(unsigned(value))),
        3 => super::super::ber::signed(value).map(|number| number as f64),
        4 => value.first_chunk().map(|bytes| f64::from(f32::from_be_bytes(*bytes))),
        5 => value.first_chunk().map(|bytes| f64::from_be_bytes(*bytes)),
        _ => None,
    }
}
