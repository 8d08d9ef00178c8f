//! CIP messages: service, path, data (CIP volume 1, chapters 2 and 3, appendix C; Logix 5000 data
//! access).

use super::super::bytes::{Cursor, le16};
use super::super::operation::{Object, Values};

/// Bit of the service that marks a response.
const RESPONSE: u8 = 0x80;
/// Class of the connection manager.
pub(super) const CONNECTION_MANAGER: u32 = 6;
pub(super) const MULTIPLE: u8 = 0x0a;
pub(super) const PCCC: u8 = 0x4b;
pub(super) const READ_TAG: u8 = 0x4c;
pub(super) const WRITE_TAG: u8 = 0x4d;
pub(super) const READ_FRAGMENT: u8 = 0x52;
pub(super) const WRITE_FRAGMENT: u8 = 0x53;
/// The same number, in the connection manager.
const UNCONNECTED_SEND: u8 = 0x52;
/// Embedded messages are followed this deep: a packet of several inside an unconnected send.
const MAX_DEPTH: usize = 3;
/// Services of one packet that are followed.
const MAX_SERVICES: u16 = 256;
/// Tag of a structure in typed data, followed by a word more.
const STRUCTURE: u16 = 0x02a0;

/// What a request is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Path<'a> {
    /// Class.
    pub class: Option<u32>,
    /// Instance.
    pub instance: Option<u32>,
    /// Attribute.
    pub attribute: Option<u32>,
    /// First symbol, empty where there is none.
    pub symbol: &'a [u8],
    /// Second symbol: a tag of a program, or a member.
    pub member: &'a [u8],
}

impl<'a> Path<'a> {
    /// Reads a padded path; ends at the first segment that cannot be read.
    fn read(bytes: &'a [u8]) -> Self {
        let mut path = Self::default();
        let mut cursor = Cursor::new(bytes);
        while path.segment(&mut cursor).is_some() {}
        path
    }

