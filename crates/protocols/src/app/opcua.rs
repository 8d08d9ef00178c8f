//! OPC UA connection protocol and, where it is not encrypted, its services (OPC 10000-6).

mod services;
#[cfg(test)]
mod tests;

use super::bytes::{Cursor, le32};
use super::operation::{Effect, Object, Operation, Role, Values};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Type, chunk kind, length.
const HEADER: usize = 8;
/// Most bytes of one chunk that are believed.
const MAX_CHUNK: usize = 1 << 24;
/// Most bytes of an endpoint address.
const MAX_URL: usize = 4096;
/// What the address of a security policy begins with.
const POLICY: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy";
/// Upper byte of the numbers of messages without a service; identifiers of services stay below.
const CONNECTION: u16 = 0xff00;

/// Type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Hello.
    Hello,
    /// Acknowledge.
    Acknowledge,
    /// Error.
    Error,
    /// Reverse hello.
    ReverseHello,
    /// Open secure channel.
    Open,
    /// Service.
    Service,
    /// Close secure channel.
    Close,
}

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Its type.
    pub kind: Kind,
    /// `F` final, `C` further chunks follow, `A` abort.
    pub chunk: u8,
    /// Endpoint address of a hello, reason of an error, security policy of an open channel.
    pub text: &'a [u8],
    /// Secure channel, 0 in hello, acknowledge and error.
    pub channel: u32,
    /// Number that joins request and response, 0 where there is none or it is encrypted.
    pub request: u32,
    /// Identifier of the service's binary encoding, 0 where there is none or it is encrypted.
    pub service: u32,
    /// Error code, of an error message or a response.
    pub error: u32,
    /// Whether the capture cut it.
    pub cut: bool,
    /// What follows the service identifier.
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Tells each operation: one a node of a read, write or call, else one.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        let (name, role) = match self.kind {
            Kind::Hello => ("hello", Role::Request),
            Kind::Acknowledge => ("acknowledge", Role::Response),
            Kind::Error => ("error", Role::Response),
            Kind::ReverseHello => ("reverse hello", Role::Request),
            Kind::Open => ("open secure channel", Role::Request),
            Kind::Close => ("close secure channel", Role::Request),
            Kind::Service => ("encrypted service", Role::Request),
        };
        let object = if self.text.is_empty() { Object::None } else { Object::Name(self.text) };
        let plain = Operation {
            role,
            effect: Effect::Session,
            function: CONNECTION | self.kind as u16,
            name,
            unit: 0,
            transaction: (self.request != 0).then_some(self.request),
            // The upper half names the error, the lower one details.
            refused: (self.error != 0).then_some((self.error >> 16) as u16),
            cause: 0,
            object,
            values: Values::none(),
        };
        let Some(service) = services::of(self.service) else { return each(plain) };
        let plain = Operation {
            role: if service.response { Role::Response } else { Role::Request },
            effect: service.effect,
            function: self.service as u16,
            name: service.name,
            ..plain
        };
        let mut told = false;
        if matches!(self.service, services::READ | services::WRITE | services::CALL) {
            let _ = services::nodes(self.service, self.body, &mut |object, values, cause| {
                told = true;
                each(Operation { object, values, cause, ..plain });
            });
        }
        if !told {
            each(plain);
        }
    }
}

/// Type, chunk kind and length, if this is a header.
fn header(bytes: &[u8]) -> Option<(Kind, u8, usize)> {
    let kind = match bytes.first_chunk::<3>()? {
        b"HEL" => Kind::Hello,
        b"ACK" => Kind::Acknowledge,
        b"ERR" => Kind::Error,
        b"RHE" => Kind::ReverseHello,
        b"OPN" => Kind::Open,
        b"MSG" => Kind::Service,
        b"CLO" => Kind::Close,
        _ => return None,
    };
    let chunk = *bytes.get(3)?;
    let length = usize::try_from(le32(bytes, 4)?).ok()?;
    let known = match kind {
        Kind::Service => matches!(chunk, b'F' | b'C' | b'A'),
        _ => chunk == b'F',
    };
    (known && (HEADER + 4..=MAX_CHUNK).contains(&length)).then_some((kind, chunk, length))
}

