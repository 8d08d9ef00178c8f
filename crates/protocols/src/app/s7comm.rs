//! S7 communication over ISO transport (no public standard; after the field's common reading), and
//! its successor S7comm-plus as far as its functions.

mod items;
mod operations;
#[cfg(test)]
mod tests;

use super::bytes::{Cursor, be16};
use super::operation::Operation;
use super::tpkt::{self, Cotp, Gathered, Packet};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

pub use items::{Item, Part};

/// First byte of a unit.
const CLASSIC: u8 = 0x32;
/// First byte of a unit of the successor.
const PLUS: u8 = 0x72;
/// Highest version of the successor, and its keep-alive.
const PLUS_VERSION: u8 = 3;
const PLUS_ALIVE: u8 = 0xff;
const PLUS_EXTENDED: u8 = 0xfe;
/// Header of a job; responses hold two bytes of error more.
const HEADER: usize = 10;
/// What the selector of Siemens' newer stations begins with.
const SIMATIC: &[u8] = b"SIMATIC-ROOT";

/// Kind of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request.
    Job,
    /// An acknowledgement without data.
    Ack,
    /// An answer.
    AckData,
    /// Programming, diagnosis, cyclic data, time.
    UserData,
}

/// One protocol data unit, or the connection below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// What it says.
    pub body: Body<'a>,
    /// Whether part of it was not read: cut by the capture, or in a later transport packet.
    pub cut: bool,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body<'a> {
    /// The transport connection: selectors name rack and slot.
    Connect {
        /// Whether it is confirmed.
        confirm: bool,
        /// Selector of the caller.
        calling: &'a [u8],
        /// Selector of the called.
        called: &'a [u8],
    },
    /// A unit of S7 communication.
    Unit {
        /// Its kind.
        kind: Kind,
        /// Number that joins request and response.
        reference: u16,
        /// Error class (upper byte) and code of an answer, 0 where all is well.
        error: u16,
        /// Function and its parameters.
        parameters: &'a [u8],
        /// Data.
        data: &'a [u8],
    },
    /// A unit of S7comm-plus.
    Plus {
        /// Version of the protocol.
        version: u8,
        /// 0x31 request, 0x32 response, 0x33 notification; 0 where it was not read.
        opcode: u8,
        /// Function, 0 where it was not read.
        function: u16,
        /// Number that joins request and response.
        sequence: u16,
    },
}

impl<'a> Message<'a> {
    /// Function code of a job or answer; group and sub-function of user data with the upper byte
    /// 0x10 and above.
    #[must_use]
    pub fn function(&self) -> Option<u16> {
        match self.body {
            Body::Unit { kind: Kind::UserData, parameters, .. } => {
                let (group, sub) = (parameters.get(5)? & 0x0f, parameters.get(6)?);
                Some(u16::from(0x10 | group) << 8 | u16::from(*sub))
            }
            Body::Unit { parameters, .. } => parameters.first().map(|code| u16::from(*code)),
            Body::Plus { function, .. } => Some(function),
            Body::Connect { .. } => None,
        }
    }

    /// Tells each operation: one an item read or written, else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }
}

/// Reads a unit; `None` where it is none. What is behind the end of `payload` counts as cut.
fn read(payload: &[u8]) -> Option<(Body<'_>, bool)> {
    match payload.first() {
        Some(&CLASSIC) => classic(payload),
        Some(&PLUS) => plus(payload).map(|body| (body, false)),
        _ => None,
    }
}

fn classic(payload: &[u8]) -> Option<(Body<'_>, bool)> {
    let mut cursor = Cursor::new(payload);
    cursor.u8()?;
    let kind = match cursor.u8()? {
        1 => Kind::Job,
        2 => Kind::Ack,
        3 => Kind::AckData,
        7 => Kind::UserData,
        _ => return None,
    };
    cursor.be16()?;
    let reference = cursor.be16()?;
    let (parameters, data) = (usize::from(cursor.be16()?), usize::from(cursor.be16()?));
    let error = match kind {
        Kind::Ack | Kind::AckData => cursor.be16()?,
        Kind::Job | Kind::UserData => 0,
    };
    let cut = cursor.rest().len() < parameters + data;
    let (parameters, data) = (cursor.up_to(parameters), cursor.up_to(data));
    Some((Body::Unit { kind, reference, error, parameters, data }, cut))
}

fn plus(payload: &[u8]) -> Option<Body<'_>> {
    let mut cursor = Cursor::new(payload);
    cursor.u8()?;
    let version = cursor.u8()?;
    let known = version <= PLUS_VERSION || matches!(version, PLUS_ALIVE | PLUS_EXTENDED);
    let held = if version == PLUS_ALIVE { 0 } else { usize::from(be16(payload, 2)?) };
    if !known || held + 4 > payload.len() && held > payload.len() * 64 {
        return None;
    }
    cursor.be16()?;
    // Version 3 puts a digest with its length in front.
    if version == PLUS_VERSION && cursor.rest().first().is_some_and(|length| *length <= 0x30) {
        let digest = cursor.u8().map_or(0, usize::from);
        cursor.up_to(digest);
    }
    let opcode = cursor.u8().filter(|opcode| (0x31..=0x33).contains(opcode)).unwrap_or(0);
    let rest = cursor.rest();
    let word = |at| if opcode == 0 { 0 } else { be16(rest, at).unwrap_or(0) };
    Some(Body::Plus { version, opcode, function: word(2), sequence: word(6) })
}

