//! GOOSE (IEC 61850-8-1 clause 18 and annex A; routed: IEC 61850-90-5).

#[cfg(test)]
mod tests;

use super::ber::{self, Elements, unsigned32};
use super::bytes::{Cursor, be16};
use super::data::{Data, UtcTime};
use super::operation::{Effect, Object, Operation, Role, Values};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// EtherType of GOOSE.
const ETHER_TYPE: u16 = 0x88b8;
/// Application identifier, length and two reserved words.
const HEADER: usize = 8;
/// Tag of a GOOSE protocol data unit.
const PDU: u8 = 0x61;
/// Tag of a management message, which asks for lists of names.
const MANAGEMENT: u8 = 0x60;
/// Connectionless transport and session header of a routed message.
const ROUTED: [u8; 3] = [0x01, 0x40, 0xa1];
/// Payload type of GOOSE in a routed session.
const ROUTED_GOOSE: u8 = 0x81;
/// Bit of the first reserved word that marks simulated messages (edition 2).
const SIMULATED: u16 = 0x8000;

/// One message of a publisher.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Application identifier.
    pub app_id: u16,
    /// Reference of the control block: what identifies the publisher.
    pub control_block: &'a [u8],
    /// Milliseconds within which the next message must come.
    pub time_allowed_to_live: u32,
    /// Reference of the data set.
    pub data_set: &'a [u8],
    /// Identifier the engineer gave, empty where there is none.
    pub id: &'a [u8],
    /// When the state last changed.
    pub changed: UtcTime,
    /// State number: one more at each change.
    pub state: u32,
    /// Sequence number: 0 at a change, one more at each repetition.
    pub sequence: u32,
    /// Simulated (edition 2) or for test (edition 1).
    pub simulation: bool,
    /// Revision of the configuration.
    pub revision: u32,
    /// Whether the publisher needs commissioning.
    pub needs_commissioning: bool,
    /// Entries of the data set as stated.
    pub entries: u32,
    /// The values.
    pub data: Data<'a>,
    /// Whether the capture cut it.
    pub cut: bool,
}

impl<'a> Message<'a> {
    /// Tells the one operation: a report of the data set, by the name of the control block.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        each(Operation {
            role: Role::Report,
            effect: Effect::Read,
            function: 1,
            name: "goose report",
            unit: u32::from(self.app_id),
            transaction: None,
            refused: None,
            cause: u16::from(self.simulation) | u16::from(self.needs_commissioning) << 1,
            object: Object::Name(self.control_block),
            values: Values::data(self.data),
        });
    }
}

/// Where the protocol data unit begins, its application identifier and whether it is simulated.
fn locate(place: &Place, bytes: &[u8]) -> Option<(usize, u16, bool)> {
    if place.carrier != Carrier::Udp {
        let (app_id, reserved) = (be16(bytes, 0)?, be16(bytes, 4)?);
        return Some((HEADER, app_id, reserved & SIMULATED != 0));
    }
    let mut cursor = Cursor::new(bytes.strip_prefix(&ROUTED)?);
    // Length of the session header, then its common part: tag, length, numbers, keys.
    cursor.u8()?;
    cursor.u8()?;
    let common = usize::from(cursor.u8()?);
    cursor.take(common)?;
    let _payload_length = cursor.be32()?;
    if cursor.u8()? != ROUTED_GOOSE {
        return None;
    }
    let simulation = cursor.u8()? != 0;
    let app_id = cursor.be16()?;
    let _length = cursor.be16()?;
    Some((bytes.len() - cursor.rest().len(), app_id, simulation))
}

/// Reads the elements of a protocol data unit; `None` where one that must be is not.
fn read(app_id: u16, simulated: bool, pdu: &[u8], cut: bool) -> Option<Message<'_>> {
    let mut message = Message {
        app_id,
        control_block: &[],
        time_allowed_to_live: 0,
        data_set: &[],
        id: &[],
        changed: UtcTime::default(),
        state: 0,
        sequence: 0,
        simulation: simulated,
        revision: 0,
        needs_commissioning: false,
        entries: 0,
        data: Data::default(),
        cut,
    };
    let mut seen = 0_u16;
    for element in Elements::new(pdu) {
        let value = element.value;
        seen |= 1_u16.checked_shl(element.number).unwrap_or(0);
        match element.tag {
            0x80 => message.control_block = value,
            0x81 => message.time_allowed_to_live = unsigned32(value)?,
            0x82 => message.data_set = value,
            0x83 => message.id = value,
            0x84 => message.changed = UtcTime::read(value)?,
            0x85 => message.state = unsigned32(value)?,
            0x86 => message.sequence = unsigned32(value)?,
            0x87 => message.simulation |= value.iter().any(|byte| *byte != 0),
            0x88 => message.revision = unsigned32(value)?,
            0x89 => message.needs_commissioning = value.iter().any(|byte| *byte != 0),
            0x8a => message.entries = unsigned32(value)?,
            0xab => message.data = Data::new(value),
            _ => {}
        }
    }
    // Without control block, time, state and sequence number nothing can be judged.
    let needed = 1 | 1 << 4 | 1 << 5 | 1 << 6;
    (seen & needed == needed).then_some(message)
}

/// The parser.
pub(super) struct Goose;

impl Parser for Goose {
    fn protocol(&self) -> Protocol {
        Protocol::Goose
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        matches!(carrier, Carrier::Link(ETHER_TYPE) | Carrier::Udp)
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if place.carrier == Carrier::Udp && !bytes.starts_with(&ROUTED) {
            return Recognition::NotForUs;
        }
        let Some((start, ..)) = locate(place, bytes) else { return Recognition::NotForUs };
        let Some((tag, length)) = bytes.get(start..).and_then(ber::whole) else {
            return Recognition::NotForUs;
        };
        let there = bytes.len() - start + place.cut as usize;
        let known = tag == MANAGEMENT
            || tag == PDU && bytes[start..].iter().take(5).any(|byte| *byte == 0x80);
        if known && length <= there { Recognition::Certain } else { Recognition::NotForUs }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        // One frame or datagram is one message; what follows it is padding or a signature.
        let consumed = bytes.len();
        let Some((start, app_id, simulated)) = locate(place, bytes) else {
            return Step::Malformed { why: "header shorter than GOOSE needs", consumed };
        };
        let Some((pdu, _)) = bytes.get(start..).and_then(ber::read) else {
            return Step::Malformed { why: "no GOOSE protocol data unit", consumed };
        };
        if pdu.tag == MANAGEMENT {
            return Step::Pass { consumed };
        }
        if pdu.cut && place.cut == 0 {
            return Step::Malformed { why: "GOOSE data unit longer than its frame", consumed };
        }
        match read(app_id, simulated, pdu.value, pdu.cut) {
            Some(message) if pdu.tag == PDU => {
                Step::Message { record: Record::Goose(message), consumed }
            }
            _ => Step::Malformed { why: "GOOSE data unit lacks what it must hold", consumed },
        }
    }
}
