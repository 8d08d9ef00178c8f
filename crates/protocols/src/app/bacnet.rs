//! BACnet/IP (ASHRAE 135: annex J virtual link, clause 6 network layer, clause 20 application layer).

mod operations;
mod tags;
#[cfg(test)]
mod tests;

use super::bytes::{Cursor, be16};
use super::operation::Operation;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// First byte of every message.
const BACNET_IP: u8 = 0x81;
/// Virtual link header.
const HEADER: usize = 4;
/// Highest function of the virtual link.
const LAST_FUNCTION: u8 = 0x0c;
/// Functions that carry a network layer unit; the first puts the origin in front of it.
const FORWARDED: u8 = 4;
const CARRIERS: [u8; 4] = [FORWARDED, 9, 10, 11];
/// Version of the network layer.
const VERSION: u8 = 1;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Function of the virtual link (10 unicast, 11 broadcast, 4 forwarded …).
    pub function: u8,
    /// Network it goes to or, in answers, comes from, where it is not the local one.
    pub network: Option<u16>,
    /// Application or network layer unit; `None` where the virtual link speaks alone.
    pub apdu: Option<Apdu<'a>>,
    /// Whether the capture cut it.
    pub cut: bool,
}

/// An application layer unit, or a message of the network layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Apdu<'a> {
    /// A message of the network layer, by type.
    Network(u8),
    /// A request that wants an answer.
    Confirmed {
        /// Number that joins it with the answer.
        invoke: u8,
        /// Service.
        service: u8,
        /// Its parameters; empty in later segments.
        data: &'a [u8],
    },
    /// A request or report that wants none.
    Unconfirmed {
        /// Service.
        service: u8,
        /// Its parameters.
        data: &'a [u8],
    },
    /// The answer, with or without data.
    Ack {
        /// Number of the request.
        invoke: u8,
        /// Service.
        service: u8,
        /// What is answered; empty in later segments.
        data: &'a [u8],
    },
    /// A segment arrived.
    SegmentAck {
        /// Number of the request.
        invoke: u8,
    },
    /// Error, reject or abort.
    Refusal {
        /// Number of the request.
        invoke: u8,
        /// Service, named by errors only.
        service: Option<u8>,
        /// Class and code of an error; 0x6000 and the reason of a reject, 0x7000 of an abort.
        code: u16,
    },
}

impl<'a> Message<'a> {
    /// Tells each operation: one a property, else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }
}

/// Reads the network layer; the network named and the unit inside.
fn network(bytes: &[u8]) -> Option<(Option<u16>, Apdu<'_>)> {
    let mut cursor = Cursor::new(bytes);
    if cursor.u8()? != VERSION {
        return None;
    }
    let control = cursor.u8()?;
    let mut named = None;
    if control & 0x20 != 0 {
        named = Some(cursor.be16()?);
        let length = usize::from(cursor.u8()?);
        cursor.take(length)?;
    }
    if control & 0x08 != 0 {
        // Answers come from a network, broadcasts go to all.
        named = Some(cursor.be16()?);
        let length = usize::from(cursor.u8()?);
        cursor.take(length)?;
    }
    if control & 0x20 != 0 {
        cursor.u8()?;
    }
    if control & 0x80 != 0 {
        return Some((named, Apdu::Network(cursor.u8()?)));
    }
    Some((named, application(cursor)?))
}

/// Reads the application layer.
fn application(mut cursor: Cursor<'_>) -> Option<Apdu<'_>> {
    let first = cursor.u8()?;
    let segmented = first & 0x08 != 0;
    // Sequence number and window; whether this is a later segment, which has no tags of its own.
    let segment = |cursor: &mut Cursor<'_>| {
        if !segmented {
            return Some(false);
        }
        let sequence = cursor.u8()?;
        cursor.u8()?;
        Some(sequence > 0)
    };
    Some(match first >> 4 {
        0 => {
            cursor.u8()?;
            let invoke = cursor.u8()?;
            let later = segment(&mut cursor)?;
            let service = cursor.u8()?;
            Apdu::Confirmed { invoke, service, data: if later { &[] } else { cursor.rest() } }
        }
        1 => Apdu::Unconfirmed { service: cursor.u8()?, data: cursor.rest() },
        2 => Apdu::Ack { invoke: cursor.u8()?, service: cursor.u8()?, data: &[] },
        3 => {
            let invoke = cursor.u8()?;
            let later = segment(&mut cursor)?;
            let service = cursor.u8()?;
            Apdu::Ack { invoke, service, data: if later { &[] } else { cursor.rest() } }
        }
        4 => Apdu::SegmentAck { invoke: cursor.u8()? },
        5 => {
            let (invoke, service) = (cursor.u8()?, cursor.u8()?);
            let mut part = || match tags::next(&mut cursor) {
                Some(tags::Tag::Application(9, value)) => tags::unsigned(value).min(0xff) as u16,
                _ => 0,
            };
            let code = part() << 8 | part();
            Apdu::Refusal { invoke, service: Some(service), code }
        }
        kind @ 6..=7 => {
            let (invoke, reason) = (cursor.u8()?, cursor.u8()?);
            let code = u16::from(kind) << 12 | u16::from(reason);
            Apdu::Refusal { invoke, service: None, code }
        }
        _ => return None,
    })
}

/// Function of the virtual link and where the network layer begins, if there is one.
fn link(bytes: &[u8]) -> Option<(u8, Option<usize>)> {
    let &[kind, function, _, _] = bytes.first_chunk::<HEADER>()?;
    let start = if function == FORWARDED { HEADER + 6 } else { HEADER };
    let carries = CARRIERS.contains(&function);
    (kind == BACNET_IP && function <= LAST_FUNCTION).then_some((function, carries.then_some(start)))
}

/// The parser.
pub(super) struct Bacnet;

impl Parser for Bacnet {
    fn protocol(&self) -> Protocol {
        Protocol::Bacnet
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.first() != Some(&BACNET_IP) {
            return Recognition::NotForUs;
        }
        let Some((_, start)) = link(bytes) else { return Recognition::NotForUs };
        let stated = be16(bytes, 2).map(usize::from);
        let version = start.is_none_or(|start| bytes.get(start) == Some(&VERSION));
        let whole = stated == Some(bytes.len() + place.cut as usize);
        if whole && version { Recognition::Certain } else { Recognition::NotForUs }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let consumed = bytes.len();
        let Some((function, start)) = link(bytes) else {
            return Step::Malformed { why: "no header of the BACnet virtual link", consumed };
        };
        let unit = start.map(|start| bytes.get(start..).and_then(network));
        let cut = place.cut > 0;
        let (network, apdu) = match unit {
            None => (None, None),
            Some(Some((network, apdu))) => (network, Some(apdu)),
            Some(None) => {
                let why = "network or application layer of BACnet cannot be read";
                return Step::Malformed { why, consumed };
            }
        };
        let message = Message { function, network, apdu, cut };
        Step::Message { record: Record::Bacnet(message), consumed }
    }
}
