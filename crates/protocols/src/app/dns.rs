//! Domain names: questions and answers (RFC 1035), over datagrams and streams.
//!
//! Not read: link-local name resolution (RFC 4795), which differs in nothing but its port, and
//! NetBIOS names (RFC 1002), told apart by their sixteen half-octet letters.

mod entry;
mod name;

use std::net::IpAddr;

pub use entry::{Data, Entry, Question, Section};
use name::Fault;
pub use name::Name;

use super::bytes::be16;
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Octets of a header.
const HEADER_BYTES: usize = 12;
/// Shortest question (the root) and shortest resource record.
const MIN_QUESTION_BYTES: usize = 5;
const MIN_ENTRY_BYTES: usize = 11;
/// Most questions in one message that are believed.
const MAX_QUESTIONS: u16 = 64;
/// Ports of the same format under another name.
pub(super) const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Joins question and answer.
    pub id: u16,
    /// Flags, as on the wire.
    pub flags: u16,
    /// Number of questions, answers, authorities and additional records.
    pub counts: [u16; 4],
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// The message at the beginning of the bytes, and its length.
    fn read(bytes: &'a [u8]) -> Result<(Self, usize), Fault> {
        let header = Header::read(bytes).ok_or(Fault::Short)?;
        let mut at = HEADER_BYTES;
        for _ in 0..header.counts[0] {
            (_, at) = Question::read(bytes, at)?;
        }
        for _ in 0..header.entries() {
            (_, at) = Entry::read(bytes, at, Section::Answer)?;
        }
        let Header { id, flags, counts } = header;
        Ok((Self { id, flags, counts, bytes }, at))
    }

    /// Whether it answers.
    #[must_use]
    pub const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// Kind of query: 0 standard, 4 notify, 5 update.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0xf) as u8
    }

    /// Response code: 0 no error, 3 no such name …
    #[must_use]
    pub const fn rcode(&self) -> u8 {
        (self.flags & 0xf) as u8
    }

    /// Whether it was cut to fit a datagram.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// What is asked.
    pub fn questions(&self) -> impl Iterator<Item = Question<'a>> + use<'a> {
        let (bytes, mut at) = (self.bytes, HEADER_BYTES);
        (0..self.counts[0]).map_while(move |_| {
            let (question, end) = Question::read(bytes, at).ok()?;
            at = end;
            Some(question)
        })
    }

    /// Resource records of all sections, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let Self { bytes, counts: [questions, answers, authorities, additional], .. } = *self;
        let [answers, authorities, additional] = [answers, authorities, additional].map(u32::from);
        let mut at = None;
        (0..answers + authorities + additional).map_while(move |number| {
            let section = match number {
                n if n < answers => Section::Answer,
                n if n < answers + authorities => Section::Authority,
                _ => Section::Additional,
            };
            let from = at.or_else(|| end_of_questions(bytes, questions))?;
            let (entry, end) = Entry::read(bytes, from, section).ok()?;
            at = Some(end);
            Some(entry)
        })
    }

    /// Names of hosts with their addresses, from every section.
    pub fn hosts(&self) -> impl Iterator<Item = (Name<'a>, IpAddr)> + use<'a> {
        self.entries().filter_map(|entry| match entry.data() {
            Data::Address(address) => Some((entry.name, address)),
            _ => None,
        })
    }

    /// Services told of: kind (such as `_http._tcp.local`) and instance.
    pub fn services(&self) -> impl Iterator<Item = (Name<'a>, Name<'a>)> + use<'a> {
        self.entries().filter_map(|entry| match entry.data() {
            Data::Ptr(instance) if is_service(&entry.name) => Some((entry.name, instance)),
            _ => None,
        })
    }
}

/// Whether a name is a kind of service: `_name._tcp` or `_name._udp` (RFC 6763, 4.1.2).
fn is_service(name: &Name<'_>) -> bool {
    let mut labels = name.labels();
    labels.next().is_some_and(|label| label.starts_with(b"_"))
        && labels.next().is_some_and(|label| matches!(label, b"_tcp" | b"_udp"))
}

fn end_of_questions(bytes: &[u8], questions: u16) -> Option<usize> {
    (0..questions)
        .try_fold(HEADER_BYTES, |at, _| Question::read(bytes, at).ok().map(|(_, end)| end))
}

struct Header {
    id: u16,
    flags: u16,
    counts: [u16; 4],
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |number: usize| be16(bytes, number * 2);
        Some(Self {
            id: word(0)?,
            flags: word(1)?,
            counts: [word(2)?, word(3)?, word(4)?, word(5)?],
        })
    }

    fn entries(&self) -> u32 {
        self.counts[1..].iter().copied().map(u32::from).sum()
    }

    /// Whether flags and counts can be, in a message of this length.
    fn fits(&self, len: usize) -> bool {
        let [questions, ..] = self.counts;
        are_flags(self.flags)
            && questions <= MAX_QUESTIONS
            && u32::from(questions) + self.entries() > 0
            && HEADER_BYTES
                + usize::from(questions) * MIN_QUESTION_BYTES
                + self.entries() as usize * MIN_ENTRY_BYTES
                <= len
    }
}

