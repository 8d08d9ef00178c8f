//! Modbus over TCP (Modbus Application Protocol V1.1b3, Messaging on TCP/IP V1.0b).

mod body;
mod operations;
#[cfg(test)]
mod tests;

use super::bytes::be16;
use super::{
    Carrier, Operation, Parser, Place, Protocol, Recognition, Record, Role, Scratch, Step,
};

pub use body::{Body, FileRecord, FileRecords, Objects};

/// Registered port.
const PORT: u16 = 502;
/// Bytes of the header before the unit.
const HEADER: usize = 6;
/// Unit and function, the least a message holds.
const SHORTEST: usize = 2;
/// Unit and the longest protocol data unit (253 bytes).
const LONGEST: usize = 254;
/// Bit that marks an exception response.
const EXCEPTION: u8 = 0x80;

/// One application data unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Number that joins request and response.
    pub transaction: u16,
    /// Unit behind the address (0 or 255 where there is only one).
    pub unit: u8,
    /// Function code, without the bit of an exception.
    pub function: u8,
    /// Request or response.
    pub role: Role,
    /// What the function carries.
    pub body: Body<'a>,
    /// Whether the capture cut it.
    pub cut: bool,
}

impl<'a> Message<'a> {
    /// Tells each operation: one, or two where a message both reads and writes, or one a record of
    /// a file.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }
}

/// Function codes the standard gives to the public (section 5.1, with 20-24 and 43).
const fn is_public(function: u8) -> bool {
    matches!(function, 1..=8 | 11 | 12 | 15 | 16 | 17 | 20..=24 | 43)
}

/// Length that unit and protocol data unit state together, if this is a header.
fn stated(bytes: &[u8]) -> Option<usize> {
    let length = usize::from(be16(bytes, 4)?);
    let protocol = be16(bytes, 2)?;
    (protocol == 0 && (SHORTEST..=LONGEST).contains(&length)).then_some(length)
}

/// What port and opener say about the direction: only the device listens at the port. What goes there
/// asks, whoever is believed to have opened the conversation: a forged opening must not turn commands
/// into answers.
const fn role_of(place: &Place) -> Option<Role> {
    match (place.from_opener, place.src_port == PORT, place.dst_port == PORT) {
        (_, false, true) | (Some(true), ..) => Some(Role::Request),
        (Some(false), ..) | (None, true, false) => Some(Role::Response),
        (None, ..) => None,
    }
}

/// Reads unit and protocol data unit; the direction decides where both would fit.
fn read(
    transaction: u16,
    length: usize,
    data: &[u8],
    expected: Option<Role>,
) -> Option<Message<'_>> {
    let cut = data.len() < length;
    let length = length.checked_sub(SHORTEST)?;
    let (&[unit, code], rest) = data.split_first_chunk::<2>()?;
    let function = code & !EXCEPTION;
    let message = |role, body| Message { transaction, unit, function, role, body, cut };
    if code & EXCEPTION != 0 {
        let body = rest.first().map_or(Body::Other(rest), |code| Body::Exception(*code));
        return Some(message(Role::Response, body));
    }
    let first = expected.unwrap_or(Role::Request);
    let second = if first == Role::Request { Role::Response } else { Role::Request };
    for role in [first, second] {
        if let Some(body) = body::read(function, role, length, rest) {
            return Some(message(role, body));
        }
    }
    Some(message(first, Body::Other(rest)))
}

/// The parser.
pub(super) struct Modbus;

impl Parser for Modbus {
    fn protocol(&self) -> Protocol {
        Protocol::Modbus
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        matches!(carrier, Carrier::Tcp | Carrier::Udp)
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.len() < HEADER + SHORTEST {
            let zero = bytes.get(2..4.min(bytes.len())).unwrap_or_default();
            let doubt = place.carrier == Carrier::Tcp && zero.iter().all(|byte| *byte == 0);
            return if doubt { Recognition::Unsure } else { Recognition::NotForUs };
        }
        let Some(length) = stated(bytes) else { return Recognition::NotForUs };
        let code = bytes[HEADER + 1];
        let held = bytes.len() - HEADER;
        if place.carrier == Carrier::Udp && held + place.cut as usize != length {
            return Recognition::NotForUs;
        }
        let fits = if code & EXCEPTION != 0 {
            length == 3 && bytes.get(HEADER + 2).is_some_and(|code| (1..=11).contains(code))
        } else {
            body::fits(code, length - SHORTEST, &bytes[HEADER + 2..])
        };
        let known = is_public(code & !EXCEPTION);
        let at_home = place.uses(PORT);
        // Zeroes are a common filling: alone they prove nothing.
        let blank = bytes[..2] == [0, 0] && bytes[HEADER..].iter().all(|byte| *byte == 0);
        match (fits && known, at_home) {
            (true, _) if !blank => Recognition::Certain,
            (_, true) => Recognition::Certain,
            (_, false) if known && held < length => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if bytes.len() < HEADER + SHORTEST {
            return Step::NeedMore(HEADER + SHORTEST);
        }
        let Some(length) = stated(bytes) else {
            let why = "protocol identifier or length of the header is not Modbus";
            return Step::Malformed { why, consumed: 0 };
        };
        let (total, held) = (HEADER + length, bytes.len());
        if held < total && place.cut == 0 {
            return Step::NeedMore(total);
        }
        let transaction = u16::from_be_bytes([bytes[0], bytes[1]]);
        match read(transaction, length, &bytes[HEADER..total.min(held)], role_of(place)) {
            Some(message) => Step::Message { record: Record::Modbus(message), consumed: total },
            None => Step::Malformed { why: "message without a function", consumed: total },
        }
    }
}
