//! From the data of ISO transport to the MMS protocol data unit: session (ISO 8327), presentation
//! (ISO 8823) and association control (ISO 8650), as far as IEC 61850-8-1 uses them.

use super::super::ber::{self, Tlv};
use super::super::bytes::Cursor;

/// Give tokens and data transfer, both empty: what stands before data.
const DATA: [u8; 4] = [1, 0, 1, 0];
/// Session units that open an association and hold user data.
const CONNECT: u8 = 13;
const ACCEPT: u8 = 14;
/// Session units that refuse or end it.
const REFUSE: u8 = 12;
const FINISH: u8 = 9;
const DISCONNECT: u8 = 10;
const ABORT: u8 = 25;
/// Parameters of a session unit that hold user data.
const USER_DATA: u8 = 193;
const EXTENDED_USER_DATA: u8 = 194;

/// Fully encoded user data of the presentation.
const USER: u8 = 0x61;
/// List of presentation data values.
const LIST: u8 = 0x30;
/// The value of a single type.
const SINGLE: u8 = 0xa0;
/// Connect or accept of the presentation.
const PRESENTATION: u8 = 0x31;
/// Parameters of the normal mode in it.
const NORMAL_MODE: u8 = 0xa2;
/// Association request and response.
const ASSOCIATE: [u8; 2] = [0x60, 0x61];
/// User information in them, and the external type it is.
const USER_INFORMATION: u8 = 0xbe;
const EXTERNAL: u8 = 0x28;

/// What is inside session data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inner<'a> {
    /// The element that should be an MMS protocol data unit.
    Unit(Tlv<'a>),
    /// Association control without MMS: release, abort, refusal.
    Control,
    /// Another session protocol, or none.
    Foreign,
}

/// Unwraps session data.
pub(super) fn unwrap(payload: &[u8]) -> Inner<'_> {
    if let Some(rest) = payload.strip_prefix(&DATA) {
        return data(rest).map_or(Inner::Foreign, control_or_unit);
    }
    match payload.first() {
        Some(&(CONNECT | ACCEPT)) => connect(payload).map_or(Inner::Foreign, Inner::Unit),
        Some(0x80..=0xbf) => bare(payload).map_or(Inner::Foreign, Inner::Unit),
        Some(&(REFUSE | FINISH | DISCONNECT | ABORT)) if bounded(payload) => Inner::Control,
        _ => Inner::Foreign,
    }
}

/// The unit of a machine that leaves session and presentation out: it fills the data.
fn bare(payload: &[u8]) -> Option<Tlv<'_>> {
    let (unit, rest) = ber::read(payload)?;
    let whole = rest.is_empty() && !unit.cut;
    // Nothing else says that it is MMS: what is inside must be well formed, too.
    let mut inside = unit.inside();
    let formed = unit.tag & ber::CONSTRUCTED == 0 || inside.by_ref().count() > 0;
    (whole && formed && inside.rest().is_empty()).then_some(unit)
}

/// Whether the start of session data could go on as MMS.
pub(super) fn may_begin(payload: &[u8]) -> bool {
    let length = payload.len().min(DATA.len());
    payload[..length] == DATA[..length] || matches!(payload.first(), Some(&(CONNECT | ACCEPT)))
}

/// Association control is of the application class, MMS of the context class.
fn control_or_unit(element: Tlv<'_>) -> Inner<'_> {
    if element.tag & 0xc0 == 0x40 { Inner::Control } else { Inner::Unit(element) }
}

/// Whether the stated length of a short session unit is the length of the data.
fn bounded(payload: &[u8]) -> bool {
    payload.get(1).is_some_and(|length| usize::from(*length) + 2 == payload.len())
}

/// The value inside fully encoded user data.
fn data(bytes: &[u8]) -> Option<Tlv<'_>> {
    let (user, _) = ber::read(bytes).filter(|(user, _)| user.tag == USER)?;
    user.child(LIST)?.child(SINGLE)?.inside().next()
}

/// The MMS unit inside a connection unit.
fn connect(payload: &[u8]) -> Option<Tlv<'_>> {
    let (presentation, _) = ber::read(user_data(payload)?)?;
    if presentation.tag != PRESENTATION {
        return None;
    }
    let user = presentation.child(NORMAL_MODE)?.child(USER)?;
    let association = user.child(LIST)?.child(SINGLE)?.inside().next()?;
    if !ASSOCIATE.contains(&association.tag) {
        return None;
    }
    let external = association.child(USER_INFORMATION)?.child(EXTERNAL)?;
    external.child(SINGLE)?.inside().next()
}

/// User data among the parameters of a session unit.
fn user_data(payload: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(payload);
    cursor.u8()?;
    length(&mut cursor)?;
    loop {
        let code = cursor.u8()?;
        let held = length(&mut cursor)?;
        let value = cursor.up_to(held);
        if matches!(code, USER_DATA | EXTENDED_USER_DATA) {
            return Some(value);
        }
    }
}

/// Length indicator of the session: one byte, or 255 and two.
fn length(cursor: &mut Cursor<'_>) -> Option<usize> {
    match cursor.u8()? {
        0xff => cursor.be16().map(usize::from),
        short => Some(usize::from(short)),
    }
}
