//! MQTT 3.1, 3.1.1 and 5 (OASIS): all control packets. Payloads are passed over, passwords are
//! never shown.

mod packet;

pub use packet::{Filters, Packet};

use super::bytes::Cursor;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Most octets of the number that tells the length.
const MAX_LENGTH_BYTES: usize = 4;
/// Longest packet, but for a message published, that is kept to be read; longer ones are passed over.
pub const MAX_PACKET_BYTES: usize = 64 * 1024;
/// Longest topic (its length is a number of two octets), with what stands before the payload.
const MAX_PUBLISH_HEAD_BYTES: usize = 2 + 65_535 + 2;

/// One control packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Protocol level of the conversation: 3, 4 (3.1.1) or 5; 0 where its start was not seen.
    pub level: u8,
    /// Octets behind the fixed header.
    pub len: usize,
    /// What it says.
    pub packet: Packet<'a>,
}

/// A number of seven bits an octet, the low ones first.
fn variable(cursor: &mut Cursor<'_>) -> Result<usize, Option<&'static str>> {
    let mut number = 0;
    for place in 0..MAX_LENGTH_BYTES {
        let octet = cursor.u8().ok_or(None)?;
        number |= usize::from(octet & 0x7f) << (7 * place);
        if octet & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Some("a length is longer than four octets"))
}

/// Fixed header: type, flags, where the rest begins and how long it is.
struct Fixed {
    kind: u8,
    flags: u8,
    at: usize,
    len: usize,
}

impl Fixed {
    fn read(bytes: &[u8]) -> Result<Self, Option<&'static str>> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8().ok_or(None)?;
        let (kind, flags) = (first >> 4, first & 0xf);
        // Reserved flags (3.1.1, table 2.2).
        let wanted = match kind {
            0 => return Err(Some("packet type 0 is reserved")),
            3 => flags,
            6 | 8 | 10 => 2,
            _ => 0,
        };
        if flags != wanted || (kind == 3 && flags & 6 == 6) {
            return Err(Some("the flags do not fit the packet type"));
        }
        let len = variable(&mut cursor)?;
        Ok(Self { kind, flags, at: bytes.len() - cursor.rest().len(), len })
    }

    const fn total(&self) -> usize {
        self.at + self.len
    }
}

/// The beginning of a connection: name and level of the protocol.
fn is_connect(bytes: &[u8]) -> Recognition {
    let fixed = match Fixed::read(bytes) {
        Ok(fixed) => fixed,
        Err(None) => return Recognition::Unsure,
        Err(Some(_)) => return Recognition::NotForUs,
    };
    let behind = &bytes[fixed.at..];
    let names: [&[u8]; 3] = [b"\0\x04MQTT\x04", b"\0\x04MQTT\x05", b"\0\x06MQIsdp\x03"];
    if fixed.len < 12 || !names.iter().any(|name| super::head::agrees(behind, name)) {
        return Recognition::NotForUs;
    }
    match names.iter().any(|name| behind.starts_with(name)) {
        // The lowest flag of a connection is reserved.
        true if behind.get(7).is_some() => Recognition::Certain,
        _ => Recognition::Unsure,
    }
}

/// Whether complete packets fill the bytes; behind the first, one may still be on its way.
fn are_packets(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let first = rest.len() == bytes.len();
        let fixed = match Fixed::read(rest) {
            Ok(fixed) => fixed,
            Err(why) => return !first && why.is_none(),
        };
        let Some(body) = rest.get(fixed.at..fixed.total()) else {
            return !first;
        };
        let reads = |level| packet::read(fixed.kind, fixed.flags, body, body.len(), level).is_ok();
        if !reads(0) && !reads(5) {
            return false;
        }
        rest = &rest[fixed.total()..];
    }
    true
}

/// The parser.
pub(super) struct Mqtt;

impl Parser for Mqtt {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        match bytes.first() {
            None => Recognition::Unsure,
            Some(0x10) => is_connect(bytes),
            // Other packets have little structure: complete ones are believed at home, and only
            // there, where the connection was made before the capture began.
            Some(0x20..) if place.uses(1883) && are_packets(bytes) => Recognition::Certain,
            Some(_) => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, _place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let fixed = match Fixed::read(bytes) {
            Ok(fixed) => fixed,
            Err(None) => return Step::NeedMore(bytes.len() + 1),
            Err(Some(why)) => return Step::Malformed { why, consumed: 0 },
        };
        let consumed = fixed.total();
        let published = fixed.kind == 3;
        if !published && fixed.len > MAX_PACKET_BYTES {
            return Step::Pass { consumed };
        }
        let there = bytes[fixed.at..].get(..fixed.len).unwrap_or(&bytes[fixed.at..]);
        let level = (scratch.0 & 0xff) as u8;
        if there.len() < fixed.len {
            let enough =
                if published { packet::publish_head(fixed.flags, there, level) } else { None };
            match enough {
                // Topic and identifier are there: the payload need not come first.
                Some(head) if head <= there.len() => {}
                Some(head) if head > MAX_PUBLISH_HEAD_BYTES + MAX_PACKET_BYTES => {
                    return Step::Pass { consumed };
                }
                Some(head) => return Step::NeedMore(fixed.at + head.min(fixed.len)),
                None if published => return Step::NeedMore(bytes.len() + 1),
                None => return Step::NeedMore(consumed),
            }
        }
        match packet::read(fixed.kind, fixed.flags, there, fixed.len, level) {
            Ok(packet) => {
                let level = match packet {
                    Packet::Connect { level, .. } => level,
                    _ => level,
                };
                scratch.0 = u64::from(level);
                let message = Message { level, len: fixed.len, packet };
                Step::Message { record: Record::Mqtt(message), consumed }
            }
            Err(why) => Step::Malformed { why, consumed },
        }
    }
}
