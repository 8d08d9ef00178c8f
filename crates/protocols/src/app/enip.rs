//! EtherNet/IP encapsulation (CIP volume 2, chapter 2) with the CIP messages inside.

mod cip;
mod operations;
#[cfg(test)]
mod tests;

use super::bytes::{Cursor, le16, le32};
use super::operation::Operation;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

pub use cip::{Cip, Path};

/// Registered port of the encapsulation.
const PORT: u16 = 44_818;
/// Bytes of the encapsulation header.
const HEADER: usize = 24;
/// Most data behind the header.
const MOST_DATA: usize = 65_511;
/// Items of one message that are looked at.
const MAX_ITEMS: u16 = 8;
/// Commands that carry items behind interface and timeout.
const SEND_REQUEST: u16 = 0x6f;
const SEND_UNIT: u16 = 0x70;
/// What cyclic data begins with: two items, the first an address with sequence of eight bytes.
const CYCLIC: [u8; 6] = [2, 0, 2, 0x80, 8, 0];
/// Item types.
const CONNECTED_DATA: u16 = 0xb1;
const UNCONNECTED_DATA: u16 = 0xb2;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Encapsulation command; 0 for cyclic data, which has none.
    pub command: u16,
    /// Session handle.
    pub session: u32,
    /// Encapsulation status.
    pub status: u32,
    /// First half of the sender's context, which the answer repeats.
    pub context: u32,
    /// What it carries.
    pub content: Content<'a>,
    /// Whether the capture cut it.
    pub cut: bool,
}

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content<'a> {
    /// Nothing.
    None,
    /// Data of another command.
    Bytes(&'a [u8]),
    /// A CIP message.
    Cip {
        /// The message.
        cip: Cip<'a>,
        /// Sequence count on a connection.
        sequence: Option<u16>,
    },
    /// Cyclic input or output data.
    Cyclic {
        /// Connection identifier.
        connection: u32,
        /// The data, with the sequence count in front where the class has one.
        data: &'a [u8],
    },
}

impl<'a> Message<'a> {
    /// Whether the encapsulation answers: known by the form, as both ends use the same commands.
    #[must_use]
    pub fn is_response(&self) -> bool {
        match (self.command, self.content) {
            (_, Content::Cip { cip, .. }) => cip.response,
            (0x04 | 0x63 | 0x64, Content::Bytes(_)) => true,
            (0x65, _) => self.session != 0,
            _ => self.status != 0,
        }
    }

    /// Tells each operation: one a CIP service, packets of several taken apart, else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }

    /// Tells each CIP message: envelopes, then what is in them.
    pub fn each_cip(&self, tell: &mut dyn FnMut(&Cip<'a>)) {
        if let Content::Cip { cip, .. } = self.content {
            cip.each(tell);
        }
    }
}

const fn is_command(number: u16) -> bool {
    matches!(number, 0x00 | 0x04 | 0x63..=0x66 | 0x6f | 0x70 | 0x72 | 0x73)
}

/// Command and length, if this is a header.
fn header(bytes: &[u8]) -> Option<(u16, usize)> {
    let (command, length) = (le16(bytes, 0)?, usize::from(le16(bytes, 2)?));
    let options = le32(bytes, 20)?;
    (is_command(command) && length <= MOST_DATA && options == 0).then_some((command, length))
}

/// The items behind interface handle and timeout.
fn items(bytes: &[u8]) -> Option<Content<'_>> {
    let mut cursor = Cursor::new(bytes);
    cursor.le32()?;
    cursor.le16()?;
    let mut content = Content::None;
    for _ in 0..cursor.le16()?.min(MAX_ITEMS) {
        let (kind, length) = (cursor.le16()?, usize::from(cursor.le16()?));
        let mut item = Cursor::new(cursor.up_to(length));
        match kind {
            CONNECTED_DATA => {
                let sequence = item.le16();
                if let Some(cip) = Cip::read(item.rest()) {
                    content = Content::Cip { cip, sequence };
                }
            }
            UNCONNECTED_DATA => {
                if let Some(cip) = Cip::read(item.rest()) {
                    content = Content::Cip { cip, sequence: None };
                }
            }
            _ => {}
        }
    }
    Some(content)
}