/// Whether a payload states what it holds.
fn agrees(payload: &[u8]) -> Recognition {
    match payload {
        [CLASSIC, kind @ (1 | 2 | 3 | 7), _, _, _, _, rest @ ..] if rest.len() >= 4 => {
            let lengths = be16(rest, 0).zip(be16(rest, 2));
            let more = if matches!(kind, 2 | 3) { 2 } else { 0 };
            let stated = lengths.map(|(a, b)| usize::from(a) + usize::from(b) + HEADER + more);
            if stated == Some(payload.len()) { Recognition::Certain } else { Recognition::Unsure }
        }
        [PLUS, 1..=PLUS_VERSION, rest @ ..] => {
            let length = be16(rest, 0).map_or(0, usize::from) + 4;
            match payload.get(length..) {
                Some([PLUS, version, 0, 0]) if *version == payload[1] => Recognition::Certain,
                _ => Recognition::Unsure,
            }
        }
        [PLUS, PLUS_ALIVE | PLUS_EXTENDED, ..] => Recognition::Unsure,
        _ => Recognition::NotForUs,
    }
}

/// What transport data says.
fn step(payload: &[u8], more: bool, consumed: usize) -> Step<'_> {
    match read(payload) {
        Some((body, cut)) => {
            let message = Message { body, cut: cut || more };
            Step::Message { record: Record::S7comm(message), consumed }
        }
        // Later packets of a long unit of the successor, and empty ones.
        None => Step::Pass { consumed },
    }
}

/// The parser.
pub(super) struct S7comm;

impl Parser for S7comm {
    fn protocol(&self) -> Protocol {
        Protocol::S7comm
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.first() != Some(&3) || bytes.get(1).is_some_and(|byte| *byte != 0) {
            return Recognition::NotForUs;
        }
        let at_home = place.uses(tpkt::PORT);
        match tpkt::first_data(bytes) {
            Some(Cotp::Data { payload, .. }) => match agrees(payload) {
                Recognition::Unsure if at_home => Recognition::Certain,
                Recognition::NotForUs if payload.len() < HEADER && payload[0] == CLASSIC => {
                    Recognition::Unsure
                }
                other => other,
            },
            Some(Cotp::Connect { calling, called, .. }) => {
                let family = calling.starts_with(SIMATIC) || called.starts_with(SIMATIC);
                // Rack and slot behind the kind of connection: programming, operating, others.
                let slot = matches!(called, [1..=3, _]) && at_home;
                if family || slot { Recognition::Certain } else { Recognition::Unsure }
            }
            None if tpkt::is_begun(bytes) => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        match tpkt::packet(bytes) {
            Packet::Whole { cotp: Cotp::Connect { confirm, calling, called }, length } => {
                let message =
                    Message { body: Body::Connect { confirm, calling, called }, cut: false };
                Step::Message { record: Record::S7comm(message), consumed: length }
            }
            // The selectors looked alike; the data is another protocol's.
            Packet::Whole { cotp: Cotp::Data { payload, .. }, .. }
                if super::mms::is_mms(payload) =>
            {
                Step::Malformed { why: "MMS behind the connection of an S7 station", consumed: 0 }
            }
            Packet::Whole { cotp: Cotp::Data { last: true, payload }, length } => {
                step(payload, false, length)
            }
            // Some stations send an empty fragment to acknowledge.
            Packet::Whole { cotp: Cotp::Data { payload: [], .. }, length } => {
                Step::Pass { consumed: length }
            }
            Packet::Whole { cotp: Cotp::Data { last: false, payload }, length } => {
                match tpkt::gather(bytes, payload, length) {
                    Gathered::Whole { head, more, consumed } => step(head, more, consumed),
                    Gathered::Short(_) if place.cut > 0 => step(payload, true, length),
                    Gathered::Short(need) => Step::NeedMore(need),
                    Gathered::Broken => {
                        let why = "fragmented transport data is not continued";
                        Step::Malformed { why, consumed: length }
                    }
                }
            }
            Packet::Whole { length, .. } => Step::Pass { consumed: length },
            Packet::Short(length) => match tpkt::begun(bytes) {
                Some(Cotp::Data { payload, .. }) if place.cut > 0 => step(payload, true, length),
                _ => Step::NeedMore(length),
            },
            Packet::Broken => {
                Step::Malformed { why: "not a TPKT packet with ISO transport", consumed: 0 }
            }
        }
    }
}
