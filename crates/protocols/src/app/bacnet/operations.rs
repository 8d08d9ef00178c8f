//! BACnet messages as operations.

use super::super::bytes::Cursor;
use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::tags::{self, Tag};
use super::{Apdu, Message};

/// Upper bytes of the numbers of unconfirmed services, of other units, of the layers below.
const UNCONFIRMED: u16 = 0x100;
const UNIT: u16 = 0x200;
const VIRTUAL_LINK: u16 = 0x300;
const NETWORK: u16 = 0x400;
/// Property that is the value of a point.
const PRESENT_VALUE: u32 = 85;
/// Object types whose value drives an output: analogue, binary, multi-state.
const OUTPUTS: [u32; 3] = [1, 4, 14];
const READ_MULTIPLE: u8 = 14;
const WRITE: u8 = 15;
const WRITE_MULTIPLE: u8 = 16;

/// Name and effect of a confirmed service.
const fn confirmed(number: u8) -> (&'static str, Effect) {
    use Effect::{Configure, Control, Diagnose, Read, Session, Write};
    match number {
        0 => ("acknowledge alarm", Control),
        1 => ("confirmed cov notification", Read),
        2 => ("confirmed event notification", Read),
        3 => ("get alarm summary", Diagnose),
        4 => ("get enrollment summary", Diagnose),
        5 => ("subscribe cov", Session),
        6 => ("atomic read file", Read),
        7 => ("atomic write file", Configure),
        8 => ("add list element", Configure),
        9 => ("remove list element", Configure),
        10 => ("create object", Configure),
        11 => ("delete object", Configure),
        12 => ("read property", Read),
        13 => ("read property conditional", Read),
        14 => ("read property multiple", Read),
        15 => ("write property", Write),
        16 => ("write property multiple", Write),
        17 => ("device communication control", Configure),
        18 => ("confirmed private transfer", Write),
        19 => ("confirmed text message", Write),
        20 => ("reinitialize device", Configure),
        21 => ("open virtual terminal", Session),
        22 => ("close virtual terminal", Session),
        23 => ("virtual terminal data", Write),
        24 => ("authenticate", Session),
        25 => ("request key", Session),
        26 => ("read range", Read),
        27 => ("life safety operation", Control),
        28 => ("subscribe cov property", Session),
        29 => ("get event information", Diagnose),
        _ => ("unknown confirmed service", Diagnose),
    }
}

/// Name, effect and role of an unconfirmed service.
const fn unconfirmed(number: u8) -> (&'static str, Effect, Role) {
    use Effect::{Configure, Diagnose, Read, Write};
    use Role::{Report, Request};
    match number {
        0 => ("i-am", Diagnose, Report),
        1 => ("i-have", Diagnose, Report),
        2 => ("cov notification", Read, Report),
        3 => ("event notification", Read, Report),
        4 => ("private transfer", Write, Request),
        5 => ("text message", Write, Request),
        6 => ("time synchronization", Configure, Request),
        7 => ("who-has", Diagnose, Request),
        8 => ("who-is", Diagnose, Request),
        9 => ("utc time synchronization", Configure, Request),
        10 => ("write group", Write, Request),
        _ => ("unknown unconfirmed service", Diagnose, Request),
    }
}

/// Where a service puts object, property and value.
#[derive(Clone, Copy)]
struct Layout {
    /// Tag of the object.
    object: u8,
    /// Tag of the property, and how deep.
    property: (u8, usize),
    /// Tag that opens the value.
    value: u8,
}

const fn layout(service: u8, reply: bool) -> Option<Layout> {
    let (object, property, value) = match (service, reply) {
        (12 | 15 | 26, _) => (0, (1, 0), 3),
        (READ_MULTIPLE, true) => (0, (2, 1), 4),
        (READ_MULTIPLE, false) | (WRITE_MULTIPLE, _) => (0, (0, 1), 2),
        _ => return None,
    };
    Some(Layout { object, property, value })
}

