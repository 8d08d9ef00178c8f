//! TLS: the hellos of client and server, which may span records; then all is encrypted.
//!
//! Not read: SSL 2 itself (but the hello in its form is), QUIC and datagram TLS, conversations whose
//! handshake was not seen.

mod hello;
mod ja4;
mod old;
mod pieces;

pub use hello::{ClientHello, ServerHello, Text};
pub use ja4::Ja4;
pub use old::OldHello;
use pieces::{HANDSHAKE, Pieces, RECORD_BYTES};

use super::bytes::be16;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Content types besides handshakes.
const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION: u8 = 23;
/// Most octets of a record (RFC 5246, 6.2.3).
const MAX_RECORD_BYTES: usize = (1 << 14) + 2048;
/// Longest hello that is read, and its shortest.
const MAX_HELLO_BYTES: usize = 64 * 1024;
const MIN_HELLO_BYTES: usize = 38;
/// Most records a hello is cut into: whoever cuts finer has each octet read again and again.
const MAX_HELLO_RECORDS: usize = 512;
/// Octets of a handshake message's header.
const HANDSHAKE_BYTES: usize = 4;
/// Kinds of handshake messages.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// One hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Of a client.
    Client(ClientHello<'a>),
    /// Of a client, in the form of SSL 2.
    OldClient(OldHello<'a>),
    /// Of a server.
    Server(ServerHello),
}

/// Type and length of the record at the beginning, if it is one.
fn record(bytes: &[u8]) -> Result<(u8, usize), Option<&'static str>> {
    let Some(&[kind, major, minor, high, low]) = bytes.first_chunk::<RECORD_BYTES>() else {
        return Err(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if !(CHANGE_CIPHER..=24).contains(&kind) || major != 3 || minor > 4 {
        return Err(Some("no record of TLS begins here"));
    }
    if len > MAX_RECORD_BYTES || (kind == HANDSHAKE && len == 0) {
        return Err(Some("the length of a record is out of range"));
    }
    Ok((kind, RECORD_BYTES + len))
}

/// The records of the first handshake message: how far they go, or how many bytes they need.
fn gather(bytes: &[u8]) -> Result<usize, Step<'static>> {
    let mut at = 0;
    let (mut have, mut need) = (0, HANDSHAKE_BYTES);
    for _ in 0..MAX_HELLO_RECORDS {
        let (kind, len) = match record(&bytes[at..]) {
            Ok(record) => record,
            Err(None) => return Err(Step::NeedMore(at + RECORD_BYTES)),
            Err(Some(why)) => return Err(Step::Malformed { why, consumed: 0 }),
        };
        if kind != HANDSHAKE {
            let why = "a handshake message is interrupted by other records";
            return Err(Step::Malformed { why, consumed: 0 });
        }
        let known = bytes.len().min(at + len);
        if need == HANDSHAKE_BYTES && have + (known - at - RECORD_BYTES) >= HANDSHAKE_BYTES {
            let mut pieces = Pieces::new(&bytes[..known]);
            let (Some(_), Some(hello)) = (pieces.u8(), pieces.be24()) else {
                return Err(Step::NeedMore(at + len));
            };
            if hello > MAX_HELLO_BYTES {
                let why = "a hello is longer than 64 KiB";
                return Err(Step::Malformed { why, consumed: 0 });
            }
            need += hello;
        }
        have += len - RECORD_BYTES;
        at += len;
        if bytes.len() < at {
            return Err(Step::NeedMore(at));
        }
        if have >= need {
            return Ok(at);
        }
    }
    Err(Step::Malformed { why: "a hello is cut into more than 512 records", consumed: 0 })
}

/// Reads the hello in complete records.
fn read(records: &[u8]) -> Option<(u8, Option<Message<'_>>)> {
    let mut pieces = Pieces::new(records);
    let kind = pieces.u8()?;
    let len = pieces.be24()?;
    let body = pieces.part(len)?;
    let message = match kind {
        CLIENT_HELLO => ClientHello::read(body).map(Message::Client),
        SERVER_HELLO => ServerHello::read(body).map(Message::Server),
        _ => None,
    };
    Some((kind, message))
}

/// The parser.
pub(super) struct Tls;

impl Parser for Tls {
    fn protocol(&self) -> Protocol {
        Protocol::Tls
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, _place: &Place, bytes: &[u8]) -> Recognition {
        let [HANDSHAKE, rest @ ..] = bytes else {
            return old::recognise(bytes);
        };
        match *rest {
            [3, 0..=4, ..] | [3] | [] => {}
            _ => return Recognition::NotForUs,
        }
        let (Some(len), Some(&kind)) = (be16(bytes, 3).map(usize::from), bytes.get(5)) else {
            return Recognition::Unsure;
        };
        if len > MAX_RECORD_BYTES || len == 0 || !matches!(kind, CLIENT_HELLO | SERVER_HELLO) {
            return Recognition::NotForUs;
        }
        // Length, version, random and session of the hello, which all lie in the first record but
        // for hellos cut on purpose.
        let mut pieces = Pieces::new(bytes);
        let hello = pieces.u8().and_then(|_| pieces.be24());
        let version = pieces.be16();
        match (hello, version) {
            (Some(hello), _) if !(MIN_HELLO_BYTES..=MAX_HELLO_BYTES).contains(&hello) => {
                Recognition::NotForUs
            }
            (Some(hello), Some(0x0300..=0x0304)) => {
                let session = pieces.skip(32).and_then(|()| pieces.u8());
                match session {
                    Some(0..=32) if kind == SERVER_HELLO || hello >= MIN_HELLO_BYTES + 3 => {
                        Recognition::Certain
                    }
                    None => Recognition::Unsure,
                    Some(_) => Recognition::NotForUs,
                }
            }
            (_, None) => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, _place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        // Bit 0: the client's hello was seen, bit 1: the server's.
        if scratch.0 & 3 == 3 {
            return Step::Done;
        }
        if scratch.0 & 1 == 0
            && let Some(hello) = old::read(bytes)
        {
            return match hello {
                Err(need) => Step::NeedMore(need),
                Ok((hello, consumed)) => {
                    scratch.0 |= 1;
                    Step::Message { record: Record::Tls(Message::OldClient(hello)), consumed }
                }
            };
        }
        match record(bytes) {
            Err(None) => return Step::NeedMore(RECORD_BYTES),
            Err(Some(why)) => return Step::Malformed { why, consumed: 0 },
            Ok((APPLICATION, _)) => return Step::Done,
            Ok((HANDSHAKE, consumed)) => match bytes.get(RECORD_BYTES) {
                None => return Step::NeedMore(RECORD_BYTES + 1),
                Some(&(CLIENT_HELLO | SERVER_HELLO)) => {}
                Some(_) => return Step::Pass { consumed },
            },
            Ok((CHANGE_CIPHER | ALERT | _, consumed)) => return Step::Pass { consumed },
        }
        let consumed = match gather(bytes) {
            Ok(consumed) => consumed,
            Err(step) => return step,
        };
        match read(&bytes[..consumed]) {
            Some((_, Some(message))) => {
                match message {
                    Message::Client(_) | Message::OldClient(_) => scratch.0 |= 1,
                    Message::Server(hello) if !hello.retry => scratch.0 |= 2,
                    Message::Server(_) => {}
                }
                Step::Message { record: Record::Tls(message), consumed }
            }
            Some((CLIENT_HELLO | SERVER_HELLO, None)) | None => {
                Step::Malformed { why: "a hello is not as it should be", consumed }
            }
            Some(_) => Step::Pass { consumed },
        }
    }
}
