#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object};
use super::*;

/// A place with no hint of a direction.
const ANYWHERE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn message(place: &Place, pdu: &[u8]) -> Message<'static> {
    let mut bytes = vec![0x12, 0x34, 0, 0, 0, (pdu.len() + 1) as u8, 17];
    bytes.extend(pdu);
    assert_eq!(Modbus.recognise(place, &bytes), Recognition::Certain, "{pdu:?}");
    match Modbus.next(place, &mut Scratch(0), Vec::leak(bytes.clone())) {
        Step::Message { record: Record::Modbus(message), consumed } if consumed == bytes.len() => {
            message
        }
        other => panic!("{other:?}"),
    }
}

fn operations(pdu: &[u8]) -> Vec<Operation<'static>> {
    let mut all = Vec::new();
    message(&ANYWHERE, pdu).operations(&mut |operation| all.push(operation));
    all
}

fn range(space: u32, start: u32, count: u32) -> Object<'static> {
    Object::Range { space, start, count }
}

fn values(operation: &Operation<'_>) -> Vec<f64> {
    operation.values.iter().collect()
}

/// The examples of section 6 of the specification.
#[test]
fn the_examples_of_the_standard_are_read() {
    let read = operations(&[3, 0, 0x6b, 0, 3]);
    assert_eq!(read[0].object, range(4, 107, 3));
    assert_eq!(
        (read[0].role, read[0].unit, read[0].transaction),
        (Role::Request, 17, Some(0x1234))
    );
    let answer = operations(&[3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
    assert_eq!((answer[0].role, values(&answer[0])), (Role::Response, vec![555.0, 0.0, 100.0]));
    let coils = operations(&[1, 0, 0x13, 0, 0x13]);
    assert_eq!(coils[0].object, range(0, 19, 19));
    let inputs = operations(&[2, 0, 0xc4, 0, 0x16]);
    assert_eq!(inputs[0].object, range(1, 196, 22));
    let register = operations(&[4, 0, 8, 0, 1]);
    assert_eq!(register[0].object, range(3, 8, 1));
    let coil = operations(&[5, 0, 0xac, 0xff, 0]);
    assert_eq!((coil[0].object, values(&coil[0])), (range(0, 172, 1), vec![1.0]));
    assert_eq!(coil[0].effect, Effect::Control);
    let single = operations(&[6, 0, 1, 0, 3]);
    assert_eq!((single[0].object, values(&single[0])), (range(4, 1, 1), vec![3.0]));
    let several = operations(&[15, 0, 0x13, 0, 0x0a, 2, 0xcd, 1]);
    assert_eq!(several[0].object, range(0, 19, 10));
    assert_eq!(values(&several[0]), [1., 0., 1., 1., 0., 0., 1., 1., 1., 0.]);
    let words = operations(&[16, 0, 1, 0, 2, 4, 0, 0x0a, 1, 2]);
    assert_eq!((words[0].object, values(&words[0])), (range(4, 1, 2), vec![10.0, 258.0]));
    let mask = operations(&[22, 0, 4, 0, 0xf2, 0, 0x25]);
    assert_eq!((mask[0].object, values(&mask[0])), (range(4, 4, 1), vec![242.0, 37.0]));
    let queue = operations(&[24, 0, 6, 0, 2, 1, 0xb8, 0x12, 0x84]);
    assert_eq!(values(&queue[0]), [440.0, 4740.0]);
}

#[test]
fn reading_and_writing_at_once_are_two_operations() {
    let both = operations(&[23, 0, 3, 0, 6, 0, 0x0e, 0, 3, 6, 0, 0xff, 0, 0xff, 0, 0xff]);
    assert_eq!((both[0].effect, both[0].object), (Effect::Write, range(4, 14, 3)));
    assert_eq!(values(&both[0]), [255.0; 3]);
    assert_eq!((both[1].effect, both[1].object), (Effect::Read, range(4, 3, 6)));
}

#[test]
fn records_of_files_are_operations_each() {
    let read = operations(&[20, 14, 6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2]);
    assert_eq!(read[0].object, range(6, 4 << 16 | 1, 2));
    assert_eq!(read[1].object, range(6, 3 << 16 | 9, 2));
    let answer = operations(&[20, 12, 5, 6, 0x0d, 0xfe, 0, 0x20, 5, 6, 0x33, 0xcd, 0, 0x40]);
    assert_eq!(values(&answer[1]), [13261.0, 64.0]);
    let write = operations(&[21, 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xaf, 4, 0xbe, 0x10, 0x0d]);
    assert_eq!((write[0].object, write[0].effect), (range(6, 4 << 16 | 7, 3), Effect::Write));
    assert_eq!(values(&write[0]), [1711.0, 1214.0, 4109.0]);
}

#[test]
fn identification_is_read() {
    let answer = message(
        &ANYWHERE,
        &[43, 14, 1, 1, 0, 0, 2, 0, 4, b'A', b'c', b'm', b'e', 1, 2, b'P', b'1'],
    );
    let Body::Interface { objects, .. } = answer.body else { panic!("{answer:?}") };
    assert_eq!(objects.collect::<Vec<_>>(), [(0, &b"Acme"[..]), (1, &b"P1"[..])]);
    assert_eq!(operations(&[43, 14, 1, 0])[0].name, "read device identification");
}

#[test]
fn refusals_name_their_code() {
    let refused = operations(&[0x83, 2]);
    assert_eq!((refused[0].function, refused[0].refused), (3, Some(2)));
    assert_eq!(refused[0].role, Role::Response);
}

#[test]
fn direction_tells_an_echo_from_its_request() {
    let echo = [6, 0, 1, 0, 3];
    let role = |src_port, dst_port, from_opener| {
        message(&Place { src_port, dst_port, from_opener, ..ANYWHERE }, &echo).role
    };
    assert_eq!(role(40000, 502, None), Role::Request);
    assert_eq!(role(502, 40000, None), Role::Response);
    assert_eq!(role(1502, 40000, Some(false)), Role::Response);
    assert_eq!(role(40000, 40001, None), Role::Request);
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0; 64], &[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 0]] {
        assert_ne!(Modbus.recognise(&ANYWHERE, bytes), Recognition::Certain, "{bytes:?}");
    }
    assert_eq!(Modbus.recognise(&ANYWHERE, &[0, 1, 0]), Recognition::Unsure);
    let step = Modbus.next(&ANYWHERE, &mut Scratch(0), b"GET / HTTP/1.1");
    assert!(matches!(step, Step::Malformed { consumed: 0, .. }));
}

#[test]
fn cut_messages_are_marked() {
    let bytes = [0, 1, 0, 0, 0, 7, 1, 3, 4, 0, 1];
    let place = Place { cut: 2, ..ANYWHERE };
    let Step::Message { record: Record::Modbus(message), consumed } =
        Modbus.next(&place, &mut Scratch(0), &bytes)
    else {
        panic!("not a message");
    };
    assert!(message.cut && consumed == 13);
    assert_eq!(message.body, Body::Words(&[0, 1]));
    assert_eq!(Modbus.next(&ANYWHERE, &mut Scratch(0), &bytes), Step::NeedMore(13));
}
