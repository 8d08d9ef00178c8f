//! What the functions carry (Modbus Application Protocol V1.1b3, section 6).

use super::super::bytes::{Cursor, be16};
use super::super::operation::Role;

/// Most coils or inputs one request reads.
const MAX_BITS: u16 = 2000;
/// Most registers one request reads.
const MAX_WORDS: u16 = 125;
/// Reference type of every file record.
const FILE_REFERENCE: u8 = 6;
/// Encapsulated interface: read device identification.
pub(super) const IDENTIFICATION: u8 = 14;

/// What a message carries behind its function code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body<'a> {
    /// A refusal: the exception code (1 illegal function, 2 illegal address, 3 illegal value …).
    Exception(u8),
    /// Request for coils, inputs or registers, or for the queue at an address.
    Read {
        /// First address, from 0.
        start: u16,
        /// How many.
        count: u16,
    },
    /// Coils or inputs read, lowest bit of the first byte first; the last byte may be padded.
    Bits(&'a [u8]),
    /// Registers read.
    Words(&'a [u8]),
    /// A write; single writes are echoed in the same form.
    Write {
        /// First address, from 0.
        start: u16,
        /// How many.
        count: u16,
        /// Bits (function 15), registers (6 and 16), or `ff 00` and `00 00` (function 5).
        data: &'a [u8],
    },
    /// Confirmation of a write of several.
    Written {
        /// First address, from 0.
        start: u16,
        /// How many.
        count: u16,
    },
    /// Change of single bits of a register: the AND mask, then the OR mask.
    Mask {
        /// Address, from 0.
        address: u16,
        /// Both masks, 4 bytes.
        masks: &'a [u8],
    },
    /// Request to write, then to read registers.
    ReadWrite {
        /// First address and number of registers to read.
        read: (u16, u16),
        /// First address and number of registers to write.
        write: (u16, u16),
        /// Registers to write.
        data: &'a [u8],
    },
    /// Diagnostics.
    Diagnostics {
        /// Sub-function.
        sub: u16,
        /// Its data.
        data: &'a [u8],
    },
    /// Records of files to read or write, or read.
    Files(FileRecords<'a>),
    /// Encapsulated interface.
    Interface {
        /// Its type: 14 device identification, 13 CANopen.
        kind: u8,
        /// Access asked for or given (1 basic, 2 regular, 3 extended, 4 one object).
        access: u8,
        /// Objects of a device identification response.
        objects: Objects<'a>,
    },
    /// Status, event log, server identification: as they are.
    Plain(&'a [u8]),
    /// A function not read, or a body that does not fit its function.
    Other(&'a [u8]),
}

/// One record of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord<'a> {
    /// File number; 0 in responses to reads, which do not repeat it.
    pub file: u16,
    /// First record.
    pub record: u16,
    /// Registers.
    pub count: u16,
    /// Registers written or read.
    pub data: &'a [u8],
}

/// Records of files, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecords<'a> {
    bytes: Cursor<'a>,
    form: Form,
}

/// How file records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    ReadRequest,
    ReadResponse,
    Write,
}

impl<'a> Iterator for FileRecords<'a> {
    type Item = FileRecord<'a>;

    fn next(&mut self) -> Option<FileRecord<'a>> {
        let cursor = &mut self.bytes;
        if self.form == Form::ReadResponse {
            let length = usize::from(cursor.u8()?).checked_sub(1)?;
            if cursor.u8()? != FILE_REFERENCE {
                return None;
            }
            let data = cursor.up_to(length);
            return Some(FileRecord { file: 0, record: 0, count: (length / 2) as u16, data });
        }
        if cursor.u8()? != FILE_REFERENCE {
            return None;
        }
        let (file, record, count) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
        let held = if self.form == Form::Write { usize::from(count) * 2 } else { 0 };
        Some(FileRecord { file, record, count, data: cursor.up_to(held) })
    }
}

/// Objects of a device identification: number (0 vendor, 1 product, 2 revision …) and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objects<'a>(Cursor<'a>);

impl<'a> Iterator for Objects<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (number, length) = (self.0.u8()?, self.0.u8()?);
        Some((number, self.0.up_to(usize::from(length))))
    }
}

