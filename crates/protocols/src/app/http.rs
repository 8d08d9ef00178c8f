//! HTTP/1 (RFC 9112): heads are read, bodies are passed over and never kept.

mod state;

use super::head::{Head, agrees, decimal, first_line};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};
use state::{Body as Left, State};

/// Longest head; longer ones are no longer read.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Longest line with the size of a chunk.
const MAX_CHUNK_LINE_BYTES: usize = 1024;
/// Most bytes of a body that are believed.
const MAX_BODY_BYTES: u64 = 1 << 46;

/// Methods to recognise by (IANA, and those of UPnP eventing).
const METHODS: [&[u8]; 21] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"NOTIFY",
];

/// The first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A question.
    Request {
        /// Such as `GET`.
        method: &'a [u8],
        /// What is asked for, with its query.
        target: &'a [u8],
    },
    /// An answer.
    Response {
        /// Such as 404.
        status: u16,
    },
}

/// What follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// All until the end of the conversation.
    UntilClose,
    /// Another protocol.
    Upgraded,
}

/// One head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The first line.
    pub start: Start<'a>,
    /// Minor version: 0 or 1.
    pub minor: u8,
    /// Host asked.
    pub host: Option<&'a [u8]>,
    /// Program that asks, or that answers (`User-Agent`, `Server`).
    pub agent: Option<&'a [u8]>,
    /// Media type of the body.
    pub content_type: Option<&'a [u8]>,
    /// Whether credentials are shown (`Authorization`); they are not read.
    pub authorization: bool,
    /// What follows.
    pub body: Body,
}

/// What the fields say of the body.
#[derive(Debug, Clone, Copy, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    broken: bool,
}

fn start(line: &[u8]) -> Option<(Start<'_>, u8)> {
    if let Some(rest) = line.strip_prefix(b"HTTP/1.") {
        let (&[minor, b' ', a, b, c], behind) = rest.split_first_chunk::<5>()? else {
            return None;
        };
        let digits = [a, b, c];
        let ends = behind.first().is_none_or(|&next| next == b' ');
        let status = u16::try_from(decimal(&digits)?).ok().filter(|s| ends && *s >= 100)?;
        return Some((Start::Response { status }, version(minor)?));
    }
    let space = line.iter().position(|&byte| byte == b' ')?;
    let (method, rest) = (&line[..space], &line[space + 1..]);
    let (target, version_text) = rest.split_at(rest.iter().rposition(|&byte| byte == b' ')?);
    let minor = version_text.strip_prefix(b" HTTP/1.").and_then(|rest| match rest {
        [minor] => version(*minor),
        _ => None,
    })?;
    let fits = is_token(method) && !target.is_empty() && !target.iter().any(u8::is_ascii_control);
    fits.then_some((Start::Request { method, target }, minor))
}

fn version(minor: u8) -> Option<u8> {
    matches!(minor, b'0' | b'1').then_some(minor.wrapping_sub(b'0'))
}

fn is_token(method: &[u8]) -> bool {
    (1..=24).contains(&method.len())
        && method.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn read<'a>(head: &Head<'a>) -> Result<(Message<'a>, Framing), &'static str> {
    let (start, minor) = start(head.line).ok_or("the start line is not one of HTTP/1")?;
    let mut message = Message {
        start,
        minor,
        host: None,
        agent: None,
        content_type: None,
        authorization: false,
        body: Body::None,
    };
    let mut framing = Framing::default();
    for (name, value) in head.fields() {
        let is = |text: &[u8]| name.eq_ignore_ascii_case(text);
        match name.len() {
            4 if is(b"host") => message.host = Some(value),
            6 if is(b"server") => message.agent = Some(value),
            10 if is(b"user-agent") => message.agent = Some(value),
            12 if is(b"content-type") => message.content_type = Some(value),
            13 if is(b"authorization") => message.authorization = true,
            14 if is(b"content-length") => {
                let length = decimal(value).filter(|length| *length <= MAX_BODY_BYTES);
                framing.broken |=
                    length.is_none() || framing.length.is_some_and(|l| Some(l) != length);
                framing.length = length;
            }
            17 if is(b"transfer-encoding") => {
                let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
                framing.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            }
            _ => {}
        }
    }
    if framing.broken {
        Err("the length of the body contradicts itself")
    } else {
        Ok((message, framing))
    }
}

/// What follows the head (RFC 9112, 6.3), where `asked` is the method class of the request answered.
fn body(start: &Start<'_>, framing: Framing, asked: state::Asked) -> Body {
    let declared = match framing {
        Framing { chunked: true, .. } => Some(Body::Chunked),
        Framing { length: Some(0), .. } => Some(Body::None),
        Framing { length: Some(length), .. } => Some(Body::Length(length)),
        Framing { .. } => None,
    };
    match *start {
        Start::Request { .. } => declared.unwrap_or(Body::None),
        Start::Response { status: 101 } => Body::Upgraded,
        Start::Response { status: 200..300 } if asked == state::Asked::Connect => Body::Upgraded,
        Start::Response { status: 100..200 | 204 | 304 } => Body::None,
        Start::Response { .. } if asked == state::Asked::Head => Body::None,
        Start::Response { .. } => declared.unwrap_or(Body::UntilClose),
    }
}

/// The next piece of a chunked body (RFC 9112, 7.1).
fn chunk<'a>(state: &mut State, side: usize, bytes: &'a [u8]) -> Step<'a> {
    let Some(line) = first_line(bytes) else {
        return match bytes.len() {
            ..MAX_CHUNK_LINE_BYTES => Step::NeedMore(bytes.len() + 1),
            _ => Step::Malformed { why: "the line of a chunk does not end", consumed: 0 },
        };
    };
    let line_bytes = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
    if state.body(side) == Left::Trailer {
        if line.is_empty() {
            state.set_body(side, Left::None);
        }
        return Step::Pass { consumed: line_bytes };
    }
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let size = match digits {
        1..=11 => line[..digits].iter().fold(0_u64, |size, digit| {
            size << 4 | u64::from(char::from(*digit).to_digit(16).unwrap_or(0))
        }),
        _ => return Step::Malformed { why: "the size of a chunk is no number", consumed: 0 },
    };
    if size == 0 {
        state.set_body(side, Left::Trailer);
        return Step::Pass { consumed: line_bytes };
    }
    // The line end behind the chunk goes with it.
    Step::Pass { consumed: line_bytes + usize::try_from(size).unwrap_or(usize::MAX >> 1) + 2 }
}

