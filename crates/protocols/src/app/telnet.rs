//! Telnet (RFC 854): negotiation, and who is asked for what. Words typed are withheld until a login
//! was seen to succeed: a password is never shown, counted is only that it was refused.

mod dialogue;

use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};
use dialogue::Dialogue;
pub use dialogue::Text;

/// Interpret as command, and the commands with an option behind.
const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;
/// Highest option that is in use but for the extended list (IANA).
const MAX_OPTION: u8 = 49;
/// Longest subnegotiation.
pub const MAX_SUBNEGOTIATION_BYTES: usize = 4096;
/// Longest text without a line end that is kept together.
pub const MAX_TEXT_BYTES: usize = 512;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// An option is offered, asked for or refused.
    Negotiation {
        /// 251 will, 252 won't, 253 do, 254 don't.
        verb: u8,
        /// Option.
        option: u8,
    },
    /// What an option needs to know.
    Subnegotiation {
        /// Option.
        option: u8,
        /// Octets of it.
        len: usize,
    },
    /// A line, or a prompt.
    Text {
        /// Its part in the dialogue.
        text: Text<'a>,
        /// Logins refused so far in this conversation.
        failed_logins: u8,
    },
}

const fn is_option(option: u8) -> bool {
    matches!(option, 0..=MAX_OPTION | 138..=140 | 255)
}

/// The command behind IAC: the message if it is one worth telling, and its length.
fn command(bytes: &[u8]) -> Step<'_> {
    match *bytes {
        [_, verb @ 251..=254, option, ..] => Step::Message {
            record: Record::Telnet(Message::Negotiation { verb, option }),
            consumed: 3,
        },
        [_, SUBNEGOTIATION, option, ref behind @ ..] => {
            let end = behind.windows(2).position(|pair| pair == [IAC, SUBNEGOTIATION_END]);
            match end {
                Some(len) => Step::Message {
                    record: Record::Telnet(Message::Subnegotiation { option, len }),
                    consumed: 3 + len + 2,
                },
                None if bytes.len() < MAX_SUBNEGOTIATION_BYTES => Step::NeedMore(bytes.len() + 1),
                None => Step::Malformed { why: "a subnegotiation does not end", consumed: 3 },
            }
        }
        [_, 251..=254 | SUBNEGOTIATION] => Step::NeedMore(3),
        [_, 236..=249 | IAC, ..] => Step::Pass { consumed: 2 },
        [_, _, ..] => Step::Malformed { why: "a command is unknown", consumed: 2 },
        _ => Step::NeedMore(2),
    }
}

/// The parser.
pub(super) struct Telnet;

impl Parser for Telnet {
    fn protocol(&self) -> Protocol {
        Protocol::Telnet
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        let home = place.uses(23) || place.uses(2323);
        if bytes.first() != Some(&IAC) {
            // Text says nothing of its protocol: at home a prompt does, elsewhere nothing.
            let text =
                |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\t' | 0 | 8 | 0x1b | 0x20..=0x7e);
            return match bytes {
                [] => Recognition::Unsure,
                _ if !home || !bytes.iter().all(text) => Recognition::NotForUs,
                _ if dialogue::has_prompt(bytes) => Recognition::Certain,
                _ => Recognition::Unsure,
            };
        }
        let (mut rest, mut commands) = (bytes, 0);
        while let [IAC, verb, option, behind @ ..] = rest {
            match verb {
                251..=254 if is_option(*option) => rest = behind,
                &SUBNEGOTIATION if is_option(*option) => match command(rest) {
                    Step::Message { consumed, .. } => rest = &rest[consumed..],
                    _ => break,
                },
                _ => return Recognition::NotForUs,
            }
            commands += 1;
            if commands == 3 {
                return Recognition::Certain;
            }
        }
        match rest {
            [IAC, 0..=235, ..] => Recognition::NotForUs,
            [] | [0..=254, ..] if commands == 2 || (commands == 1 && home) => Recognition::Certain,
            _ => Recognition::Unsure,
        }
    }

    fn next<'a>(&self, place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if bytes.first() == Some(&IAC) {
            return command(bytes);
        }
        let from_server = match place.from_opener {
            Some(opener) => !opener,
            None => place.src_port < place.dst_port,
        };
        let mut dialogue = Dialogue::of(*scratch);
        let Some((line, consumed)) = dialogue::cut(bytes, from_server) else {
            return Step::NeedMore(bytes.len() + 1);
        };
        let blank = line.iter().all(u8::is_ascii_whitespace);
        // An empty line that a client enters still is an answer to what it was asked.
        let entered = !from_server && (!line.is_empty() || bytes.first() == Some(&b'\r'));
        if blank && !entered {
            return Step::Pass { consumed };
        }
        let text = if from_server {
            dialogue.told(line)
        } else {
            dialogue.typed(line, place.from_opener.is_some())
        };
        *scratch = dialogue.kept();
        let failed_logins = dialogue.failed();
        Step::Message { record: Record::Telnet(Message::Text { text, failed_logins }), consumed }
    }
}