/// Notifications of changed values.
const CHANGES: Layout = Layout { object: 2, property: (0, 1), value: 2 };

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    let plain = Operation {
        role: Role::Request,
        effect: Effect::Session,
        function: VIRTUAL_LINK | u16::from(message.function),
        name: "virtual link control",
        unit: message.network.map_or(0, u32::from),
        transaction: None,
        refused: None,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    };
    match message.apdu {
        None => each(plain),
        Some(Apdu::Network(kind)) => {
            each(Operation {
                function: NETWORK | u16::from(kind),
                name: "network layer message",
                ..plain
            });
        }
        Some(Apdu::Confirmed { invoke, service, data }) => {
            let (name, effect) = confirmed(service);
            let transaction = Some(u32::from(invoke));
            let plain =
                Operation { effect, function: u16::from(service), name, transaction, ..plain };
            services(plain, service, layout(service, false), data, each);
        }
        Some(Apdu::Ack { invoke, service, data }) => {
            let (name, effect) = confirmed(service);
            let (transaction, role) = (Some(u32::from(invoke)), Role::Response);
            let plain = Operation {
                role,
                effect,
                function: u16::from(service),
                name,
                transaction,
                ..plain
            };
            services(plain, service, layout(service, true), data, each);
        }
        Some(Apdu::Unconfirmed { service, data }) => {
            let (name, effect, role) = unconfirmed(service);
            let function = UNCONFIRMED | u16::from(service);
            let layout = if service == 2 { Some(CHANGES) } else { None };
            let plain = Operation { role, effect, function, name, ..plain };
            services(plain, 0xff, layout, data, each);
        }
        Some(Apdu::Refusal { invoke, service, code }) => {
            let (name, effect) = service.map_or(("reject or abort", Effect::Diagnose), confirmed);
            each(Operation {
                role: Role::Response,
                effect,
                function: service.map_or(UNIT, u16::from),
                name,
                transaction: Some(u32::from(invoke)),
                refused: Some(code),
                ..plain
            });
        }
        Some(Apdu::SegmentAck { invoke }) => each(Operation {
            role: Role::Response,
            function: UNIT | 4,
            name: "segment acknowledged",
            transaction: Some(u32::from(invoke)),
            ..plain
        }),
    }
}

/// The object and property of a value that is being read.
#[derive(Clone, Copy, Default)]
struct Point {
    object: u32,
    property: Option<u32>,
    value: Option<f64>,
    priority: u16,
}

fn point<'a>(point: Point, service: u8, plain: Operation<'a>) -> Operation<'a> {
    let (kind, instance) = (point.object >> 22, point.object & 0x003f_ffff);
    let property = point.property.unwrap_or(0);
    let output = property == PRESENT_VALUE && OUTPUTS.contains(&kind);
    let writes = matches!(service, WRITE | WRITE_MULTIPLE) && plain.role == Role::Request;
    Operation {
        effect: if writes && output { Effect::Control } else { plain.effect },
        object: Object::Range { space: kind << 16 | property & 0xffff, start: instance, count: 1 },
        values: point.value.map_or(Values::none(), Values::one),
        cause: point.priority,
        ..plain
    }
}

/// Tells each property of a service, or the service where there are none.
fn services<'a>(
    plain: Operation<'a>,
    service: u8,
    layout: Option<Layout>,
    data: &'a [u8],
    each: &mut dyn FnMut(Operation<'a>),
) {
    let Some(layout) = layout else { return each(other(plain, data)) };
    let mut cursor = Cursor::new(data);
    let (mut depth, mut inside, mut told) = (0_usize, false, false);
    let mut now = Point::default();
    while let Some(tag) = tags::next(&mut cursor) {
        match tag {
            Tag::Open(number) => {
                inside |= number == layout.value && depth == layout.property.1;
                depth += 1;
            }
            Tag::Close => {
                depth = depth.saturating_sub(1);
                inside &= depth > layout.property.1;
            }
            Tag::Context(number, value)
                if (number, depth) == (layout.object, 0) && value.len() == 4 =>
            {
                if now.property.is_some() {
                    each(point(now, service, plain));
                    told = true;
                }
                now = Point { object: tags::unsigned(value), ..Point::default() };
            }
            Tag::Context(number, value) if (number, depth) == layout.property => {
                if now.property.is_some() {
                    each(point(now, service, plain));
                    told = true;
                }
                let property = Some(tags::unsigned(value));
                now = Point { object: now.object, property, ..Point::default() };
            }
            // Priority of a write: behind the value.
            Tag::Context(number, value)
                if number == layout.value + 1
                    && depth == layout.property.1
                    && service != READ_MULTIPLE =>
            {
                now.priority = tags::unsigned(value).min(0xff) as u16;
            }
            Tag::Application(kind, value) if inside && now.value.is_none() => {
                now.value = tags::number(kind, value);
            }
            _ => {}
        }
    }
    if now.property.is_some() || !told {
        each(if now.property.is_some() { point(now, service, plain) } else { plain });
    }
}

/// A service without properties: the first object or number it names.
fn other<'a>(plain: Operation<'a>, data: &[u8]) -> Operation<'a> {
    let mut cursor = Cursor::new(data);
    let (mut object, mut value) = (Object::None, None);
    while let Some(tag) = tags::next(&mut cursor) {
        match tag {
            Tag::Application(12, id) if object == Object::None => {
                let id = tags::unsigned(id);
                object = Object::Range { space: id >> 22 << 16, start: id & 0x003f_ffff, count: 1 };
            }
            Tag::Application(kind, bytes) if value.is_none() => value = tags::number(kind, bytes),
            // State of a restart, minutes and state of communication, limits of who-is.
            Tag::Context(_, bytes) if value.is_none() && bytes.len() <= 4 => {
                value = Some(f64::from(tags::unsigned(bytes)));
            }
            _ => {}
        }
    }
    Operation { object, values: value.map_or(Values::none(), Values::one), ..plain }
}
