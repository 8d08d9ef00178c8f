//! Network time (RFC 5905), with the control (RFC 9327) and private modes that reflect traffic
//! back manifold.

use super::bytes::{Cursor, be16};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Octets of a time message without extensions; of the headers of control and private messages.
const TIME_BYTES: usize = 48;
const CONTROL_BYTES: usize = 12;
const PRIVATE_BYTES: usize = 8;
/// Lengths of what may follow a time message: a key and a digest of 0, 16 or 20 octets.
const MAC_BYTES: [usize; 3] = [4, 20, 24];
/// Seconds between receiving and answering, and since the clock was last set, that are believed.
const MAX_TURN_S: u32 = 16;
const MAX_SINCE_SET_S: u32 = 1 << 24;
/// 1 January 2000 in seconds of the first era; later eras are believed until 2100.
const SINCE_2000_S: u32 = 3_155_673_600;
const UNTIL_2100_S: u32 = 2_019_686_400;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Version: 1 to 4.
    pub version: u8,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Time asked for or told.
    Time {
        /// 1 and 2 between peers, 3 client, 4 server, 5 broadcast.
        mode: u8,
        /// Leap indicator; 3 is a clock not set.
        leap: u8,
        /// Distance from the reference clock; 0 in an answer is a refusal, told by `reference`.
        stratum: u8,
        /// Reference: an address, or a name such as `GPS` or `RATE`.
        reference: [u8; 4],
        /// Time of sending: seconds and fractions of the era, as on the wire.
        transmitted: u64,
    },
    /// Control (mode 6).
    Control {
        /// Whether it answers.
        response: bool,
        /// Operation, such as 2 for reading variables.
        opcode: u8,
        /// Octets of data in this and later messages.
        count: u16,
    },
    /// Private to one implementation (mode 7).
    Private {
        /// Whether it answers.
        response: bool,
        /// Request code; 42 lists the clients, the classic amplifier.
        request: u8,
        /// Octets of items told.
        size: u32,
    },
}

impl Message {
    /// Mode: the low three bits of the first octet.
    #[must_use]
    pub const fn mode(&self) -> u8 {
        match self.body {
            Body::Time { mode, .. } => mode,
            Body::Control { .. } => 6,
            Body::Private { .. } => 7,
        }
    }
}

fn read(bytes: &[u8]) -> Option<Message> {
    let first = *bytes.first()?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    let body = match mode {
        1..=5 if bytes.len() >= TIME_BYTES => {
            let mut cursor = Cursor::new(&bytes[40..]);
            let (seconds, fraction) = (cursor.be32()?, cursor.be32()?);
            Body::Time {
                mode,
                leap: first >> 6,
                stratum: bytes[1],
                reference: *bytes[12..].first_chunk()?,
                transmitted: u64::from(seconds) << 32 | u64::from(fraction),
            }
        }
        6 if bytes.len() >= CONTROL_BYTES => Body::Control {
            response: bytes[1] & 0x80 != 0,
            opcode: bytes[1] & 0x1f,
            count: be16(bytes, 10)?,
        },
        7 if bytes.len() >= PRIVATE_BYTES => Body::Private {
            response: first & 0x80 != 0,
            request: bytes[3],
            size: u32::from(be16(bytes, 4)? & 0xfff) * u32::from(be16(bytes, 6)? & 0xfff),
        },
        _ => return None,
    };
    (1..=4).contains(&version).then_some(Message { version, body })
}

/// Seconds of three of the four times of a message: last set, received, sent.
fn times(bytes: &[u8]) -> Option<[u32; 3]> {
    let at = |place: usize| Cursor::new(bytes.get(place..)?).be32();
    Some([at(16)?, at(32)?, at(40)?])
}

fn is_plausible(seconds: u32) -> bool {
    !(UNTIL_2100_S..SINCE_2000_S).contains(&seconds)
}