/// The parser.
pub(super) struct Http;

impl Parser for Http {
    fn protocol(&self) -> Protocol {
        Protocol::Http
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, _place: &Place, bytes: &[u8]) -> Recognition {
        if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
            return Recognition::NotForUs;
        }
        if agrees(bytes, b"HTTP/1.") {
            return match bytes.get(..12) {
                None => Recognition::Unsure,
                Some(line) if start(line).is_some() => Recognition::Certain,
                Some(_) => Recognition::NotForUs,
            };
        }
        let method = |method: &&[u8]| {
            agrees(bytes, method) && bytes.get(method.len()).is_none_or(|&byte| byte == b' ')
        };
        if !METHODS.iter().any(method) {
            return Recognition::NotForUs;
        }
        match first_line(bytes) {
            Some(line) if start(line).is_some() => Recognition::Certain,
            None if bytes.len() < MAX_HEAD_BYTES && !bytes.iter().any(is_binary) => {
                Recognition::Unsure
            }
            _ => Recognition::NotForUs,
        }
    }

    fn next<'a>(&self, place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        let mut state = State::of(*scratch);
        // Which of the two directions: stable without knowing who opened the conversation.
        let side = usize::from(place.src_port > place.dst_port);
        let step = step(&mut state, side, bytes);
        // A beginning is read again: it may turn out to be something else.
        if !matches!(step, Step::NeedMore(_)) {
            *scratch = state.kept();
        }
        step
    }
}

const fn is_binary(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(*byte, b'\r' | b'\n' | b'\t')
}

fn step<'a>(state: &mut State, side: usize, bytes: &'a [u8]) -> Step<'a> {
    if state.upgraded() {
        return Step::Done;
    }
    match state.body(side) {
        Left::None => {}
        Left::UntilClose => return Step::Pass { consumed: bytes.len() },
        Left::Chunk | Left::Trailer => match first_line(bytes) {
            // A hole in the stream ended the body unseen: a head is no size and no trailer.
            Some(line) if start(line).is_some() => state.set_body(side, Left::None),
            _ => return chunk(state, side, bytes),
        },
    }
    // Empty lines before a message are to be overlooked (RFC 9112, 2.2).
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if blank > 0 {
        return Step::Pass { consumed: blank };
    }
    let Some(head) = Head::read(bytes) else {
        return match first_line(bytes) {
            Some(line) if start(line).is_none() => {
                Step::Malformed { why: "the start line is not one of HTTP/1", consumed: 0 }
            }
            _ if bytes.len() < MAX_HEAD_BYTES => Step::NeedMore(bytes.len() + 1),
            _ => Step::Malformed { why: "the head is longer than 16 KiB", consumed: 0 },
        };
    };
    let (mut message, framing) = match read(&head) {
        Ok(read) => read,
        Err(why) => return Step::Malformed { why, consumed: 0 },
    };
    let asked = match message.start {
        Start::Request { method, .. } => {
            state.ask(match method {
                b"HEAD" => state::Asked::Head,
                b"CONNECT" => state::Asked::Connect,
                _ => state::Asked::Other,
            });
            state::Asked::Other
        }
        Start::Response { status: 100 | 102..200 } => state::Asked::Other,
        Start::Response { .. } => state.answer(),
    };
    message.body = body(&message.start, framing, asked);
    let mut consumed = head.len;
    match message.body {
        Body::None => {}
        Body::Length(length) => {
            consumed = consumed.saturating_add(usize::try_from(length).unwrap_or(usize::MAX >> 1));
        }
        Body::Chunked => state.set_body(side, Left::Chunk),
        Body::UntilClose => state.set_body(side, Left::UntilClose),
        Body::Upgraded => state.upgrade(),
    }
    Step::Message { record: Record::Http(message), consumed }
}
