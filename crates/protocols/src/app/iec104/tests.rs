#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn unit(asdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![START, (asdu.len() + 4) as u8, 2, 0, 4, 0];
    bytes.extend(asdu);
    bytes
}

fn message(bytes: &[u8]) -> Message<'_> {
    assert_eq!(Iec104.recognise(&PLACE, bytes), Recognition::Certain, "{bytes:x?}");
    match Iec104.next(&PLACE, &mut Scratch(0), bytes) {
        Step::Message { record: Record::Iec104(message), consumed } if consumed == bytes.len() => {
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

fn points(all: &[Operation<'_>]) -> Vec<(Object<'static>, f64)> {
    let start = |operation: &Operation<'_>| match operation.object {
        Object::Range { space, start, count } => Object::Range { space, start, count },
        _ => Object::None,
    };
    all.iter().map(|one| (start(one), one.values.iter().next().unwrap_or(f64::NAN))).collect()
}

fn at(start: u32) -> Object<'static> {
    Object::Range { space: 0, start, count: 1 }
}

#[test]
fn an_interrogation_is_read() {
    let bytes = unit(&[100, 1, 6, 0, 10, 0, 0, 0, 0, 20]);
    let all = told(&bytes);
    assert_eq!((all[0].name, all[0].unit, all[0].cause), ("interrogation", 10, 6));
    assert_eq!((all[0].role, points(&all)), (Role::Request, vec![(at(0), 20.0)]));
}

#[test]
fn a_command_selects_operates_and_is_refused() {
    let select = unit(&[45, 1, 6, 0, 1, 0, 0xe9, 3, 0, 0x81]);
    let all = told(&select);
    assert_eq!((all[0].cause, all[0].effect), (6 | SELECT, Effect::Control));
    assert_eq!(points(&all), [(at(1001), 1.0)]);
    let refused = unit(&[45, 1, 0x47, 0, 1, 0, 0xe9, 3, 0, 1]);
    let all = told(&refused);
    assert_eq!((all[0].refused, all[0].role), (Some(7), Role::Response));
}

#[test]
fn sequences_count_addresses_up() {
    let bytes = unit(&[9, 0x82, 3, 0, 1, 0, 100, 0, 0, 0, 0x40, 0, 0, 0xc0, 0x10]);
    let all = told(&bytes);
    assert_eq!(points(&all), [(at(100), 0.5), (at(101), -0.5)]);
    assert_eq!(all[0].role, Role::Report);
    let single = unit(&[13, 2, 20, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 0x3f, 0, 9, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(points(&told(&single)), [(at(1), 1.5), (at(0x01_0009), 0.0)]);
}

#[test]
fn set_points_and_times_are_read() {
    let float = unit(&[63, 1, 6, 0, 1, 0, 5, 0, 0, 0, 0, 0x20, 0x41, 0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(points(&told(&float)), [(at(5), 10.0)]);
    let step = unit(&[5, 1, 3, 0, 1, 0, 5, 0, 0, 0x7f, 0]);
    assert_eq!(points(&told(&step)), [(at(5), -1.0)]);
    let clock = unit(&[103, 1, 6, 0, 1, 0, 0, 0, 0, 0x88, 0x13, 1, 2, 3, 4, 5]);
    assert_eq!(points(&told(&clock)), [(at(0), 5.0)]);
}

#[test]
fn control_and_acknowledgement_are_told_apart() {
    let start = [START, 4, 7, 0, 0, 0];
    assert_eq!(message(&start).frame, Frame::U(7));
    assert_eq!(told(&start)[0].function, 0x107);
    assert_eq!(told(&start)[0].role, Role::Request);
    assert_eq!(told(&[START, 4, 0x83, 0, 0, 0])[0].role, Role::Response);
    let acknowledged = [START, 4, 1, 0, 8, 0];
    assert_eq!(message(&acknowledged).frame, Frame::S { receive: 4 });
    assert!(told(&acknowledged).is_empty());
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&b"hello world"[..], &[0x68, 4, 9, 0, 0, 0], &[0x68, 3, 7, 0, 0, 0], &[0; 32]] {
        assert_eq!(Iec104.recognise(&PLACE, bytes), Recognition::NotForUs, "{bytes:x?}");
    }
    let short = unit(&[45, 1, 6, 0, 1, 0, 0xe9, 3, 0]);
    assert_eq!(Iec104.recognise(&PLACE, &short), Recognition::NotForUs);
    assert_eq!(Iec104.recognise(&Place { dst_port: PORT, ..PLACE }, &short), Recognition::Certain);
    assert_eq!(Iec104.next(&PLACE, &mut Scratch(0), &short[..8]), Step::NeedMore(short.len()));
}