/// Whether flags can be: a known kind of query, the reserved bit clear, a code in answers alone.
const fn are_flags(flags: u16) -> bool {
    let (response, opcode, rcode) = (flags & 0x8000 != 0, flags >> 11 & 0xf, flags & 0xf);
    flags & 0x0040 == 0
        && matches!(opcode, 0 | 2 | 4 | 5)
        && (response || rcode == 0)
        && rcode <= 11
}

/// Types of records that are in use (IANA), to recognise by.
const fn is_known_kind(kind: u16) -> bool {
    matches!(kind, 1..=65 | 99..=109 | 249..=260 | 32768 | 32769)
}

/// Classes in use; the top bit has a meaning of its own in multicast DNS.
const fn is_known_class(class: u16) -> bool {
    matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
}

/// NetBIOS names are 32 letters from A to P (RFC 1001, 14.1).
fn is_netbios(name: &Name<'_>) -> bool {
    name.labels()
        .next()
        .is_some_and(|label| label.len() == 32 && label.iter().all(|l| (b'A'..=b'P').contains(l)))
}

/// What a message of `total` bytes looks like, of which these are there. At home, unknown types and
/// classes are no reason for doubt.
fn judge(bytes: &[u8], total: usize, home: bool) -> Recognition {
    let Some(header) = Header::read(bytes) else {
        let flags = be16(bytes, 2).is_none_or(are_flags);
        let questions = be16(bytes, 4).is_none_or(|questions| questions <= MAX_QUESTIONS);
        let begins = bytes.len() < total && flags && questions;
        return if begins { Recognition::Unsure } else { Recognition::NotForUs };
    };
    if !header.fits(total) {
        return Recognition::NotForUs;
    }
    let mut at = HEADER_BYTES;
    let mut unsure = false;
    for number in 0..u32::from(header.counts[0]) + header.entries() {
        let read = if number < u32::from(header.counts[0]) {
            Question::read(bytes, at).map(|(q, end)| (q.name, q.kind, q.class, end))
        } else {
            Entry::read(bytes, at, Section::Answer).map(|(e, end)| {
                // The class of the extension record is a size (RFC 6891, 6.1.2).
                (e.name, e.kind, if e.kind == 41 { 1 } else { e.class }, end)
            })
        };
        match read {
            Ok((name, kind, class, end)) => {
                if is_netbios(&name) {
                    return Recognition::NotForUs;
                }
                unsure |= !home && (!is_known_kind(kind) || !is_known_class(class));
                at = end;
            }
            // What is there fits: enough for a cut or unfinished message once a question stands.
            Err(Fault::Short) if bytes.len() < total && number > 0 && !unsure => {
                return Recognition::Certain;
            }
            Err(Fault::Short) if bytes.len() < total => return Recognition::Unsure,
            Err(_) => return Recognition::NotForUs,
        }
    }
    // Some programs send the whole of their buffer: zeros behind the last record are no reproach.
    let rest = bytes.get(at..).unwrap_or_default();
    match at <= total && rest.iter().all(|&octet| octet == 0) {
        true if !unsure => Recognition::Certain,
        true => Recognition::Unsure,
        false => Recognition::NotForUs,
    }
}

const fn is_home(place: &Place) -> bool {
    place.uses(53) || place.uses(MDNS_PORT)
}

/// Recognises a datagram with one message.
pub(super) fn recognise_datagram(place: &Place, bytes: &[u8]) -> Recognition {
    judge(bytes, bytes.len() + place.cut as usize, is_home(place))
}

/// Reads a datagram with one message.
pub(super) fn read_datagram<'a>(place: &Place, bytes: &'a [u8]) -> Step<'a> {
    match Message::read(bytes) {
        Ok((message, _)) => Step::Message { record: Record::Dns(message), consumed: bytes.len() },
        Err(Fault::Short) if place.cut > 0 => Step::NeedMore(bytes.len() + place.cut as usize),
        Err(fault) => Step::Malformed { why: why(fault), consumed: bytes.len() },
    }
}

const fn why(fault: Fault) -> &'static str {
    match fault {
        Fault::Short => "records go beyond the end of the message",
        Fault::Broken(why) => why,
    }
}

/// The parser.
pub(super) struct Dns;

impl Parser for Dns {
    fn protocol(&self) -> Protocol {
        Protocol::Dns
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        matches!(carrier, Carrier::Udp | Carrier::Tcp)
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if place.carrier == Carrier::Udp {
            if place.uses(MDNS_PORT) || place.uses(LLMNR_PORT) {
                return Recognition::NotForUs;
            }
            return recognise_datagram(place, bytes);
        }
        let Some(length) = be16(bytes, 0).map(usize::from) else {
            return Recognition::Unsure;
        };
        if length < HEADER_BYTES + MIN_QUESTION_BYTES {
            return Recognition::NotForUs;
        }
        judge(bytes[2..].get(..length).unwrap_or(&bytes[2..]), length, is_home(place))
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if place.carrier == Carrier::Udp {
            return read_datagram(place, bytes);
        }
        // Over streams the length stands first (RFC 1035, 4.2.2).
        let Some(length) = be16(bytes, 0).map(usize::from) else {
            return Step::NeedMore(2);
        };
        let consumed = 2 + length;
        let Some(message) = bytes.get(2..consumed) else {
            return Step::NeedMore(consumed);
        };
        match Message::read(message) {
            Ok((message, _)) => Step::Message { record: Record::Dns(message), consumed },
            Err(fault) => Step::Malformed { why: why(fault), consumed },
        }
    }
}
