//! EtherNet/IP messages as operations.

use super::super::bytes::Cursor;
use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::cip::{CONNECTION_MANAGER, Cip, PCCC};
use super::{Content, Message};

/// Upper byte of the numbers of encapsulation commands, of services of the connection manager.
const COMMAND: u16 = 0x1000;
const CONNECTIONS: u16 = 0x0600;
/// Number of cyclic data.
const CYCLIC: u16 = 0x1100;
/// Bit of [`Operation::refused`] for errors of the encapsulation.
const ENCAPSULATION: u16 = 0x100;
/// General status of an answer that goes on.
const PARTIAL: u8 = 6;
/// Class of the object that holds identity; resets of it restart the machine.
const IDENTITY: u32 = 1;

const fn command(number: u16) -> &'static str {
    match number {
        0x00 => "no operation",
        0x04 => "list services",
        0x63 => "list identity",
        0x64 => "list interfaces",
        0x65 => "register session",
        0x66 => "unregister session",
        0x6f => "send request data",
        0x70 => "send unit data",
        0x72 => "indicate status",
        0x73 => "cancel",
        _ => "unknown command",
    }
}

/// Name and effect of a service.
const fn service(code: u8, class: Option<u32>) -> (&'static str, Effect) {
    use Effect::{Configure, Control, Diagnose, Read, Session, Write};
    match (code, class) {
        (0x4e, Some(CONNECTION_MANAGER)) => ("forward close", Session),
        (0x52, Some(CONNECTION_MANAGER)) => ("unconnected send", Session),
        (0x54, _) => ("forward open", Session),
        (0x5b, _) => ("large forward open", Session),
        (0x56 | 0x57 | 0x5a, Some(CONNECTION_MANAGER)) => ("connection data", Diagnose),
        (0x01, _) => ("get attributes all", Read),
        (0x02, _) => ("set attributes all", Write),
        (0x03, _) => ("get attribute list", Read),
        (0x04, _) => ("set attribute list", Write),
        (0x05, Some(IDENTITY)) => ("reset", Configure),
        (0x05, _) => ("reset", Control),
        (0x06, _) => ("start", Control),
        (0x07, _) => ("stop", Control),
        (0x08, _) => ("create", Configure),
        (0x09, _) => ("delete", Configure),
        (0x0a, _) => ("multiple service packet", Diagnose),
        (0x0d, _) => ("apply attributes", Configure),
        (0x0e, _) => ("get attribute single", Read),
        (0x10, _) => ("set attribute single", Write),
        (0x11, _) => ("find next object instance", Diagnose),
        (0x15, _) => ("restore", Configure),
        (0x16, _) => ("save", Configure),
        (0x17, _) => ("no operation", Session),
        (0x18, _) => ("get member", Read),
        (0x19, _) => ("set member", Write),
        (0x4b, _) => ("execute pccc", Read),
        (0x4c, _) => ("read tag", Read),
        (0x4d, _) => ("write tag", Write),
        (0x4e, _) => ("read modify write tag", Write),
        (0x52, _) => ("read tag fragmented", Read),
        (0x53, _) => ("write tag fragmented", Write),
        (0x55, _) => ("get instance attribute list", Diagnose),
        _ => ("class specific service", Diagnose),
    }
}

/// Command and function of an embedded PCCC message, with what it does.
fn pccc(cip: &Cip<'_>) -> Option<(u16, Effect)> {
    let mut cursor = Cursor::new(cip.data);
    let requestor = usize::from(cursor.u8()?).checked_sub(1)?;
    cursor.take(requestor)?;
    let code = cursor.u8()?;
    cursor.take(3)?;
    let function = if cip.response { 0 } else { cursor.u8().unwrap_or(0) };
    let effect = match (code & 0x0f, function) {
        (0x0f, 0x67 | 0xa9 | 0xaa | 0xab | 0x00) => Effect::Write,
        (0x0f, 0x3a | 0x50..=0x57 | 0x80 | 0x81 | 0x88 | 0x8f | 0x91 | 0x92) => Effect::Configure,
        _ => Effect::Read,
    };
    Some((u16::from(code) << 8 | u16::from(function), effect))
}

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    let role = if message.is_response() { Role::Response } else { Role::Request };
    let refused = (message.status != 0).then_some(ENCAPSULATION | message.status.min(0xff) as u16);
    let plain = Operation {
        role,
        effect: if matches!(message.command, 0x04 | 0x63 | 0x64) {
            Effect::Diagnose
        } else {
            Effect::Session
        },
        function: COMMAND | message.command & 0xff,
        name: command(message.command),
        unit: 0,
        transaction: Some(message.context),
        refused,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    };
    match message.content {
        Content::None | Content::Bytes(_) => each(plain),
        Content::Cyclic { connection, data } => each(Operation {
            role: Role::Report,
            effect: Effect::Read,
            function: CYCLIC,
            name: "cyclic data",
            transaction: None,
            object: Object::Range { space: 0, start: connection, count: 1 },
            values: Values::u8(data),
            ..plain
        }),
        Content::Cip { cip, sequence } => {
            let transaction = sequence.map_or(message.context, u32::from);
            let plain = Operation { transaction: Some(transaction), ..plain };
            let mut told = false;
            cip.each(&mut |cip| {
                // An envelope does nothing itself.
                if !cip.is_container() {
                    told = true;
                    each(one(cip, plain));
                }
            });
            if !told {
                each(one(&cip, plain));
            }
        }
    }
}

fn one<'a>(cip: &Cip<'a>, plain: Operation<'a>) -> Operation<'a> {
    let (name, mut effect) = service(cip.service, cip.path.class);
    let space = if cip.path.class == Some(CONNECTION_MANAGER) { CONNECTIONS } else { 0 };
    let refused = (cip.status != 0 && cip.status != PARTIAL).then_some(u16::from(cip.status));
    let mut cause = 0;
    if cip.service == PCCC
        && let Some((code, what)) = pccc(cip)
    {
        (cause, effect) = (code, what);
    }
    Operation {
        role: if cip.response { Role::Response } else { Role::Request },
        effect,
        function: space | u16::from(cip.service),
        name,
        refused: refused.or(plain.refused),
        cause,
        object: cip.path.object(),
        values: cip.values(),
        ..plain
    }
}
