//! MMS (ISO 9506) over ISO transport, as IEC 61850-8-1 uses it.

mod operations;
mod service;
mod session;
#[cfg(test)]
mod tests;

use super::ber::{CONSTRUCTED, Tlv, unsigned, unsigned32};
use super::data::Data;
use super::operation::Operation;
use super::tpkt::{self, Cotp, Gathered, Packet};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};
use session::Inner;

pub use service::{Pdu, Service};

/// Integer that numbers a request in a request or response.
const INVOKE: u8 = 0x02;
/// The same in errors and rejections.
const ORIGINAL_INVOKE: u8 = 0x80;
/// Modifiers that may stand between number and service.
const MODIFIERS: u8 = 0x30;

/// A named variable or list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variable<'a> {
    /// Domain (logical device), empty for names of the whole machine.
    pub domain: &'a [u8],
    /// Name in it.
    pub name: &'a [u8],
}

/// One protocol data unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Its kind.
    pub pdu: Pdu,
    /// Number that joins request and response.
    pub invoke: Option<u32>,
    /// Number of the confirmed or unconfirmed service, where the kind has one.
    pub service: Option<u8>,
    /// Class (upper byte) and code of an error or rejection, else 0.
    pub error: u16,
    /// Whether part of it was not read: cut by the capture, or in a later transport packet than
    /// the first.
    pub cut: bool,
    /// Content of the service.
    body: Tlv<'a>,
}

impl<'a> Message<'a> {
    /// Name of the service, or of the kind of unit where there is none.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.pdu, self.service) {
            (Pdu::Unconfirmed, Some(number)) => service::unconfirmed(number),
            (_, Some(number)) => Service(number).name(),
            (pdu, None) => pdu.name(),
        }
    }

    /// The content of the service as it was written.
    #[must_use]
    pub const fn content(&self) -> &'a [u8] {
        self.body.value
    }

    /// Variables a read, write or information report is about.
    pub fn variables(&self) -> impl Iterator<Item = Variable<'a>> + use<'a> {
        let specification = match (self.pdu, self.service) {
            (Pdu::ConfirmedRequest, Some(Service::READ)) => {
                self.body.child(0xa1).and_then(|outer| outer.inside().next())
            }
            (Pdu::ConfirmedRequest, Some(Service::WRITE)) | (Pdu::Unconfirmed, Some(0)) => {
                self.body.inside().next()
            }
            _ => None,
        };
        specification.into_iter().flat_map(|specification| operations::variables(&specification))
    }

    /// Values a write, read response or information report carries.
    #[must_use]
    pub fn data(&self) -> Data<'a> {
        let list = match (self.pdu, self.service) {
            (Pdu::ConfirmedRequest, Some(Service::WRITE)) | (Pdu::Unconfirmed, Some(0)) => {
                self.body.inside().nth(1)
            }
            (Pdu::ConfirmedResponse, Some(Service::READ)) => {
                self.body.inside().filter(|part| part.tag == 0xa1).last()
            }
            _ => None,
        };
        Data::new(list.map_or(&[], |list| list.value))
    }

    /// Tells each operation: one a variable or result, else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        operations::tell(self, each);
    }
}

/// Class and code of the error in an error unit, reason and code of a rejection.
fn error(pdu: Pdu, unit: &Tlv<'_>) -> u16 {
    let coded = match pdu {
        Pdu::ConfirmedError | Pdu::CancelError => unit
            .child(0xa2)
            .and_then(|error| error.child(0xa0))
            .and_then(|class| class.inside().next()),
        Pdu::InitiateError | Pdu::ConcludeError => {
            unit.child(0xa0).and_then(|class| class.inside().next())
        }
        Pdu::Reject => unit.inside().find(|part| part.tag != ORIGINAL_INVOKE),
        _ => None,
    };
    coded.map_or(0, |coded| {
        let code = unsigned(coded.value).unwrap_or(0).min(0xff) as u16;
        (coded.number.min(0xff) as u16) << 8 | code
    })
}

/// Reads a protocol data unit.
fn read(unit: Tlv<'_>, more: bool) -> Option<Message<'_>> {
    let pdu = Pdu::of(unit.tag)?;
    let mut message = Message {
        pdu,
        invoke: None,
        service: None,
        error: error(pdu, &unit),
        cut: unit.cut | more,
        body: unit,
    };
    match pdu {
        Pdu::ConfirmedRequest | Pdu::ConfirmedResponse => {
            let mut parts = unit.inside();
            let invoke = parts.next().filter(|part| part.tag == INVOKE)?;
            message.invoke = unsigned32(invoke.value);
            let service = parts.find(|part| part.tag != MODIFIERS)?;
            if service.tag & 0x80 == 0 || service.number > service::LAST {
                return None;
            }
            message.service = u8::try_from(service.number).ok();
            message.body = service;
        }
        Pdu::Unconfirmed => {
            let service = unit.inside().next().filter(|part| part.tag & 0x80 != 0)?;
            message.service = u8::try_from(service.number).ok();
            message.body = service;
        }
        Pdu::ConfirmedError | Pdu::CancelError | Pdu::Reject => {
            let invoke = unit.child(ORIGINAL_INVOKE).filter(|part| part.tag & CONSTRUCTED == 0);
            message.invoke = invoke.and_then(|invoke| unsigned32(invoke.value));
        }
        Pdu::CancelRequest | Pdu::CancelResponse => message.invoke = unsigned32(unit.value),
        _ => {}
    }
    Some(message)
}

/// What session data says.
fn step(payload: &[u8], more: bool, consumed: usize) -> Step<'_> {
    match session::unwrap(payload) {
        Inner::Unit(unit) => match read(unit, more) {
            Some(message) => Step::Message { record: Record::Mms(message), consumed },
            None => Step::Malformed { why: "MMS unit of an unknown form", consumed },
        },
        Inner::Control => Step::Pass { consumed },
        Inner::Foreign if payload.is_empty() => Step::Pass { consumed },
        Inner::Foreign => Step::Malformed { why: "session data without MMS", consumed },
    }
}

/// Whether transport data is MMS.
pub(super) fn is_mms(payload: &[u8]) -> bool {
    matches!(session::unwrap(payload), Inner::Unit(unit) if Pdu::of(unit.tag).is_some())
}

/// The parser.
pub(super) struct Mms;

impl Parser for Mms {
    fn protocol(&self) -> Protocol {
        Protocol::Mms
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.first() != Some(&3) || bytes.get(1).is_some_and(|byte| *byte != 0) {
            return Recognition::NotForUs;
        }
        match tpkt::first_data(bytes) {
            Some(Cotp::Data { payload, .. }) => match session::unwrap(payload) {
                Inner::Unit(unit) if Pdu::of(unit.tag).is_some() => Recognition::Certain,
                Inner::Control if place.uses(tpkt::PORT) => Recognition::Certain,
                Inner::Control => Recognition::Unsure,
                _ if tpkt::is_begun(bytes) && session::may_begin(payload) => Recognition::Unsure,
                _ => Recognition::NotForUs,
            },
            Some(Cotp::Connect { .. }) => Recognition::Unsure,
            None if tpkt::is_begun(bytes) => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        match tpkt::packet(bytes) {
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
