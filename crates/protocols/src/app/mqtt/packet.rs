//! The fifteen control packets (MQTT 3.1.1 and 5, clause 3).

use super::variable;
use crate::app::bytes::{Cursor, be16};

/// Level of MQTT 5, which has properties and reason codes.
const FIVE: u8 = 5;

/// What a control packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A client connects.
    Connect {
        /// Protocol level.
        level: u8,
        /// Name of the client; may be empty.
        client: &'a [u8],
        /// User, if one is named.
        user: Option<&'a [u8]>,
        /// Whether a password is given; it is not shown.
        password: bool,
        /// Whether the session starts afresh.
        clean: bool,
        /// Topic of the message left behind for the case of a broken connection.
        will: Option<&'a [u8]>,
        /// Seconds between signs of life.
        keep_alive_s: u16,
    },
    /// The server's answer.
    ConnectAck {
        /// Whether it knows the session.
        session: bool,
        /// 0 accepted, others refused.
        code: u8,
    },
    /// A message.
    Publish {
        /// Topic; empty where an alias stands for it (MQTT 5).
        topic: &'a [u8],
        /// Quality of service.
        qos: u8,
        /// Whether the server keeps it.
        retain: bool,
        /// Whether it is sent again.
        duplicate: bool,
        /// Joins message and acknowledgement.
        id: Option<u16>,
        /// Octets of its payload.
        payload_len: usize,
    },
    /// Acknowledgements: 4 PUBACK, 5 PUBREC, 6 PUBREL, 7 PUBCOMP.
    Acknowledge {
        /// Packet type.
        kind: u8,
        /// Message.
        id: u16,
        /// Reason; from 128 on a failure.
        reason: u8,
    },
    /// Topics wanted.
    Subscribe {
        /// Joins with the answer.
        id: u16,
        /// Topic filters.
        filters: Filters<'a>,
    },
    /// Answer: a code for each filter.
    SubscribeAck {
        /// Joins with the question.
        id: u16,
        /// Codes; from 128 on refusals.
        codes: &'a [u8],
    },
    /// Topics no longer wanted.
    Unsubscribe {
        /// Joins with the answer.
        id: u16,
        /// Topic filters.
        filters: Filters<'a>,
    },
    /// Answer.
    UnsubscribeAck {
        /// Joins with the question.
        id: u16,
    },
    /// Sign of life asked for.
    Ping,
    /// Sign of life.
    Pong,
    /// The end.
    Disconnect {
        /// Reason (MQTT 5).
        reason: u8,
    },
    /// Exchange of credentials (MQTT 5); they are not shown.
    Auth {
        /// Reason.
        reason: u8,
    },
}

/// Topic filters with their options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filters<'a> {
    bytes: &'a [u8],
    options: bool,
}

impl<'a> Filters<'a> {
    /// Each filter, with the quality of service asked for.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], u8)> + use<'a> {
        let (mut cursor, options) = (Cursor::new(self.bytes), self.options);
        std::iter::from_fn(move || {
            let topic = text(&mut cursor)?;
            let options = if options { cursor.u8()? } else { 0 };
            Some((topic, options & 3))
        })
    }

    /// Filters that fill their bytes, at least one.
    fn read(bytes: &'a [u8], options: bool) -> Option<Self> {
        let filters = Self { bytes, options };
        let each = if options { 3 } else { 2 };
        let filled: usize = filters.iter().map(|(topic, _)| each + topic.len()).sum();
        (filled == bytes.len() && filled > 0).then_some(filters)
    }
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = usize::from(cursor.be16()?);
    cursor.take(len)
}

/// Passes over the properties of MQTT 5.
fn properties(cursor: &mut Cursor<'_>, level: u8) -> Option<()> {
    if level == FIVE {
        let len = variable(cursor).ok()?;
        cursor.take(len)?;
    }
    Some(())
}

/// Octets before the payload of a message, or those needed to learn how many there are.
pub(super) fn publish_head(flags: u8, body: &[u8], level: u8) -> Option<usize> {
    let mut head = 2 + usize::from(be16(body, 0)?);
    if flags & 6 != 0 {
        head += 2;
    }
    if level == FIVE {
        let Some(rest) = body.get(head..).filter(|rest| !rest.is_empty()) else {
            return Some(head + 1);
        };
        let mut cursor = Cursor::new(rest);
        match variable(&mut cursor) {
            Ok(len) => head = head + rest.len() - cursor.rest().len() + len,
            Err(_) => head += rest.len() + 1,
        }
    }
    Some(head)
}

