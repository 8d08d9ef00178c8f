//! Modbus messages as operations.

use super::super::operation::{Effect, Object, Operation, Role, Values};
use super::{Body, Message};

/// Address spaces by the digit that stands before their numbers in the field's own notation.
mod space {
    pub(super) const COILS: u32 = 0;
    pub(super) const INPUTS: u32 = 1;
    pub(super) const INPUT_REGISTERS: u32 = 3;
    pub(super) const HOLDING_REGISTERS: u32 = 4;
    pub(super) const FILES: u32 = 6;
}

/// Value of a coil that is switched on by function 5.
const ON: [u8; 2] = [0xff, 0];

/// Name and effect of a function.
const fn function(code: u8) -> (&'static str, Effect) {
    match code {
        1 => ("read coils", Effect::Read),
        2 => ("read discrete inputs", Effect::Read),
        3 => ("read holding registers", Effect::Read),
        4 => ("read input registers", Effect::Read),
        5 => ("write single coil", Effect::Control),
        6 => ("write single register", Effect::Write),
        7 => ("read exception status", Effect::Diagnose),
        8 => ("diagnostics", Effect::Diagnose),
        11 => ("get comm event counter", Effect::Diagnose),
        12 => ("get comm event log", Effect::Diagnose),
        15 => ("write multiple coils", Effect::Control),
        16 => ("write multiple registers", Effect::Write),
        17 => ("report server id", Effect::Diagnose),
        20 => ("read file record", Effect::Read),
        21 => ("write file record", Effect::Write),
        22 => ("mask write register", Effect::Write),
        23 => ("read/write multiple registers", Effect::Write),
        24 => ("read fifo queue", Effect::Read),
        43 => ("encapsulated interface transport", Effect::Diagnose),
        90 => ("vendor function 90 (Unity)", Effect::Configure),
        _ => ("unknown function", Effect::Diagnose),
    }
}

const fn space_of(code: u8) -> u32 {
    match code {
        1 | 5 | 15 => space::COILS,
        2 => space::INPUTS,
        4 => space::INPUT_REGISTERS,
        20 | 21 => space::FILES,
        _ => space::HOLDING_REGISTERS,
    }
}

pub(super) fn tell<'a>(message: &Message<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    let code = message.function;
    let (name, effect) = function(code);
    let plain = Operation {
        role: message.role,
        effect,
        function: u16::from(code),
        name,
        unit: u32::from(message.unit),
        transaction: Some(u32::from(message.transaction)),
        refused: None,
        cause: 0,
        object: Object::None,
        values: Values::none(),
    };
    let range = |start: u16, count: u16| Object::Range {
        space: space_of(code),
        start: u32::from(start),
        count: u32::from(count),
    };
    match message.body {
        Body::Exception(error) => each(Operation { refused: Some(u16::from(error)), ..plain }),
        Body::Read { start, count } | Body::Written { start, count } => {
            each(Operation { object: range(start, count), ..plain });
        }
        Body::Bits(bytes) => {
            each(Operation { values: Values::bits(bytes.len() * 8, bytes), ..plain })
        }
        Body::Words(words) => each(Operation { values: Values::u16_be(words), ..plain }),
        Body::Write { start, count, data } => {
            let values = match code {
                5 if data.len() < 2 => Values::none(),
                5 => Values::one(if data == ON { 1.0 } else { 0.0 }),
                15 => Values::bits(usize::from(count), data),
                _ => Values::u16_be(data),
            };
            each(Operation { object: range(start, count), values, ..plain });
        }
        Body::Mask { address, masks } => {
            each(Operation { object: range(address, 1), values: Values::u16_be(masks), ..plain });
        }
        Body::ReadWrite { read, write, data } => {
            let values = Values::u16_be(data);
            each(Operation { object: range(write.0, write.1), values, ..plain });
            each(Operation { effect: Effect::Read, object: range(read.0, read.1), ..plain });
        }
        Body::Diagnostics { sub, data } => {
            // Restart, listen only, clear counters: they change what the machine does.
            let effect = if matches!(sub, 1 | 4 | 10) { Effect::Configure } else { effect };
            each(Operation { cause: sub, effect, values: Values::u16_be(data), ..plain });
        }
        Body::Files(records) => {
            for record in records {
                // File and record make one number, so that equal numbers mean equal places.
                let start = u32::from(record.file) << 16 | u32::from(record.record);
                let count = u32::from(record.count);
                let object = match message.role {
                    Role::Response if code == 20 => Object::None,
                    _ => Object::Range { space: space::FILES, start, count },
                };
                each(Operation { object, values: Values::u16_be(record.data), ..plain });
            }
        }
        Body::Interface { kind, access, .. } => {
            let name = if kind == super::body::IDENTIFICATION {
                "read device identification"
            } else {
                name
            };
            each(Operation { name, cause: u16::from(kind) << 8 | u16::from(access), ..plain });
        }
        Body::Plain(_) | Body::Other(_) => each(plain),
    }
}
