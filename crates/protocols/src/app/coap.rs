//! CoAP over datagrams (RFC 7252): code, token and options; payloads are counted alone.

use super::bytes::Cursor;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Octet between options and payload.
const PAYLOAD_MARKER: u8 = 0xff;
/// Longest token.
const MAX_TOKEN_BYTES: u8 = 8;
/// Octets of text in a message that make its recognition certain.
const CERTAIN_TEXT_BYTES: usize = 3;

/// Options that are read (RFC 7252, 5.10; RFC 7641).
const URI_HOST: u16 = 3;
const OBSERVE: u16 = 6;
const URI_PATH: u16 = 11;
const CONTENT_FORMAT: u16 = 12;
const URI_QUERY: u16 = 15;

/// How a message is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Wants an acknowledgement.
    Confirmable,
    /// Wants none.
    NonConfirmable,
    /// Acknowledges, and may answer.
    Acknowledgement,
    /// Was not understood.
    Reset,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// How it is acknowledged.
    pub kind: Kind,
    /// Class and detail: 0.01 (1) is GET, 2.05 (69) is content; 0 is empty.
    pub code: u8,
    /// Joins message and acknowledgement.
    pub id: u16,
    /// Joins question and answer.
    pub token: &'a [u8],
    options: &'a [u8],
    /// Octets of payload.
    pub payload_len: usize,
}

impl<'a> Message<'a> {
    /// Options: number and value.
    pub fn options(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut options = Options { cursor: Cursor::new(self.options), number: 0 };
        std::iter::from_fn(move || options.next().ok().flatten())
    }

    fn values(&self, wanted: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.options().filter(move |(number, _)| *number == wanted).map(|(_, value)| value)
    }

    /// Segments of the path asked for.
    pub fn path(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.values(URI_PATH)
    }

    /// Arguments of the query.
    pub fn query(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.values(URI_QUERY)
    }

    /// Host asked.
    #[must_use]
    pub fn host(&self) -> Option<&'a [u8]> {
        self.values(URI_HOST).next()
    }

    /// Number of the observation: 0 asks for one, 1 ends it, in answers it counts on.
    #[must_use]
    pub fn observe(&self) -> Option<u32> {
        self.values(OBSERVE).next().map(number)
    }

    /// Format of the payload, as numbered by IANA.
    #[must_use]
    pub fn content_format(&self) -> Option<u32> {
        self.values(CONTENT_FORMAT).next().map(number)
    }

    /// Whether it asks for something.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.code, 1..=31)
    }
}

fn number(value: &[u8]) -> u32 {
    value.iter().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

struct Options<'a> {
    cursor: Cursor<'a>,
    number: u16,
}

/// What ends the reading of options.
enum Fault {
    Short,
    Broken,
}

impl<'a> Options<'a> {
    /// The next option; `None` at the payload or the end.
    fn next(&mut self) -> Result<Option<(u16, &'a [u8])>, Fault> {
        if matches!(self.cursor.rest().first(), None | Some(&PAYLOAD_MARKER)) {
            return Ok(None);
        }
        let first = self.cursor.u8().ok_or(Fault::Short)?;
        let delta = self.extended(first >> 4)?;
        let len = self.extended(first & 0xf)?;
        self.number = self.number.checked_add(delta).ok_or(Fault::Broken)?;
        let value = self.cursor.take(usize::from(len)).ok_or(Fault::Short)?;
        Ok(Some((self.number, value)))
    }

    /// A half octet, or the number behind that it stands for (RFC 7252, 3.1).
    fn extended(&mut self, half: u8) -> Result<u16, Fault> {
        match half {
            0..=12 => Ok(u16::from(half)),
            13 => Ok(u16::from(self.cursor.u8().ok_or(Fault::Short)?) + 13),
            14 => {
                let number = self.cursor.be16().ok_or(Fault::Short)?;
                number.checked_add(269).ok_or(Fault::Broken)
            }
            _ => Err(Fault::Broken),
        }
    }
}