/// Reads cyclic data.
fn cyclic(bytes: &[u8], cut: bool) -> Option<Message<'_>> {
    let mut cursor = Cursor::new(bytes.strip_prefix(&CYCLIC)?);
    let (connection, _sequence) = (cursor.le32()?, cursor.le32()?);
    let (kind, length) = (cursor.le16()?, usize::from(cursor.le16()?));
    let data = cursor.up_to(length);
    let whole = kind == CONNECTED_DATA && (cut || data.len() == length && cursor.is_empty());
    whole.then_some(Message {
        command: 0,
        session: 0,
        status: 0,
        context: 0,
        content: Content::Cyclic { connection, data },
        cut,
    })
}

/// Whether the data behind a header fits its command.
fn fits(command: u16, length: usize, bytes: &[u8]) -> Recognition {
    let data = &bytes[HEADER.min(bytes.len())..];
    let yes = match command {
        0x04 | 0x63 | 0x64 if length == 0 => true,
        0x04 | 0x63 | 0x64 => le16(data, 0).is_some_and(|count| (1..=8).contains(&count)),
        0x65 => length == 4 && matches!(data.first_chunk(), Some([1, 0, 0, 0])),
        0x66 => length == 0,
        SEND_REQUEST | SEND_UNIT => {
            let items = le16(data, 6).is_some_and(|count| (1..=4).contains(&count));
            if data.len() < 8 && length >= 16 {
                return Recognition::Unsure;
            }
            length >= 16 && le32(data, 0) == Some(0) && items
        }
        _ => return Recognition::Unsure,
    };
    if yes { Recognition::Certain } else { Recognition::NotForUs }
}

/// The parser.
pub(super) struct Enip;

impl Parser for Enip {
    fn protocol(&self) -> Protocol {
        Protocol::Enip
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        matches!(carrier, Carrier::Tcp | Carrier::Udp)
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        let udp = place.carrier == Carrier::Udp;
        if le16(bytes, 0).is_some_and(|command| !is_command(command)) {
            let cyclic =
                udp && bytes.starts_with(&CYCLIC) && cyclic(bytes, place.cut > 0).is_some();
            return if cyclic { Recognition::Certain } else { Recognition::NotForUs };
        }
        if bytes.len() < HEADER {
            return if udp { Recognition::NotForUs } else { Recognition::Unsure };
        }
        let Some((command, length)) = header(bytes) else { return Recognition::NotForUs };
        if udp && HEADER + length != bytes.len() + place.cut as usize {
            return Recognition::NotForUs;
        }
        // A command of zeroes proves nothing where everything is zero.
        let blank = bytes.iter().all(|byte| *byte == 0);
        match fits(command, length, bytes) {
            _ if blank => Recognition::NotForUs,
            Recognition::Unsure if place.uses(PORT) => Recognition::Certain,
            Recognition::Unsure if udp => Recognition::NotForUs,
            other => other,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let udp = place.carrier == Carrier::Udp;
        if udp && bytes.starts_with(&CYCLIC) {
            let consumed = bytes.len();
            return match cyclic(bytes, place.cut > 0) {
                Some(message) => Step::Message { record: Record::Enip(message), consumed },
                None => Step::Malformed { why: "cyclic data of another form", consumed },
            };
        }
        if bytes.len() < HEADER {
            return Step::NeedMore(HEADER);
        }
        let Some((command, length)) = header(bytes) else {
            let why = "command, length or options are not EtherNet/IP";
            return Step::Malformed { why, consumed: 0 };
        };
        let total = HEADER + length;
        let cut = bytes.len() < total;
        if cut && place.cut == 0 {
            return Step::NeedMore(total);
        }
        let data = &bytes[HEADER..total.min(bytes.len())];
        let content = match command {
            SEND_REQUEST | SEND_UNIT => items(data).unwrap_or(Content::Bytes(data)),
            _ if data.is_empty() => Content::None,
            _ => Content::Bytes(data),
        };
        let word = |at| le32(bytes, at).unwrap_or(0);
        let (session, status, context) = (word(4), word(8), word(12));
        let message = Message { command, session, status, context, content, cut };
        Step::Message { record: Record::Enip(message), consumed: total }
    }
}
