//! SSH: the identification of both sides (RFC 4253, 4.2); what follows is encrypted.

use super::head::{agrees, first_line};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Longest identification with its line end.
pub const MAX_LINE_BYTES: usize = 255;

/// One identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Version of the protocol, such as `2.0`.
    pub protocol: &'a [u8],
    /// Program and its version, such as `OpenSSH_9.2p1`.
    pub software: &'a [u8],
    /// What else the program says, such as `Debian-2+deb12u3`.
    pub comment: Option<&'a [u8]>,
}

fn read(line: &[u8]) -> Option<Message<'_>> {
    let rest = line.strip_prefix(b"SSH-")?;
    let dash = rest.iter().position(|&byte| byte == b'-')?;
    let (protocol, rest) = (&rest[..dash], &rest[dash + 1..]);
    let versioned = matches!(protocol, [major, b'.', minor @ ..]
        if major.is_ascii_digit() && (1..=2).contains(&minor.len()) && minor.iter().all(u8::is_ascii_digit));
    let mut parts = rest.splitn(2, |&byte| byte == b' ');
    let software = parts.next().filter(|text| !text.is_empty())?;
    let printable = rest.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0x80);
    (versioned && printable).then_some(Message { protocol, software, comment: parts.next() })
}

/// The parser.
pub(super) struct Ssh;

impl Parser for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, _place: &Place, bytes: &[u8]) -> Recognition {
        if !agrees(bytes, b"SSH-") {
            return Recognition::NotForUs;
        }
        match first_line(bytes) {
            Some(line) if line.len() <= MAX_LINE_BYTES && read(line).is_some() => {
                Recognition::Certain
            }
            None if bytes.len() < MAX_LINE_BYTES => Recognition::Unsure,
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        // A bit for each direction that has said who it is.
        let said = 1_u64 << u32::from(place.src_port > place.dst_port);
        if scratch.0 & said != 0 {
            // Key exchange: of no interest, until the other side has spoken as well.
            return if scratch.0 == 3 { Step::Done } else { Step::Pass { consumed: bytes.len() } };
        }
        let Some(line) = first_line(bytes) else {
            return match bytes.len() {
                ..MAX_LINE_BYTES => Step::NeedMore(bytes.len() + 1),
                _ => Step::Malformed { why: "the identification does not end", consumed: 0 },
            };
        };
        let Some(message) = read(line).filter(|_| line.len() <= MAX_LINE_BYTES) else {
            return Step::Malformed { why: "an identification was expected", consumed: 0 };
        };
        scratch.0 |= said;
        let end = if bytes.get(line.len()) == Some(&b'\r') { 2 } else { 1 };
        Step::Message { record: Record::Ssh(message), consumed: line.len() + end }
    }
}