/// Codes in use: class and detail.
const fn is_known_code(code: u8) -> bool {
    matches!(
        (code >> 5, code & 0x1f),
        (0, 0..=7) | (2, 1..=5 | 31) | (4, 0..=9 | 12 | 13 | 15 | 22 | 29) | (5, 0..=5 | 8)
    )
}

fn read(bytes: &[u8], cut: u32) -> Result<Message<'_>, Fault> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8().ok_or(Fault::Short)?;
    let (version, token_len) = (first >> 6, first & 0xf);
    let code = cursor.u8().ok_or(Fault::Short)?;
    let id = cursor.be16().ok_or(Fault::Short)?;
    if version != 1 || token_len > MAX_TOKEN_BYTES {
        return Err(Fault::Broken);
    }
    let token = cursor.take(usize::from(token_len)).ok_or(Fault::Short)?;
    let behind = cursor.rest();
    let mut options = Options { cursor, number: 0 };
    while options.next()?.is_some() {}
    let mut rest = options.cursor;
    let taken = behind.len() - rest.rest().len();
    let marked = rest.u8().is_some();
    let payload_len = rest.rest().len() + if marked { cut as usize } else { 0 };
    // A marker without payload is an error, and so is anything in an empty message.
    let empty = token.is_empty() && behind.is_empty();
    if (marked && payload_len == 0) || (code == 0 && !empty) {
        return Err(Fault::Broken);
    }
    if !marked && cut > 0 {
        return Err(Fault::Short);
    }
    let kind = match first >> 4 & 3 {
        0 => Kind::Confirmable,
        1 => Kind::NonConfirmable,
        2 => Kind::Acknowledgement,
        _ => Kind::Reset,
    };
    let options = behind.get(..taken).unwrap_or_default();
    Ok(Message { kind, code, id, token, options, payload_len })
}

/// Whether an option is known and its value one it may have; texts tell how long they are.
fn judge_option(number: u16, value: &[u8]) -> Option<usize> {
    let text = value.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0xc2);
    let (least, most, is_text) = match number {
        3 => (1, 255, true),
        8 | 11 | 15 | 20 => (0, 255, true),
        35 => (1, 1034, true),
        39 => (1, 255, true),
        1 | 252 => (0, 40, false),
        4 => (1, 8, false),
        5 => (0, 0, false),
        6 | 23 | 27 => (0, 3, false),
        7 | 12 | 16 | 17 => (0, 2, false),
        9 => (0, 255, false),
        14 | 28 | 60 => (0, 4, false),
        258 => (0, 1, false),
        292 => (1, 8, false),
        _ => return None,
    };
    let fits = (least..=most).contains(&value.len()) && (text || !is_text);
    fits.then_some(if is_text { value.len() } else { 0 })
}

/// The parser.
pub(super) struct Coap;

impl Parser for Coap {
    fn protocol(&self) -> Protocol {
        Protocol::Coap
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        let [first, code, _, _, ..] = *bytes else {
            return Recognition::NotForUs;
        };
        if first >> 6 != 1 || first & 0xf > MAX_TOKEN_BYTES || !is_known_code(code) {
            return Recognition::NotForUs;
        }
        let Ok(message) = read(bytes, place.cut) else {
            return Recognition::NotForUs;
        };
        let mut text = 0;
        for (number, value) in message.options() {
            match judge_option(number, value) {
                Some(len) => text += len,
                None => return Recognition::NotForUs,
            }
        }
        match text {
            CERTAIN_TEXT_BYTES.. => Recognition::Certain,
            // What agrees but has no text to tell it by is believed at home, and only there.
            _ if place.uses(5683) => Recognition::Certain,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        match read(bytes, place.cut) {
            Ok(message) => Step::Message { record: Record::Coap(message), consumed: bytes.len() },
            Err(Fault::Short) if place.cut > 0 => Step::NeedMore(bytes.len() + place.cut as usize),
            Err(_) => Step::Malformed {
                why: "header, token or options are not as they should be",
                consumed: bytes.len(),
            },
        }
    }
}
