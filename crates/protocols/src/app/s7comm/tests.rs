#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object, Role};
use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn packet(unit: &[u8]) -> Vec<u8> {
    let mut bytes = vec![3, 0, 0, (unit.len() + 7) as u8, 2, 0xf0, 0x80];
    bytes.extend(unit);
    bytes
}

fn unit(kind: u8, parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let mut unit = vec![CLASSIC, kind, 0, 0, 0, 5, 0, parameters.len() as u8, 0, data.len() as u8];
    if kind == 3 {
        unit.extend([0, 0]);
    }
    unit.extend(parameters);
    unit.extend(data);
    packet(&unit)
}

fn message(bytes: &[u8]) -> Message<'_> {
    assert_eq!(S7comm.recognise(&PLACE, bytes), Recognition::Certain, "{bytes:x?}");
    match S7comm.next(&PLACE, &mut Scratch(0), bytes) {
        Step::Message { record: Record::S7comm(message), consumed } if consumed == bytes.len() => {
            message
        }
        other => panic!("{other:?}"),
    }
}

fn told(bytes: &[u8]) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    message(bytes).operations(&mut |operation| all.push(operation));
    all
}

#[test]
fn items_read_and_written_are_operations_each() {
    let two = [
        4, 2, 0x12, 10, 0x10, 2, 0, 8, 0, 1, 0x84, 0, 0, 0x50, 0x12, 10, 0x10, 1, 0, 1, 0, 0, 0x83,
        0, 0, 3,
    ];
    let bytes = unit(1, &two, &[]);
    let all = told(&bytes);
    assert_eq!(all[0].object, Object::Range { space: 0x84_0001, start: 80, count: 64 });
    assert_eq!(all[1].object, Object::Range { space: 0x83_0000, start: 3, count: 1 });
    assert_eq!((all[0].transaction, all[0].role), (Some(5), Role::Request));
    let one = [5, 1, 0x12, 10, 0x10, 5, 0, 2, 0, 0, 0x82, 0, 0, 0];
    let bytes = unit(1, &one, &[0, 4, 0, 32, 0xff, 0xff, 0, 7]);
    let all = told(&bytes);
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [-1.0, 7.0]);
    assert_eq!(all[0].effect, Effect::Control);
}

#[test]
fn answers_carry_values_and_refusals() {
    let bytes = unit(3, &[4, 2], &[0xff, 4, 0, 8, 9, 0, 0x0a, 0, 0, 0]);
    let all = told(&bytes);
    assert_eq!((all[0].refused, all[1].refused), (None, Some(10)));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [9.0]);
    let bytes = unit(3, &[5, 2], &[0xff, 5]);
    let refusals: Vec<_> = told(&bytes).iter().map(|one| one.refused).collect();
    assert_eq!(refusals, [None, Some(5)]);
}

#[test]
fn starting_stopping_and_downloading_are_named() {
    let mut stop = vec![0x29, 0, 0, 0, 0, 0, 9];
    stop.extend(b"P_PROGRAM");
    let bytes = unit(1, &stop, &[]);
    assert_eq!((told(&bytes)[0].name, told(&bytes)[0].effect), ("stop", Effect::Control));
    assert_eq!(told(&bytes)[0].object, Object::Name(b"P_PROGRAM"));
    let mut start = vec![0x28, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 9];
    start.extend(b"P_PROGRAM");
    let bytes = unit(1, &start, &[]);
    assert_eq!(told(&bytes)[0].object, Object::Name(b"P_PROGRAM"));
    let mut down = vec![0x1a, 0, 1, 0, 0, 0, 0, 0, 9];
    down.extend(b"_0800001P");
    let bytes = unit(1, &down, &[]);
    assert_eq!((told(&bytes)[0].effect, told(&bytes)[0].function), (Effect::Configure, 0x1a));
    assert_eq!(told(&bytes)[0].object, Object::Name(b"_0800001P"));
}

#[test]
fn status_lists_and_connections_are_told() {
    let bytes = unit(7, &[0, 1, 0x12, 4, 0x11, 0x44, 1, 0], &[0xff, 9, 0, 4, 0, 0x1c, 0, 0]);
    let all = told(&bytes);
    assert_eq!((all[0].function, all[0].name), (STATUS, "read system status list"));
    assert_eq!(all[0].object, Object::Range { space: u32::from(STATUS), start: 0x1c, count: 1 });
    let connect = [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 9];
    assert_eq!(S7comm.recognise(&PLACE, &connect), Recognition::Unsure);
    let home = Place { dst_port: tpkt::PORT, ..PLACE };
    assert_eq!(S7comm.recognise(&home, &connect), Recognition::Certain);
    let mut both = connect.to_vec();
    both.extend(&bytes);
    assert_eq!(S7comm.recognise(&PLACE, &both), Recognition::Certain);
}

const STATUS: u16 = 0x1401;

#[test]
fn the_successor_is_recognised() {
    let unit = [PLUS, 1, 0, 12, 0x31, 0, 0, 5, 0x42, 0, 0, 0, 9, 0, 0, 0, PLUS, 1, 0, 0];
    let bytes = packet(&unit);
    let Body::Plus { version, opcode, function, sequence } = message(&bytes).body else { panic!() };
    assert_eq!((version, opcode, function, sequence), (1, 0x31, 0x0542, 9));
    assert_eq!(told(&bytes)[0].effect, Effect::Write);
}

#[test]
fn other_bytes_are_refused() {
    assert_eq!(
        S7comm.recognise(&PLACE, b"\x03\x00\x00\x0b\x06\xe0\0\0\0\0\0"),
        Recognition::Unsure
    );
    assert_eq!(S7comm.recognise(&PLACE, &packet(&[1, 0, 1, 0, 0x61])), Recognition::NotForUs);
    assert_eq!(S7comm.recognise(&PLACE, b"GET /"), Recognition::NotForUs);
}