/// Reads what stands behind the fixed header: all of it, but for the payload of a message.
pub(super) fn read<'a>(
    kind: u8,
    flags: u8,
    body: &'a [u8],
    len: usize,
    level: u8,
) -> Result<Packet<'a>, &'static str> {
    let mut cursor = Cursor::new(body);
    let packet = match kind {
        1 => connect(&mut cursor),
        2 => connect_ack(&mut cursor, level),
        3 => publish(&mut cursor, flags, len, level),
        4..=7 => acknowledge(&mut cursor, kind),
        8..=11 => subscribe(&mut cursor, kind, level),
        12 | 13 => (len == 0).then_some(if kind == 12 { Packet::Ping } else { Packet::Pong }),
        14 => Some(Packet::Disconnect { reason: cursor.u8().unwrap_or(0) }),
        15 => Some(Packet::Auth { reason: cursor.u8().unwrap_or(0) }),
        _ => None,
    };
    packet.ok_or("a control packet is not as its type wants")
}

fn connect<'a>(cursor: &mut Cursor<'a>) -> Option<Packet<'a>> {
    let name = text(cursor)?;
    let level = cursor.u8()?;
    if !matches!((name, level & 0x7f), (b"MQTT", 4 | FIVE) | (b"MQIsdp", 3)) {
        return None;
    }
    let level = level & 0x7f;
    let flags = cursor.u8().filter(|flags| flags & 1 == 0)?;
    let keep_alive_s = cursor.be16()?;
    properties(cursor, level)?;
    let client = text(cursor)?;
    let mut will = None;
    if flags & 0x04 != 0 {
        properties(cursor, level)?;
        will = Some(text(cursor)?);
        text(cursor)?;
    }
    let user = if flags & 0x80 != 0 { Some(text(cursor)?) } else { None };
    let password = flags & 0x40 != 0;
    if password {
        text(cursor)?;
    }
    let clean = flags & 0x02 != 0;
    Some(Packet::Connect { level, client, user, password, clean, will, keep_alive_s })
}

fn connect_ack<'a>(cursor: &mut Cursor<'a>, level: u8) -> Option<Packet<'a>> {
    let session = cursor.u8().filter(|flags| *flags <= 1)? == 1;
    let code = cursor.u8()?;
    properties(cursor, level)?;
    Some(Packet::ConnectAck { session, code })
}

fn publish<'a>(cursor: &mut Cursor<'a>, flags: u8, len: usize, level: u8) -> Option<Packet<'a>> {
    let before = cursor.rest().len();
    let topic = text(cursor)?;
    // Wildcards are for filters alone (4.7.1).
    if topic.iter().any(|byte| matches!(byte, 0 | b'#' | b'+')) {
        return None;
    }
    let qos = flags >> 1 & 3;
    let id = if qos > 0 { Some(cursor.be16()?) } else { None };
    properties(cursor, level)?;
    let payload_len = len.checked_sub(before - cursor.rest().len())?;
    let (retain, duplicate) = (flags & 1 != 0, flags & 8 != 0);
    Some(Packet::Publish { topic, qos, retain, duplicate, id, payload_len })
}

fn acknowledge<'a>(cursor: &mut Cursor<'a>, kind: u8) -> Option<Packet<'a>> {
    let id = cursor.be16()?;
    Some(Packet::Acknowledge { kind, id, reason: cursor.u8().unwrap_or(0) })
}

fn subscribe<'a>(cursor: &mut Cursor<'a>, kind: u8, level: u8) -> Option<Packet<'a>> {
    let id = cursor.be16()?;
    if kind == 11 && cursor.is_empty() {
        return Some(Packet::UnsubscribeAck { id });
    }
    properties(cursor, level)?;
    let rest = cursor.rest();
    Some(match kind {
        8 => Packet::Subscribe { id, filters: Filters::read(rest, true)? },
        9 => Packet::SubscribeAck { id, codes: rest },
        10 => Packet::Unsubscribe { id, filters: Filters::read(rest, false)? },
        _ => Packet::UnsubscribeAck { id },
    })
}