/// Whether what follows the header fits the type.
fn fits(kind: Kind, length: usize, body: &[u8]) -> bool {
    match kind {
        Kind::Hello => {
            let url = le32(body, 20).map_or(0, |length| length as usize);
            url <= MAX_URL && length == HEADER + 24 + url
        }
        Kind::Acknowledge => length == HEADER + 20,
        Kind::Error | Kind::ReverseHello => length <= HEADER + 8 + 2 * MAX_URL,
        Kind::Open => {
            let policy = body.get(8..).unwrap_or_default();
            let seen = policy.len().min(POLICY.len());
            policy[..seen] == POLICY[..seen]
        }
        Kind::Service | Kind::Close => length >= HEADER + 16,
    }
}

/// Reads a chunk.
fn read(kind: Kind, chunk: u8, bytes: &[u8], cut: bool) -> Option<Message<'_>> {
    let mut message = Message {
        kind,
        chunk,
        text: &[],
        channel: 0,
        request: 0,
        service: 0,
        error: 0,
        cut,
        body: &[],
    };
    let mut cursor = Cursor::new(bytes);
    match kind {
        Kind::Hello => {
            cursor.take(20)?;
            message.text = services::text(&mut cursor)?;
        }
        Kind::ReverseHello => message.text = services::text(&mut cursor)?,
        Kind::Error => {
            message.error = cursor.le32()?;
            message.text = services::text(&mut cursor).unwrap_or_default();
        }
        Kind::Acknowledge => {}
        Kind::Open => {
            message.channel = cursor.le32()?;
            message.text = services::text(&mut cursor)?;
            services::text(&mut cursor)?;
            services::text(&mut cursor)?;
            service(&mut message, cursor);
        }
        Kind::Service | Kind::Close => {
            message.channel = cursor.le32()?;
            let _token = cursor.le32()?;
            service(&mut message, cursor);
        }
    }
    Some(message)
}

/// Sequence header and service identifier, where they are in the clear: then the identifier is one
/// of those known.
fn service<'a>(message: &mut Message<'a>, mut cursor: Cursor<'a>) {
    let (Some(_), Some(request)) = (cursor.le32(), cursor.le32()) else { return };
    let Some(Object::Range { space: 0, start, .. }) = services::node(&mut cursor) else { return };
    let Some(service) = services::of(start) else { return };
    message.request = request;
    message.service = start;
    message.body = cursor.rest();
    if service.response {
        // Time and handle, then the result: bad ones have the highest bit.
        let result = le32(message.body, 12).unwrap_or(0);
        message.error = if result >> 31 == 1 { result } else { 0 };
    }
}

/// The parser.
pub(super) struct OpcUa;

impl Parser for OpcUa {
    fn protocol(&self) -> Protocol {
        Protocol::OpcUa
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, _place: &Place, bytes: &[u8]) -> Recognition {
        if !matches!(bytes.first(), Some(b'H' | b'A' | b'E' | b'R' | b'O' | b'M' | b'C')) {
            return Recognition::NotForUs;
        }
        if bytes.len() < HEADER + 4 {
            let starts =
                [b"HELF", b"ACKF", b"ERRF", b"RHEF", b"OPNF", b"MSGF", b"MSGC", b"MSGA", b"CLOF"];
            let seen = bytes.len().min(4);
            let may = starts.iter().any(|start| start[..seen] == bytes[..seen]);
            return if may { Recognition::Unsure } else { Recognition::NotForUs };
        }
        match header(bytes) {
            Some((kind, _, length)) if fits(kind, length, &bytes[HEADER..]) => Recognition::Certain,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if bytes.len() < HEADER {
            return Step::NeedMore(HEADER);
        }
        let Some((kind, chunk, length)) = header(bytes) else {
            return Step::Malformed { why: "type or length is not OPC UA", consumed: 0 };
        };
        let cut = bytes.len() < length;
        if cut && place.cut == 0 {
            return Step::NeedMore(length);
        }
        match read(kind, chunk, &bytes[HEADER..length.min(bytes.len())], cut) {
            Some(message) => Step::Message { record: Record::OpcUa(message), consumed: length },
            None => Step::Malformed { why: "chunk shorter than its type needs", consumed: length },
        }
    }
}
