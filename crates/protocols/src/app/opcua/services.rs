//! Services by the identifier of their binary encoding (OPC 10000-6, annex A), and the nodes they
//! name.

use super::super::bytes::Cursor;
use super::super::operation::{Effect, Object, Values};

/// A service message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) response: bool,
}

pub(super) const READ: u32 = 631;
pub(super) const WRITE: u32 = 673;
pub(super) const CALL: u32 = 712;
const FAULT: u32 = 397;
/// Nodes of one message that are told.
pub(super) const MAX_NODES: u32 = 1000;

/// Requests by identifier; the response is three further.
const REQUESTS: [(u32, &str, Effect); 34] = [
    (422, "find servers", Effect::Diagnose),
    (428, "get endpoints", Effect::Diagnose),
    (446, "open secure channel", Effect::Session),
    (452, "close secure channel", Effect::Session),
    (461, "create session", Effect::Session),
    (467, "activate session", Effect::Session),
    (473, "close session", Effect::Session),
    (479, "cancel", Effect::Session),
    (488, "add nodes", Effect::Configure),
    (494, "add references", Effect::Configure),
    (500, "delete nodes", Effect::Configure),
    (506, "delete references", Effect::Configure),
    (527, "browse", Effect::Diagnose),
    (533, "browse next", Effect::Diagnose),
    (554, "translate browse paths", Effect::Diagnose),
    (560, "register nodes", Effect::Session),
    (566, "unregister nodes", Effect::Session),
    (615, "query first", Effect::Diagnose),
    (621, "query next", Effect::Diagnose),
    (READ, "read", Effect::Read),
    (664, "history read", Effect::Read),
    (WRITE, "write", Effect::Write),
    (700, "history update", Effect::Write),
    (CALL, "call", Effect::Control),
    (751, "create monitored items", Effect::Read),
    (763, "modify monitored items", Effect::Session),
    (769, "set monitoring mode", Effect::Session),
    (781, "delete monitored items", Effect::Session),
    (787, "create subscription", Effect::Session),
    (793, "modify subscription", Effect::Session),
    (799, "set publishing mode", Effect::Session),
    (826, "publish", Effect::Read),
    (832, "republish", Effect::Read),
    (847, "delete subscriptions", Effect::Session),
];

/// The service with this identifier.
pub(super) fn of(id: u32) -> Option<Service> {
    if id == FAULT {
        return Some(Service { name: "service fault", effect: Effect::Diagnose, response: true });
    }
    REQUESTS
        .iter()
        .find(|(request, ..)| id == *request || id == request + 3)
        .map(|(request, name, effect)| Service { name, effect: *effect, response: id != *request })
}

/// Name of a node: numbered ones are points of their namespace, others go by their bytes.
pub(super) fn node<'a>(cursor: &mut Cursor<'a>) -> Option<Object<'a>> {
    let range = |space: u16, start: u32| Object::Range { space: u32::from(space), start, count: 1 };
    Some(match cursor.u8()? {
        0 => range(0, u32::from(cursor.u8()?)),
        1 => {
            let space = u16::from(cursor.u8()?);
            range(space, u32::from(cursor.le16()?))
        }
        2 => {
            let space = cursor.le16()?;
            range(space, cursor.le32()?)
        }
        3 | 5 => {
            cursor.le16()?;
            Object::Name(text(cursor)?)
        }
        4 => {
            cursor.le16()?;
            Object::Name(cursor.take(16)?)
        }
        _ => return None,
    })
}

/// A string or byte string; a negative length is an empty one.
pub(super) fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.le32()?.cast_signed();
    cursor.take(usize::try_from(length).unwrap_or(0))
}

/// Passes over the header of a request.
pub(super) fn request_header(cursor: &mut Cursor<'_>) -> Option<()> {
    node(cursor)?;
    // Time, handle, diagnostics.
    cursor.take(16)?;
    text(cursor)?;
    cursor.le32()?;
    node(cursor)?;
    if cursor.u8()? != 0 {
        text(cursor)?;
    }
    Some(())
}

/// A value behind its mask and type; `None` where its length is not known, which ends the list.
fn variant<'a>(cursor: &mut Cursor<'a>) -> Option<Values<'a>> {
    let mask = cursor.u8()?;
    let values = if mask & 1 == 0 {
        Values::none()
    } else {
        match cursor.u8()? {
            1 | 3 => Values::u8(cursor.take(1)?),
            2 => Values::i8(cursor.take(1)?),
            4 => Values::i16_le(cursor.take(2)?),
            5 => Values::u16_le(cursor.take(2)?),
            6 => Values::i32_le(cursor.take(4)?),
            7 | 19 => Values::u32_le(cursor.take(4)?),
            8 | 9 | 13 => {
                cursor.take(8)?;
                Values::none()
            }
            10 => Values::f32_le(cursor.take(4)?),
            11 => Values::f64_le(cursor.take(8)?),
            12 | 15 => {
                text(cursor)?;
                Values::none()
            }
            _ => return None,
        }
    };
    let sizes = [(2, 4), (4, 8), (0x10, 2), (8, 8), (0x20, 2)];
    for (_, size) in sizes.iter().filter(|(bit, _)| mask & bit != 0) {
        cursor.take(*size)?;
    }
    Some(values)
}

/// Tells each node of a read, write or call, as far as they can be read.
pub(super) fn nodes<'a>(
    id: u32,
    body: &'a [u8],
    tell: &mut dyn FnMut(Object<'a>, Values<'a>, u16),
) -> Option<()> {
    let mut cursor = Cursor::new(body);
    request_header(&mut cursor)?;
    if id == READ {
        // Greatest age, which times to return.
        cursor.take(12)?;
    }
    for _ in 0..cursor.le32()?.min(MAX_NODES) {
        let object = node(&mut cursor)?;
        if id == CALL {
            let method = node(&mut cursor)?;
            tell(method, Values::none(), 0);
            // Arguments have no common length: only calls without any can be followed.
            if cursor.le32()?.cast_signed() > 0 {
                break;
            }
            continue;
        }
        let attribute = cursor.le32()?;
        text(&mut cursor)?;
        let values = if id == READ {
            cursor.le16()?;
            text(&mut cursor)?;
            Some(Values::none())
        } else {
            variant(&mut cursor)
        };
        tell(object, values.unwrap_or(Values::none()), attribute.min(0xffff) as u16);
        values?;
    }
    Some(())
}
