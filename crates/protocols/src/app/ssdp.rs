//! Simple service discovery (UPnP Device Architecture 2.0, clause 1): heads of HTTP in datagrams.

use super::head::{Head, agrees};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A device tells of itself (`NOTIFY`).
    Notify,
    /// Somebody searches (`M-SEARCH`).
    Search,
    /// The answer to a search.
    Response,
}

/// The start lines there are, without their end.
const STARTS: [(&[u8], Kind); 5] = [
    (b"NOTIFY * HTTP/1.1", Kind::Notify),
    (b"M-SEARCH * HTTP/1.1", Kind::Search),
    (b"HTTP/1.1 200 OK", Kind::Response),
    (b"NOTIFY * HTTP/1.0", Kind::Notify),
    (b"HTTP/1.0 200 OK", Kind::Response),
];

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is for.
    pub kind: Kind,
    /// Kind of device or service: `NT` of a notice, `ST` of a search and its answer.
    pub target: Option<&'a [u8]>,
    /// What a notice says of it: `ssdp:alive`, `ssdp:byebye` …
    pub notice: Option<&'a [u8]>,
    /// Name of this one device or service (`USN`).
    pub usn: Option<&'a [u8]>,
    /// Operating system and product (`SERVER`, or `USER-AGENT` of a search).
    pub server: Option<&'a [u8]>,
    /// Where its description is (`LOCATION`).
    pub location: Option<&'a [u8]>,
}

fn kind(line: &[u8]) -> Option<Kind> {
    STARTS.iter().find(|(start, _)| line.trim_ascii_end() == *start).map(|(_, kind)| *kind)
}

/// The parser.
pub(super) struct Ssdp;

impl Parser for Ssdp {
    fn protocol(&self) -> Protocol {
        Protocol::Ssdp
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if !matches!(bytes.first(), Some(b'N' | b'M' | b'H'))
            || !STARTS.iter().any(|(start, _)| agrees(bytes, start))
        {
            return Recognition::NotForUs;
        }
        match super::head::first_line(bytes) {
            None if place.cut > 0 => Recognition::Unsure,
            None => Recognition::NotForUs,
            Some(line) => match kind(line) {
                Some(Kind::Notify | Kind::Search) => Recognition::Certain,
                // Any server may say "200 OK"; the answer to a search names what was searched.
                Some(Kind::Response) => match Head::read(bytes) {
                    Some(head) if fields(&head, Kind::Response).target.is_some() => {
                        Recognition::Certain
                    }
                    _ => Recognition::Unsure,
                },
                None => Recognition::NotForUs,
            },
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let consumed = bytes.len();
        let Some(head) = Head::read(bytes) else {
            return match place.cut {
                0 => Step::Malformed { why: "the head does not end", consumed },
                cut => Step::NeedMore(bytes.len() + cut as usize),
            };
        };
        match kind(head.line) {
            Some(kind) => Step::Message { record: Record::Ssdp(fields(&head, kind)), consumed },
            None => Step::Malformed { why: "the start line is unknown", consumed },
        }
    }
}

fn fields<'a>(head: &Head<'a>, kind: Kind) -> Message<'a> {
    let mut message =
        Message { kind, target: None, notice: None, usn: None, server: None, location: None };
    for (name, value) in head.fields() {
        let place = if name.eq_ignore_ascii_case(b"nt") || name.eq_ignore_ascii_case(b"st") {
            &mut message.target
        } else if name.eq_ignore_ascii_case(b"nts") {
            &mut message.notice
        } else if name.eq_ignore_ascii_case(b"usn") {
            &mut message.usn
        } else if name.eq_ignore_ascii_case(b"server") || name.eq_ignore_ascii_case(b"user-agent") {
            &mut message.server
        } else if name.eq_ignore_ascii_case(b"location") {
            &mut message.location
        } else {
            continue;
        };
        *place = Some(value);
    }
    message
}