/// Whether a body of this length fits its function, in either direction, as far as it is there.
pub(super) fn fits(function: u8, length: usize, data: &[u8]) -> bool {
    let first = data.first().map(|byte| usize::from(*byte));
    let counted = first.is_some_and(|first| first + 1 == length);
    let word = |at| be16(data, at);
    let of = |most: u16| length == 4 && word(2).is_some_and(|count| (1..=most).contains(&count));
    match function {
        1 | 2 => of(MAX_BITS) || counted && first.is_some_and(|count| count > 0),
        3 | 4 => of(MAX_WORDS) || counted && first.is_some_and(|count| count > 0 && count % 2 == 0),
        5 => length == 4 && matches!(word(2), Some(0 | 0xff00)),
        6 => length == 4,
        7 => length <= 1,
        8 => length >= 4 && word(0).is_some_and(|sub| sub <= 21),
        11 => length == 0 || length == 4,
        12 | 17 => length == 0 || counted,
        15 => of(MAX_BITS) || written(length, data, |count| usize::from(count).div_ceil(8)),
        16 => of(MAX_WORDS) || written(length, data, |count| usize::from(count) * 2),
        20 | 21 => counted && length > 3,
        22 => length == 6,
        23 => {
            let held = data.get(8).map(|count| 9 + usize::from(*count));
            held == Some(length) || counted && first.is_some_and(|count| count % 2 == 0)
        }
        24 => length == 2 || word(0).is_some_and(|count| usize::from(count) + 2 == length),
        43 => match first {
            Some(13) => length >= 2,
            Some(14) => length >= 3 && matches!(data.get(1), Some(1..=4)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a write of several states the bytes it holds.
fn written(length: usize, data: &[u8], bytes: impl Fn(u16) -> usize) -> bool {
    let (Some(count), Some(stated)) = (be16(data, 2), data.get(4)) else { return false };
    usize::from(*stated) == bytes(count) && length == 5 + usize::from(*stated)
}

/// Reads the body of a function in one direction; `None` where it does not fit. `length` is the
/// stated one, `data` may be cut.
pub(super) fn read<'a>(
    function: u8,
    role: Role,
    length: usize,
    data: &'a [u8],
) -> Option<Body<'a>> {
    if role == Role::Request {
        request(function, length, data)
    } else {
        response(function, length, data)
    }
}

fn request<'a>(function: u8, length: usize, data: &'a [u8]) -> Option<Body<'a>> {
    let mut cursor = Cursor::new(data);
    Some(match function {
        1..=4 if length == 4 => Body::Read { start: cursor.be16()?, count: cursor.be16()? },
        5 | 6 if length == 4 => single(cursor)?,
        7 | 11 | 12 | 17 if length == 0 => Body::Plain(&[]),
        8 if length >= 2 => Body::Diagnostics { sub: cursor.be16()?, data: cursor.rest() },
        15 | 16 if length >= 5 => {
            let (start, count) = (cursor.be16()?, cursor.be16()?);
            let held = usize::from(cursor.u8()?);
            (length == 5 + held).then_some(Body::Write {
                start,
                count,
                data: cursor.up_to(held),
            })?
        }
        20 => files(cursor, length, Form::ReadRequest)?,
        21 => files(cursor, length, Form::Write)?,
        22 if length == 6 => Body::Mask { address: cursor.be16()?, masks: cursor.up_to(4) },
        23 if length >= 9 => {
            let read = (cursor.be16()?, cursor.be16()?);
            let write = (cursor.be16()?, cursor.be16()?);
            let held = usize::from(cursor.u8()?);
            let body = Body::ReadWrite { read, write, data: cursor.up_to(held) };
            (length == 9 + held).then_some(body)?
        }
        24 if length == 2 => Body::Read { start: cursor.be16()?, count: 1 },
        43 if length >= 2 => {
            let (kind, access) = (cursor.u8()?, cursor.u8()?);
            (kind != IDENTIFICATION || length == 3).then_some(Body::Interface {
                kind,
                access,
                objects: Objects(Cursor::new(&[])),
            })?
        }
        _ => return None,
    })
}

fn response<'a>(function: u8, length: usize, data: &'a [u8]) -> Option<Body<'a>> {
    let mut cursor = Cursor::new(data);
    let counted = data.first().is_some_and(|first| usize::from(*first) + 1 == length);
    Some(match function {
        1 | 2 if counted => Body::Bits(&data[1..]),
        3 | 4 | 23 if counted => Body::Words(&data[1..]),
        5 | 6 if length == 4 => single(cursor)?,
        7 if length == 1 => Body::Plain(data),
        8 if length >= 2 => Body::Diagnostics { sub: cursor.be16()?, data: cursor.rest() },
        11 if length == 4 => Body::Plain(data),
        12 | 17 if counted => Body::Plain(&data[1..]),
        15 | 16 if length == 4 => Body::Written { start: cursor.be16()?, count: cursor.be16()? },
        20 => files(cursor, length, Form::ReadResponse)?,
        21 => files(cursor, length, Form::Write)?,
        22 if length == 6 => Body::Mask { address: cursor.be16()?, masks: cursor.up_to(4) },
        24 if length >= 4 => {
            let (bytes, words) = (usize::from(cursor.be16()?), usize::from(cursor.be16()?));
            (bytes + 2 == length && bytes == words * 2 + 2).then_some(Body::Words(cursor.rest()))?
        }
        43 if length >= 2 => {
            let (kind, access) = (cursor.u8()?, cursor.u8()?);
            if kind == IDENTIFICATION {
                // Conformity, whether more follows, the next object, their number.
                cursor.take(4)?;
            }
            Body::Interface { kind, access, objects: Objects(cursor) }
        }
        _ => return None,
    })
}

/// Function 5 or 6, request or echo.
fn single(mut cursor: Cursor<'_>) -> Option<Body<'_>> {
    Some(Body::Write { start: cursor.be16()?, count: 1, data: cursor.up_to(2) })
}

fn files(mut cursor: Cursor<'_>, length: usize, form: Form) -> Option<Body<'_>> {
    let stated = usize::from(cursor.u8()?);
    let unit = if form == Form::ReadRequest { 7 } else { 1 };
    let fits = stated + 1 == length && stated % unit == 0;
    fits.then_some(Body::Files(FileRecords { bytes: cursor, form }))
}
