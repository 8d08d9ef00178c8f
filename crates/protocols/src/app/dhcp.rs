//! Address assignment: DHCP for IPv4 (RFC 2131, options of RFC 2132) and IPv6 (RFC 8415).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::bytes::{Cursor, be16};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Octets before the options, and where the parts used lie (RFC 2131, 2).
const V4_OPTIONS_AT: usize = 240;
const COOKIE_AT: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const SERVER_NAME_AT: usize = 44;
const FILE_AT: usize = 108;
/// Octets before the options of a message between client and server, and of one between relays.
const V6_OPTIONS_AT: usize = 4;
const V6_RELAY_OPTIONS_AT: usize = 34;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// For IPv4.
    V4(V4<'a>),
    /// For IPv6.
    V6(V6<'a>),
}

/// A message for IPv4; the bytes begin with the operation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V4<'a> {
    bytes: &'a [u8],
    /// Joins question and answer.
    pub transaction: u32,
    /// Message type (option 53): 1 discover, 2 offer, 3 request, 5 acknowledge …; 0 is plain BOOTP.
    pub kind: u8,
}

/// A message for IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V6<'a> {
    options: &'a [u8],
    /// Message type: 1 solicit, 2 advertise, 3 request, 7 reply …
    pub kind: u8,
    /// Joins question and answer; relays have none.
    pub transaction: Option<u32>,
}

impl<'a> V4<'a> {
    /// Whether a client speaks.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.bytes.first() == Some(&1)
    }

    fn address(&self, at: usize) -> Ipv4Addr {
        let octets = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        octets.map_or(Ipv4Addr::UNSPECIFIED, |octets| Ipv4Addr::from(*octets))
    }

    /// Address the client has already (`ciaddr`).
    #[must_use]
    pub fn client_address(&self) -> Ipv4Addr {
        self.address(12)
    }

    /// Address the server gives (`yiaddr`).
    #[must_use]
    pub fn your_address(&self) -> Ipv4Addr {
        self.address(16)
    }

    /// Hardware address of the client.
    #[must_use]
    pub fn hardware(&self) -> &'a [u8] {
        let len = self.bytes.get(2).map_or(0, |len| usize::from(*len).min(16));
        self.bytes.get(28..28 + len).unwrap_or_default()
    }

    /// Options in order, those in the places of file and server name behind (option 52), as far as
    /// their lengths are right. Options of the same code belong together (RFC 3396).
    pub fn options(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default();
        let own = V4Options(part(V4_OPTIONS_AT, self.bytes.len()));
        let overload = own.clone().find(|(code, _)| *code == 52);
        let overload = overload.and_then(|(_, value)| value.first().copied()).unwrap_or(0);
        let file = if overload & 1 != 0 { part(FILE_AT, COOKIE_AT) } else { &[] };
        let name = if overload & 2 != 0 { part(SERVER_NAME_AT, FILE_AT) } else { &[] };
        own.chain(V4Options(file)).chain(V4Options(name))
    }

    /// The first option of a code.
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&'a [u8]> {
        self.options().find(|(each, _)| *each == code).map(|(_, value)| value)
    }

    /// Name the client gives itself (12).
    #[must_use]
    pub fn host_name(&self) -> Option<&'a [u8]> {
        self.option(12)
    }

    /// Kind of client, such as `udhcp 1.24` (60).
    #[must_use]
    pub fn vendor_class(&self) -> Option<&'a [u8]> {
        self.option(60)
    }

    /// Client identifier (61).
    #[must_use]
    pub fn client_id(&self) -> Option<&'a [u8]> {
        self.option(61)
    }

    /// Options asked for, in an order that is the system's own (55).
    #[must_use]
    pub fn parameters(&self) -> Option<&'a [u8]> {
        self.option(55)
    }

    /// Address asked for (50).
    #[must_use]
    pub fn requested_address(&self) -> Option<Ipv4Addr> {
        self.option(50).and_then(|value| <[u8; 4]>::try_from(value).ok()).map(Ipv4Addr::from)
    }
}

#[derive(Clone)]
struct V4Options<'a>(&'a [u8]);

impl<'a> Iterator for V4Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let (&code, behind) = self.0.split_first()?;
            match code {
                0 => self.0 = behind,
                255 => return None,
                _ => {
                    let (&len, behind) = behind.split_first()?;
                    let (value, behind) = behind.split_at_checked(usize::from(len))?;
                    self.0 = behind;
                    return Some((code, value));
                }
            }
        }
    }
}

