//! DNP3 messages as operations.

use super::super::bytes::Cursor;
use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::objects::{self, Form, Header, Size};
use super::{Application, MOST_DATA, Message, PRIMARY, RESPONSE};

/// Upper byte of the numbers of link functions; the primary bit stays in the lower one.
const LINK: u16 = 0x200;
/// Function code.
const UNSOLICITED: u8 = 130;
/// Group of class data, whose variations are the classes.
const CLASSES: u8 = 60;
/// Groups of output commands, whose last byte is a status.
const BLOCKS: u8 = 12;
const ANALOGUE_COMMANDS: u8 = 41;
/// Indications that a request was refused: function, object or parameter not understood.
const REFUSED: u16 = 0x07;

/// Name and effect of a function.
const fn function(code: u8) -> (&'static str, Effect) {
    use Effect::{Configure, Control, Diagnose, Read, Session, Write};
    match code {
        0 => ("confirm", Session),
        1 => ("read", Read),
        2 => ("write", Write),
        3 => ("select", Control),
        4 => ("operate", Control),
        5 => ("direct operate", Control),
        6 => ("direct operate without answer", Control),
        7 => ("freeze", Write),
        8 => ("freeze without answer", Write),
        9 => ("freeze and clear", Write),
        10 => ("freeze and clear without answer", Write),
        11 => ("freeze at time", Write),
        12 => ("freeze at time without answer", Write),
        13 => ("cold restart", Configure),
        14 => ("warm restart", Configure),
        15 => ("initialise data", Configure),
        16 => ("initialise application", Configure),
        17 => ("start application", Configure),
        18 => ("stop application", Configure),
        19 => ("save configuration", Configure),
        20 => ("enable unsolicited", Configure),
        21 => ("disable unsolicited", Configure),
        22 => ("assign class", Configure),
        23 => ("delay measurement", Diagnose),
        24 => ("record current time", Configure),
        25 => ("open file", Configure),
        26 => ("close file", Configure),
        27 => ("delete file", Configure),
        28 => ("file information", Diagnose),
        29 => ("authenticate file", Configure),
        30 => ("abort file", Configure),
        31 => ("activate configuration", Configure),
        32 => ("authentication request", Session),
        33 => ("authentication error", Session),
        129 => ("response", Read),
        130 => ("unsolicited response", Read),
        131 => ("authentication response", Session),
        _ => ("unknown function", Diagnose),
    }
}

const fn link(primary: bool, function: u8) -> &'static str {
    match (primary, function) {
        (true, 0) => "reset link",
        (true, 2) => "test link",
        (true, 3) => "confirmed user data",
        (true, 4) => "unconfirmed user data",
        (true, 9) => "request link status",
        (false, 0) => "link acknowledged",
        (false, 1) => "link not acknowledged",
        (false, 11) => "link status",
        _ => "unknown link function",
    }
}

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    // The unit is the outstation, whoever speaks.
    let unit = if message.from_master() { message.destination } else { message.source };
    let plain = Operation {
        role: Role::Request,
        effect: Effect::Session,
        function: 0,
        name: "",
        unit: u32::from(unit),
        transaction: None,
        refused: None,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    };
    let Some(application) = message.application else {
        // Later segments of a fragment say nothing by themselves.
        if message.blocks.is_empty() {
            let primary = message.control & PRIMARY != 0;
            let role = if primary { Role::Request } else { Role::Response };
            let function = LINK | u16::from(message.control & (PRIMARY | 0x0f));
            let name = link(primary, message.link_function());
            each(Operation { role, function, name, ..plain });
        }
        return;
    };
    let (name, effect) = function(application.function);
    let role = match application.function {
        UNSOLICITED => Role::Report,
        RESPONSE.. => Role::Response,
        _ => Role::Request,
    };
    let refused = application.indications.map(|bits| bits & REFUSED).filter(|bits| *bits != 0);
    let plain = Operation {
        role,
        effect,
        function: u16::from(application.function),
        name,
        transaction: Some(u32::from(application.control & 0x1f)),
        refused,
        ..plain
    };
    let mut buffer = [0; MOST_DATA];
    let data = message.user_data(&mut buffer);
    if !fragment(application, data, plain, each) {
        each(plain);
    }
}

