#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object, Role};
use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn message(command: u16, session: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = command.to_le_bytes().to_vec();
    bytes.extend((data.len() as u16).to_le_bytes());
    bytes.extend(session.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0; 4]);
    bytes.extend(data);
    bytes
}

fn unconnected(cip: &[u8]) -> Vec<u8> {
    let mut data = vec![0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xb2, 0, cip.len() as u8, 0];
    data.extend(cip);
    message(SEND_REQUEST, 1, &data)
}

fn connected(cip: &[u8]) -> Vec<u8> {
    let mut data = vec![
        0,
        0,
        0,
        0,
        0,
        0,
        2,
        0,
        0xa1,
        0,
        4,
        0,
        1,
        2,
        3,
        4,
        0xb1,
        0,
        cip.len() as u8 + 2,
        0,
        9,
        0,
    ];
    data.extend(cip);
    message(SEND_UNIT, 1, &data)
}

fn told(bytes: &[u8]) -> Vec<Operation<'_>> {
    assert_eq!(Enip.recognise(&PLACE, bytes), Recognition::Certain);
    let Step::Message { record: Record::Enip(message), consumed } =
        Enip.next(&PLACE, &mut Scratch(0), bytes)
    else {
        panic!("no message");
    };
    assert_eq!(consumed, bytes.len());
    let mut all = Vec::new();
    message.operations(&mut |operation| all.push(operation));
    all
}

#[test]
fn sessions_and_lists_are_told_by_their_form() {
    let ask = message(0x65, 0, &[1, 0, 0, 0]);
    assert_eq!((told(&ask)[0].role, told(&ask)[0].function), (Role::Request, 0x1065));
    let answer = message(0x65, 5, &[1, 0, 0, 0]);
    assert_eq!(told(&answer)[0].role, Role::Response);
    let list = message(0x63, 0, &[]);
    assert_eq!((told(&list)[0].name, told(&list)[0].effect), ("list identity", Effect::Diagnose));
}

#[test]
fn attributes_and_tags_are_objects() {
    let set = unconnected(&[0x10, 3, 0x20, 4, 0x24, 0x65, 0x30, 3, 0x2a, 0]);
    let all = told(&set);
    assert_eq!(all[0].object, Object::Range { space: 4 << 16 | 3, start: 0x65, count: 1 });
    assert_eq!((all[0].effect, all[0].transaction), (Effect::Write, Some(7)));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [42.0]);
    let mut write = vec![0x4d, 4, 0x91, 5];
    write.extend(b"Speed\0");
    write.extend([0xc4, 0, 1, 0, 0xfe, 0xff, 0xff, 0xff]);
    let write = connected(&write);
    let all = told(&write);
    assert_eq!((all[0].object, all[0].transaction), (Object::Name(b"Speed"), Some(9)));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [-2.0]);
    let refused = connected(&[0xcd, 0, 5, 0]);
    assert_eq!((told(&refused)[0].refused, told(&refused)[0].role), (Some(5), Role::Response));
}

#[test]
fn packets_of_several_inside_a_send_are_taken_apart() {
    let mut several = vec![0x0a, 2, 0x20, 2, 0x24, 1, 2, 0, 6, 0, 14, 0];
    several.extend([0x0e, 3, 0x20, 1, 0x24, 1, 0x30, 7]);
    several.extend([0x4c, 2, 0x91, 1, b'A', 0, 1, 0]);
    let mut send = vec![0x52, 2, 0x20, 6, 0x24, 1, 10, 5, several.len() as u8, 0];
    send.extend(&several);
    send.extend([1, 0, 1, 0]);
    let bytes = unconnected(&send);
    let all = told(&bytes);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].object, Object::Range { space: 1 << 16 | 7, start: 1, count: 1 });
    assert_eq!((all[1].object, all[1].name), (Object::Name(b"A"), "read tag"));
}

#[test]
fn cyclic_data_is_a_report() {
    let place = Place { carrier: Carrier::Udp, ..PLACE };
    let mut bytes = CYCLIC.to_vec();
    bytes.extend([1, 0, 0, 0, 9, 0, 0, 0, 0xb1, 0, 3, 0, 1, 2, 3]);
    assert_eq!(Enip.recognise(&place, &bytes), Recognition::Certain);
    let step = Enip.next(&place, &mut Scratch(0), &bytes);
    let Step::Message { record: Record::Enip(message), .. } = step else { panic!("{step:?}") };
    assert_eq!(message.content, Content::Cyclic { connection: 1, data: &[1, 2, 3] });
    bytes.push(0);
    assert_eq!(Enip.recognise(&place, &bytes), Recognition::NotForUs);
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&b"GET / HTTP/1.1\r\nHost: example\r\n"[..], &[0; 40], &[0x65, 0, 4, 0, 1]] {
        assert_ne!(Enip.recognise(&PLACE, bytes), Recognition::Certain);
    }
    let mut options = message(0x65, 0, &[1, 0, 0, 0]);
    options[20] = 1;
    assert_eq!(Enip.recognise(&PLACE, &options), Recognition::NotForUs);
}
