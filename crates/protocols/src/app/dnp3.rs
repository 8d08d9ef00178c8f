//! DNP3 (IEEE 1815-2012): link frames with their checksums, transport segments, application
//! fragments.

mod crc;
mod objects;
mod operations;
#[cfg(test)]
mod tests;

use super::bytes::le16;
use super::operation::Operation;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// First two bytes of a link frame.
const START: [u8; 2] = [0x05, 0x64];
/// Link header with its checksum.
const HEADER: usize = 10;
/// Bytes the length counts beside user data: control and both addresses.
const COUNTED: u8 = 5;
/// User data between two checksums.
const BLOCK: usize = 16;
/// Most user data of a frame.
const MOST_DATA: usize = 250;
/// Control bits: from the master, primary station.
const FROM_MASTER: u8 = 0x80;
const PRIMARY: u8 = 0x40;
/// Transport bits: last and first segment.
const FIRST: u8 = 0x40;
const LAST: u8 = 0x80;
/// Lowest function code of a response.
const RESPONSE: u8 = 129;

/// One link frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Address it goes to.
    pub destination: u16,
    /// Address it comes from.
    pub source: u16,
    /// Control byte of the link.
    pub control: u8,
    /// Header of the application fragment, where the frame begins one.
    pub application: Option<Application>,
    /// Whether this frame holds the last segment of its fragment.
    pub last: bool,
    /// User data with its checksums.
    blocks: &'a [u8],
}

/// Header of an application fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application {
    /// First, final, confirm, unsolicited, and the sequence number in the four lowest bits.
    pub control: u8,
    /// Function code.
    pub function: u8,
    /// Internal indications of a response, the first byte in the upper half.
    pub indications: Option<u16>,
}

impl<'a> Message<'a> {
    /// Whether the master sent it.
    #[must_use]
    pub const fn from_master(&self) -> bool {
        self.control & FROM_MASTER != 0
    }

    /// Function code of the link layer.
    #[must_use]
    pub const fn link_function(&self) -> u8 {
        self.control & 0x0f
    }

    /// Tells each operation: one an object of a command or response, one a range that is asked for,
    /// else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }

    /// User data without checksums.
    fn user_data<'b>(&self, buffer: &'b mut [u8; MOST_DATA]) -> &'b [u8] {
        let mut length = 0;
        for block in self.blocks.chunks(BLOCK + 2) {
            let data = &block[..block.len().saturating_sub(2)];
            buffer[length..length + data.len()].copy_from_slice(data);
            length += data.len();
        }
        &buffer[..length]
    }
}

/// Bytes of a frame whose length byte is this.
fn total(length: u8) -> Option<usize> {
    let data = usize::from(length.checked_sub(COUNTED)?);
    Some(HEADER + data + data.div_ceil(BLOCK) * 2)
}

/// Bytes to pass over up to where the next frame may begin: its first byte may be the last there is.
fn next_start(bytes: &[u8]) -> usize {
    let next = bytes.windows(2).skip(1).position(|two| two == START).map(|place| place + 1);
    let half = usize::from(bytes.len() > 1 && bytes.last() == Some(&START[0]));
    next.unwrap_or(bytes.len() - half)
}

/// Reads the header of the application layer in the first block.
fn application(transport: u8, block: &[u8]) -> Option<Application> {
    if transport & FIRST == 0 {
        return None;
    }
    let (control, function) = (*block.get(1)?, *block.get(2)?);
    let indications = (function >= RESPONSE).then(|| super::bytes::be16(block, 3)).flatten();
    Some(Application { control, function, indications })
}

/// The parser.
pub(super) struct Dnp3;

impl Parser for Dnp3 {
    fn protocol(&self) -> Protocol {
        Protocol::Dnp3
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        matches!(carrier, Carrier::Tcp | Carrier::Udp)
    }

    fn recognise(&self, _place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.first() != Some(&START[0]) || bytes.get(1).is_some_and(|byte| *byte != START[1]) {
            return Recognition::NotForUs;
        }
        match bytes.get(..HEADER) {
            None => Recognition::Unsure,
            Some(header) if header[2] >= COUNTED && crc::right(header) => Recognition::Certain,
            Some(_) => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let Some(header) = bytes.get(..HEADER) else {
            return if bytes.iter().zip(START).all(|(have, want)| *have == want) {
                Step::NeedMore(HEADER)
            } else {
                Step::Malformed { why: "does not begin with 05 64", consumed: next_start(bytes) }
            };
        };
        let length = total(header[2]).filter(|_| header.starts_with(&START) && crc::right(header));
        let Some(length) = length else {
            // The stream goes on at the next start of a frame.
            let (why, consumed) = ("link header with a wrong checksum", next_start(bytes));
            return Step::Malformed { why, consumed };
        };
        let blocks = match bytes.get(HEADER..length) {
            Some(blocks) => blocks,
            None if place.cut == 0 => return Step::NeedMore(length),
            None => {
                let whole = (bytes.len() - HEADER) / (BLOCK + 2) * (BLOCK + 2);
                &bytes[HEADER..HEADER + whole]
            }
        };
        if !blocks.chunks(BLOCK + 2).all(crc::right) {
            return Step::Malformed { why: "data block with a wrong checksum", consumed: length };
        }
        let transport = blocks.first().copied();
        let message = Message {
            destination: le16(header, 4).unwrap_or(0),
            source: le16(header, 6).unwrap_or(0),
            control: header[3],
            application: transport.and_then(|transport| {
                application(transport, &blocks[..blocks.len().min(BLOCK + 2) - 2])
            }),
            last: transport.is_some_and(|transport| transport & LAST != 0),
            blocks,
        };
        Step::Message { record: Record::Dnp3(message), consumed: length }
    }
}
