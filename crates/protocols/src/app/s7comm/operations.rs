//! S7 messages as operations.

use super::super::bytes::{Cursor, be16};
use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::items::{DONE, items, parts};
use super::{Body, Kind, Message};

/// Upper byte of the numbers of connections.
const CONNECT: u16 = 0x0e00;
const READ: u8 = 0x04;
const WRITE: u8 = 0x05;
/// Group of processor functions, and its function that reads the system status list.
const STATUS_LIST: u16 = 0x1401;

const fn job(function: u16) -> (&'static str, Effect) {
    match function {
        0x00 => ("cpu services", Effect::Diagnose),
        0x04 => ("read variable", Effect::Read),
        0x05 => ("write variable", Effect::Write),
        0x1a => ("request download", Effect::Configure),
        0x1b => ("download block", Effect::Configure),
        0x1c => ("download ended", Effect::Configure),
        0x1d => ("start upload", Effect::Configure),
        0x1e => ("upload", Effect::Configure),
        0x1f => ("end upload", Effect::Configure),
        0x28 => ("program invocation", Effect::Control),
        0x29 => ("stop", Effect::Control),
        0xf0 => ("set up communication", Effect::Session),
        _ => ("unknown function", Effect::Diagnose),
    }
}

/// Name and effect of user data by group and sub-function.
const fn user(function: u16) -> (&'static str, Effect) {
    match (function >> 8 & 0x0f, function & 0xff) {
        (0, _) => ("mode transition", Effect::Diagnose),
        (1, _) => ("programmer command", Effect::Diagnose),
        (2, _) => ("cyclic data", Effect::Read),
        (3, _) => ("block function", Effect::Diagnose),
        (4, 1) => ("read system status list", Effect::Diagnose),
        (4, _) => ("cpu function", Effect::Diagnose),
        (5, _) => ("security", Effect::Session),
        (6, _) => ("block communication", Effect::Read),
        (7, 2 | 4) => ("set clock", Effect::Configure),
        (7, _) => ("read clock", Effect::Diagnose),
        _ => ("user data", Effect::Diagnose),
    }
}

const fn plus(function: u16) -> (&'static str, Effect) {
    match function {
        0x04bb => ("explore", Effect::Diagnose),
        0x04ca => ("create object", Effect::Session),
        0x04d4 => ("delete object", Effect::Session),
        0x04f2 => ("set variable", Effect::Write),
        0x0542 => ("set multiple variables", Effect::Write),
        0x054c => ("get multiple variables", Effect::Read),
        0x056b => ("invoke", Effect::Control),
        0x057c => ("set variable sub-streamed", Effect::Write),
        0x0586 => ("get variable sub-streamed", Effect::Read),
        _ => ("s7comm-plus", Effect::Diagnose),
    }
}

const fn plain(
    role: Role,
    function: u16,
    name: &'static str,
    effect: Effect,
) -> Operation<'static> {
    Operation {
        role,
        effect,
        function,
        name,
        unit: 0,
        transaction: None,
        refused: None,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    }
}

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    match message.body {
        Body::Connect { confirm, called, .. } => {
            let (role, kind) = if confirm { (Role::Response, 0xd0) } else { (Role::Request, 0xe0) };
            let plain = plain(role, CONNECT | kind, "transport connection", Effect::Session);
            each(Operation { object: Object::Name(called), ..plain });
        }
        Body::Plus { opcode, function, sequence, .. } => {
            let role = match opcode {
                0x31 => Role::Request,
                0x32 => Role::Response,
                _ => Role::Report,
            };
            let (name, effect) = plus(function);
            let transaction = (opcode != 0).then_some(u32::from(sequence));
            each(Operation { transaction, ..plain(role, function, name, effect) });
        }
        Body::Unit { kind, reference, error, parameters, data } => {
            let function = message.function().unwrap_or(0xff);
            let refused = (error != 0).then_some(error);
            let transaction = Some(u32::from(reference));
            if kind == Kind::UserData {
                let plain = user_data(function, parameters, data);
                return each(Operation { transaction, ..plain });
            }
            let (name, effect) = job(function);
            let role = if kind == Kind::Job { Role::Request } else { Role::Response };
            let plain = Operation { transaction, refused, ..plain(role, function, name, effect) };
            if kind == Kind::Job {
                request(plain, parameters, data, each);
            } else {
                response(plain, parameters, data, each);
            }
        }
    }
}

fn user_data<'a>(function: u16, parameters: &[u8], data: &'a [u8]) -> Operation<'a> {
    let (name, effect) = user(function);
    let role = match parameters.get(5).map(|byte| byte >> 4) {
        Some(4) => Role::Request,
        Some(8) => Role::Response,
        _ => Role::Report,
    };
    let error = be16(parameters, 10).filter(|error| *error != 0);
    let mut object = Object::None;
    let mut cause = 0;
    if function == STATUS_LIST
        && let Some(list) = be16(data, 4)
    {
        object = Object::Range { space: u32::from(STATUS_LIST), start: u32::from(list), count: 1 };
        cause = be16(data, 6).unwrap_or(0);
    }
    Operation { refused: error, object, cause, ..plain(role, function, name, effect) }
}

/// The text behind `skip` bytes and its length: file names and program names.
fn text(bytes: &[u8], skip: usize) -> Option<Object<'_>> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(skip)?;
    let length = usize::from(cursor.u8()?);
    let name = cursor.take(length)?;
    (!name.is_empty()).then_some(Object::Name(name))
}

fn request<'a>(
    plain: Operation<'a>,
    parameters: &'a [u8],
    data: &'a [u8],
    each: &mut dyn FnMut(Operation<'a>),
) {
    let (function, count) = (parameters.first().copied(), parameters.get(1).copied().unwrap_or(0));
    let object = match function {
        Some(READ | WRITE) => {
            let mut data = parts(count, data);
            let mut told = false;
            for item in items(count, parameters.get(2..).unwrap_or_default()) {
                told = true;
                let written = (function == Some(WRITE)).then(|| data.next()).flatten();
                let values = written.map_or(Values::none(), |part| item.values(&part));
                // Outputs are operated, everything else is stored.
                let output = function == Some(WRITE) && item.area == 0x82;
                let effect = if output { Effect::Control } else { plain.effect };
                each(Operation { object: item.object(), values, effect, ..plain });
            }
            if told {
                return;
            }
            None
        }
        Some(0x1a..=0x1d) => text(parameters, 8),
        Some(0x28) => {
            let block = be16(parameters, 8).map_or(0, usize::from);
            text(parameters, 10 + block)
        }
        Some(0x29) => text(parameters, 6),
        _ => None,
    };
    each(Operation { object: object.unwrap_or(Object::None), ..plain });
}

fn response<'a>(
    plain: Operation<'a>,
    parameters: &'a [u8],
    data: &'a [u8],
    each: &mut dyn FnMut(Operation<'a>),
) {
    let (function, count) = (parameters.first().copied(), parameters.get(1).copied().unwrap_or(0));
    let refusal = |code: u8| plain.refused.or((code != DONE).then_some(u16::from(code)));
    let mut told = false;
    match function {
        Some(READ) => {
            for part in parts(count, data) {
                told = true;
                each(Operation { refused: refusal(part.code), values: part.values(), ..plain });
            }
        }
        Some(WRITE) => {
            for code in data.iter().take(usize::from(count)) {
                told = true;
                each(Operation { refused: refusal(*code), ..plain });
            }
        }
        _ => {}
    }
    if !told {
        each(plain);
    }
}