    fn segment(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        let kind = cursor.u8()?;
        match kind {
            // A port: number in the lower bits, address in the next byte or behind its length.
            0x00..=0x1f => {
                let length = if kind & 0x10 == 0 { 1 } else { usize::from(cursor.u8()?) };
                if kind & 0x0f == 0x0f {
                    cursor.be16()?;
                }
                cursor.take(length + length % 2 * usize::from(kind & 0x10 != 0))?;
            }
            0x20..=0x3f => {
                let value = match kind & 3 {
                    0 => u32::from(cursor.u8()?),
                    1 => {
                        cursor.u8()?;
                        u32::from(cursor.le16()?)
                    }
                    2 => {
                        cursor.u8()?;
                        cursor.le32()?
                    }
                    _ => return None,
                };
                match kind & 0x1c {
                    0x00 => self.class = Some(value),
                    0x04 => self.instance = Some(value),
                    0x10 => self.attribute = Some(value),
                    // An electronic key: its length is in the byte that was read.
                    0x14 => drop(cursor.take(8)?),
                    _ => {}
                }
            }
            0x80 => {
                let words = usize::from(cursor.u8()?);
                cursor.take(words * 2)?;
            }
            0x91 => {
                let length = usize::from(cursor.u8()?);
                let symbol = cursor.take(length)?;
                cursor.up_to(length % 2);
                match (self.symbol, self.member) {
                    ([], _) => self.symbol = symbol,
                    (_, []) => self.member = symbol,
                    _ => {}
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// As the object of an operation: class and attribute are the space, the instance the point.
    pub(super) fn object(&self) -> Object<'a> {
        match (self.symbol, self.member, self.class) {
            ([], _, None) => Object::None,
            ([], _, Some(class)) => Object::Range {
                space: class << 16 | self.attribute.unwrap_or(0) & 0xffff,
                start: self.instance.unwrap_or(0),
                count: 1,
            },
            (symbol, [], _) => Object::Name(symbol),
            (domain, name, _) => Object::Member { domain, name },
        }
    }
}

/// One CIP request or response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cip<'a> {
    /// Service code without the bit of a response.
    pub service: u8,
    /// Whether it is a response.
    pub response: bool,
    /// General status of a response, 0 where all is well.
    pub status: u8,
    /// What a request is about.
    pub path: Path<'a>,
    /// Data of the service.
    pub data: &'a [u8],
}

impl<'a> Cip<'a> {
    /// Reads a message.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (code, second) = (cursor.u8()?, cursor.u8()?);
        let response = code & RESPONSE != 0;
        let (mut status, mut path) = (0, Path::default());
        if response {
            status = cursor.u8()?;
            let words = usize::from(cursor.u8()?);
            cursor.up_to(words * 2);
        } else {
            path = Path::read(cursor.up_to(usize::from(second) * 2));
        }
        Some(Self { service: code & !RESPONSE, response, status, path, data: cursor.rest() })
    }

    /// Tells this message, then those embedded in it.
    pub(super) fn each(&self, tell: &mut dyn FnMut(&Self)) {
        self.descend(0, tell);
    }

    /// Whether it is an envelope of other messages: an unconnected send, a packet of several.
    #[must_use]
    pub fn is_container(&self) -> bool {
        let send = self.service == UNCONNECTED_SEND && self.path.class == Some(CONNECTION_MANAGER);
        send || self.service == MULTIPLE && self.data.len() > 2
    }

    fn descend(&self, depth: usize, tell: &mut dyn FnMut(&Self)) {
        tell(self);
        if depth >= MAX_DEPTH || !self.is_container() {
            return;
        }
        if self.service == MULTIPLE {
            return self.several(depth, tell);
        }
        // Priority, ticks, length of what is sent.
        let length = le16(self.data, 2).map_or(0, usize::from);
        let inner = self.data.get(4..).map(|rest| &rest[..length.min(rest.len())]);
        if let Some(inner) = inner.and_then(Self::read) {
            inner.descend(depth + 1, tell);
        }
    }

    /// A packet of several services: their number, their offsets, the services.
    fn several(&self, depth: usize, tell: &mut dyn FnMut(&Self)) {
        let count = le16(self.data, 0).unwrap_or(0).min(MAX_SERVICES);
        // Services lie one behind the other. Offsets that lead back would have the same bytes read
        // again and again, at every level of nesting.
        let mut free = 2 + usize::from(count) * 2;
        for place in 0..usize::from(count) {
            let offset = |place: usize| le16(self.data, 2 + place * 2).map(usize::from);
            let Some(start) = offset(place) else { return };
            let next = if place + 1 < usize::from(count) { offset(place + 1) } else { None };
            let end = next.unwrap_or(self.data.len()).min(self.data.len());
            if start < free {
                continue;
            }
            if let Some(inner) = self.data.get(start..end).and_then(Self::read) {
                free = end;
                inner.descend(depth + 1, tell);
            }
        }
    }

    /// Values written by a request or read by a response.
    pub(super) fn values(&self) -> Values<'a> {
        match (self.service, self.response) {
            (READ_TAG | READ_FRAGMENT, true) => typed(self.data, 2),
            (WRITE_TAG, false) => typed(self.data, 4),
            (WRITE_FRAGMENT, false) => typed(self.data, 8),
            // Attributes without a type: a number where the length is one's.
            (0x0e, true) | (0x10, false) => match self.data.len() {
                2 => Values::u16_le(self.data),
                4 => Values::u32_le(self.data),
                _ => Values::u8(self.data),
            },
            _ => Values::none(),
        }
    }
}

/// Data behind its type and `skip` bytes in all.
fn typed(data: &[u8], skip: usize) -> Values<'_> {
    let kind = le16(data, 0).unwrap_or(0);
    let skip = if kind == STRUCTURE { skip + 2 } else { skip };
    let data = data.get(skip..).unwrap_or_default();
    match kind {
        0xc2 => Values::i8(data),
        0xc3 => Values::i16_le(data),
        0xc7 | 0xd2 => Values::u16_le(data),
        0xc4 => Values::i32_le(data),
        0xc8 | 0xd3 => Values::u32_le(data),
        0xca => Values::f32_le(data),
        0xcb => Values::f64_le(data),
        _ => Values::u8(data),
    }
}