/// Tells the objects of a fragment; whether there were any.
fn fragment<'a>(
    application: Application,
    data: &[u8],
    plain: Operation<'a>,
    each: &mut dyn FnMut(Operation<'a>),
) -> bool {
    let skip = if application.function >= RESPONSE { 5 } else { 3 };
    let mut cursor = Cursor::new(data.get(skip..).unwrap_or_default());
    let mut told = false;
    while let Some(header) = objects::header(&mut cursor) {
        told = true;
        // Only these carry objects; the others only name them.
        let carries = matches!(application.function, 2..=6 | 25..=33 | RESPONSE..);
        let form = objects::of(header.group, header.variation);
        let form = form.filter(|_| carries && header.count > 0 && !header.sized);
        let Some(form) = form else {
            each(Operation { object: range(&header), ..plain });
            if carries && !skip_sized(&mut cursor, &header) {
                break;
            }
            continue;
        };
        if !points(&mut cursor, &header, form, plain, each) {
            break;
        }
    }
    told
}

/// What a header names. Class data is numbered by its class.
fn range(header: &Header) -> Object<'static> {
    let (start, count) = match header.group {
        CLASSES => (u32::from(header.variation), 1),
        _ => (header.start, header.count),
    };
    Object::Range { space: u32::from(header.group), start, count }
}

/// Passes over objects that state their length; whether the next header can be found.
fn skip_sized(cursor: &mut Cursor<'_>, header: &Header) -> bool {
    if header.count == 0 {
        return true;
    }
    header.sized
        && (0..header.count).all(|_| {
            let length = number(cursor, header.prefix);
            length.and_then(|length| cursor.take(length as usize)).is_some()
        })
}

fn number(cursor: &mut Cursor<'_>, bytes: usize) -> Option<u32> {
    match bytes {
        1 => cursor.u8().map(u32::from),
        2 => cursor.le16().map(u32::from),
        4 => cursor.le32(),
        _ => Some(0),
    }
}

/// Tells each object of a header; whether all were there.
fn points<'a>(
    cursor: &mut Cursor<'_>,
    header: &Header,
    form: Form,
    plain: Operation<'a>,
    each: &mut dyn FnMut(Operation<'a>),
) -> bool {
    let space = u32::from(header.group);
    let mut tell = |index: u32, value: Option<f64>, cause: u16, status: Option<u16>| {
        each(Operation {
            object: Object::Range { space, start: index, count: 1 },
            values: value.map_or(Values::none(), Values::one),
            cause,
            refused: plain.refused.or(status),
            ..plain
        });
    };
    match form.size {
        Size::Packed(bits) => {
            let stated = (u64::from(header.count) * u64::from(bits)).div_ceil(8);
            let bytes = cursor.up_to(usize::try_from(stated).unwrap_or(usize::MAX));
            let held = (bytes.len() * 8 / usize::from(bits)) as u32;
            for place in 0..header.count.min(held) {
                let at = place as usize * usize::from(bits);
                let value = bytes[at / 8] >> (at % 8) & ((1 << bits) - 1);
                tell(header.start.wrapping_add(place), Some(f64::from(value)), 0, None);
            }
            bytes.len() as u64 == stated
        }
        Size::Bytes(0) => true,
        Size::Bytes(size) => {
            for place in 0..header.count {
                let index = if header.prefix == 0 {
                    Some(header.start.wrapping_add(place))
                } else {
                    number(cursor, header.prefix)
                };
                let (Some(index), Some(object)) = (index, cursor.take(size)) else { return false };
                let command = matches!(header.group, BLOCKS | ANALOGUE_COMMANDS);
                // Status 0 is success; requests carry 0.
                let status = object.last().filter(|status| command && **status != 0);
                // How often a relay is to be operated.
                let repeat = object.get(1).filter(|_| header.group == BLOCKS);
                tell(
                    index,
                    objects::value(form, object),
                    repeat.map_or(0, |count| u16::from(*count)),
                    status.map(|status| u16::from(*status)),
                );
            }
            true
        }
    }
}