/// Whether a time message is one beyond doubt.
fn judge_time(bytes: &[u8], mode: u8, total: usize) -> Recognition {
    let Some([set, received, sent]) = times(bytes) else {
        return Recognition::NotForUs;
    };
    let behind = total - TIME_BYTES;
    let extensions =
        behind == 0 || MAC_BYTES.contains(&behind) || behind.is_multiple_of(4) && behind >= 16;
    // Delay and dispersion to the reference clock stay below 16 seconds.
    let near = bytes[4] == 0 && bytes[5] < 16 && bytes[8] == 0 && bytes[9] < 17;
    if !extensions || bytes[1] > 16 || !near {
        return Recognition::NotForUs;
    }
    let set_before = set == 0 || sent.wrapping_sub(set) < MAX_SINCE_SET_S;
    // Clients that give away nothing send zeros and a number in place of their time.
    let bare = bytes[4..40].iter().all(|&octet| octet == 0);
    let precise = bytes[3] >= 0xe0 || bytes[3] == 0;
    let sure = match mode {
        3 => sent != 0 && (bare || is_plausible(sent) && precise && set_before),
        4 => precise && sent.wrapping_sub(received) < MAX_TURN_S,
        _ => precise && is_plausible(sent) && set_before,
    };
    if sure && bytes[2] <= 17 { Recognition::Certain } else { Recognition::Unsure }
}

fn judge_control(bytes: &[u8]) -> Recognition {
    let (Some(count), Some(offset)) = (be16(bytes, 10), be16(bytes, 8)) else {
        return Recognition::NotForUs;
    };
    let data = &bytes[CONTROL_BYTES..];
    let used = usize::from(count);
    let fits = data.len() >= used
        && data.len() - used <= 3 + 24
        && (data.len().is_multiple_of(4) || data.len() == used);
    let known = matches!(bytes[1] & 0x1f, 1..=12 | 31) && bytes[0] >> 6 == 0 && offset < 0x8000;
    if !fits || !known {
        return Recognition::NotForUs;
    }
    // Variables are text; questions without data have a status and an offset of nothing.
    let text =
        data[..used].iter().all(|octet| matches!(octet, b'\t' | b'\r' | b'\n' | 0x20..=0x7e));
    let idle = count == 0 && bytes[4..6] == [0, 0] && bytes[8..10] == [0, 0];
    if text && count >= 4 || idle { Recognition::Certain } else { Recognition::Unsure }
}

fn judge_private(bytes: &[u8]) -> Recognition {
    let (Some(items), Some(size)) = (be16(bytes, 4), be16(bytes, 6)) else {
        return Recognition::NotForUs;
    };
    let (items, size) = (usize::from(items & 0xfff), usize::from(size));
    let data = &bytes[PRIVATE_BYTES..];
    let known = matches!(bytes[2], 0 | 2 | 3) && bytes[3] <= 46 && size <= 500;
    let response = bytes[0] & 0x80 != 0;
    if !known || (response && data.len() != items * size) {
        return Recognition::NotForUs;
    }
    let quiet = !response && items == 0 && size == 0 && data.iter().all(|&octet| octet == 0);
    if quiet || (response && data.len() >= 4) { Recognition::Certain } else { Recognition::Unsure }
}

/// The parser.
pub(super) struct Ntp;

impl Parser for Ntp {
    fn protocol(&self) -> Protocol {
        Protocol::Ntp
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        let (Some(&first), total) = (bytes.first(), bytes.len() + place.cut as usize) else {
            return Recognition::NotForUs;
        };
        let judged = match (first & 7, first >> 3 & 7) {
            (_, 0 | 5..) | (0, _) => return Recognition::NotForUs,
            (6, _) if total >= CONTROL_BYTES && place.cut == 0 => judge_control(bytes),
            (7, _) if total >= PRIVATE_BYTES && place.cut == 0 => judge_private(bytes),
            (mode @ 1..=5, _) if total >= TIME_BYTES => judge_time(bytes, mode, total),
            _ => Recognition::NotForUs,
        };
        // What agrees in all but what would be proof is believed at home, and only there.
        match judged {
            Recognition::Unsure if place.uses(123) => Recognition::Certain,
            Recognition::Unsure => Recognition::NotForUs,
            judged => judged,
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        match read(bytes) {
            Some(message) => Step::Message { record: Record::Ntp(message), consumed: bytes.len() },
            None if place.cut > 0 => Step::NeedMore(bytes.len() + place.cut as usize),
            None => Step::Malformed {
                why: "too short for its mode, or of no known version",
                consumed: bytes.len(),
            },
        }
    }
}