impl<'a> V6<'a> {
    /// Options in order, as far as their lengths are right.
    pub fn options(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut cursor = Cursor::new(self.options);
        std::iter::from_fn(move || {
            let (code, len) = (cursor.be16()?, cursor.be16()?);
            Some((code, cursor.take(usize::from(len))?))
        })
    }

    /// The first option of a code.
    #[must_use]
    pub fn option(&self, code: u16) -> Option<&'a [u8]> {
        self.options().find(|(each, _)| *each == code).map(|(_, value)| value)
    }

    /// Unique identifier of the client (option 1).
    #[must_use]
    pub fn client_id(&self) -> Option<&'a [u8]> {
        self.option(1)
    }

    /// Full name of the client in the wire form of DNS, without compression (option 39, RFC 4704).
    #[must_use]
    pub fn client_name(&self) -> Option<&'a [u8]> {
        self.option(39).and_then(|value| value.get(1..))
    }

    /// Address given (option 5 in option 3).
    #[must_use]
    pub fn address(&self) -> Option<Ipv6Addr> {
        let association = V6 { options: self.option(3)?.get(12..)?, ..*self };
        let octets = *association.option(5)?.first_chunk::<16>()?;
        Some(Ipv6Addr::from(octets))
    }
}

fn read_v4(bytes: &[u8]) -> Option<V4<'_>> {
    let transaction = Cursor::new(bytes.get(4..)?).be32()?;
    if bytes.get(COOKIE_AT..V4_OPTIONS_AT)? != COOKIE {
        return None;
    }
    let message = V4 { bytes, transaction, kind: 0 };
    let kind = message.option(53).and_then(|value| value.first().copied()).unwrap_or(0);
    Some(V4 { kind, ..message })
}

fn read_v6(bytes: &[u8]) -> Option<V6<'_>> {
    let kind = *bytes.first()?;
    let relayed = matches!(kind, 12 | 13);
    let options = bytes.get(if relayed { V6_RELAY_OPTIONS_AT } else { V6_OPTIONS_AT }..)?;
    let transaction = if relayed { None } else { Some(Cursor::new(&bytes[1..]).be24()?) };
    Some(V6 { options, kind, transaction })
}

/// Options that fill their bytes to the end, with an identifier of a kind there is.
fn is_v6(bytes: &[u8]) -> bool {
    let Some(message) = read_v6(bytes) else {
        return false;
    };
    let filled: usize = message.options().map(|(_, value)| 4 + value.len()).sum();
    let known = |(code, value): (u16, &[u8])| match code {
        1 | 2 => be16(value, 0).is_some_and(|kind| (1..=4).contains(&kind)) && value.len() <= 130,
        9 => value.len() >= V6_OPTIONS_AT,
        _ => false,
    };
    matches!(message.kind, 1..=13)
        && filled == message.options.len()
        && message.options().any(known)
        && message.options().all(|(code, _)| code < 256)
}

/// The parser.
pub(super) struct Dhcp;

impl Parser for Dhcp {
    fn protocol(&self) -> Protocol {
        Protocol::Dhcp
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        match *bytes {
            [1 | 2, hardware, len, ..] if hardware != 0 && len <= 16 => {
                match bytes.get(COOKIE_AT..V4_OPTIONS_AT) {
                    Some(cookie) if cookie == COOKIE => return Recognition::Certain,
                    Some(_) => {}
                    None if place.cut > 0 && place.uses(67) => return Recognition::Unsure,
                    None => {}
                }
            }
            [1..=13, ..] => {}
            _ => return Recognition::NotForUs,
        }
        match place.cut {
            0 if is_v6(bytes) => Recognition::Certain,
            1.. if place.uses(547) => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if place.cut > 0 {
            return Step::NeedMore(bytes.len() + place.cut as usize);
        }
        let message = match read_v4(bytes) {
            Some(message) => Message::V4(message),
            None if is_v6(bytes) => match read_v6(bytes) {
                Some(message) => Message::V6(message),
                None => return malformed(bytes),
            },
            None => return malformed(bytes),
        };
        Step::Message { record: Record::Dhcp(message), consumed: bytes.len() }
    }
}

const fn malformed<'a>(bytes: &[u8]) -> Step<'a> {
    Step::Malformed {
        why: "neither cookie nor options are as they should be",
        consumed: bytes.len(),
    }
}
