#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object, Role};
use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

/// A frame from master 1 to outstation 10, or back.
fn frame(control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![5, 0x64, data.len() as u8 + COUNTED, control, 10, 0, 1, 0];
    if control & FROM_MASTER == 0 {
        bytes[4..8].copy_from_slice(&[1, 0, 10, 0]);
    }
    bytes.extend(crc::sum(&bytes).to_le_bytes());
    for block in data.chunks(BLOCK) {
        bytes.extend(block);
        bytes.extend(crc::sum(block).to_le_bytes());
    }
    bytes
}

fn message(bytes: &[u8]) -> Message<'_> {
    assert_eq!(Dnp3.recognise(&PLACE, bytes), Recognition::Certain);
    match Dnp3.next(&PLACE, &mut Scratch(0), bytes) {
        Step::Message { record: Record::Dnp3(message), consumed } if consumed == bytes.len() => {
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

fn at(space: u32, start: u32, count: u32) -> Object<'static> {
    Object::Range { space, start, count }
}

/// The check value of CRC-16/DNP, and the header of a link reset as the field shows it.
#[test]
fn checksums_are_those_of_the_standard() {
    assert_eq!(crc::sum(b"123456789"), 0xea82);
    assert!(crc::right(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x21]));
}

#[test]
fn a_class_poll_names_its_classes() {
    let bytes = frame(0xc4, &[0xc0, 0xc1, 1, 60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6]);
    let all = told(&bytes);
    assert_eq!(all.len(), 4);
    assert_eq!((all[0].object, all[3].object), (at(60, 2, 1), at(60, 1, 1)));
    assert_eq!((all[0].name, all[0].unit, all[0].transaction), ("read", 10, Some(1)));
}

/// A relay output block crosses the checksum of the first block here.
#[test]
fn commands_carry_code_and_repetitions() {
    let data = [0xc0, 0xc2, 5, 12, 1, 0x28, 1, 0, 7, 0, 0x41, 3, 100, 0, 0, 0, 200, 0, 0, 0, 0];
    let bytes = frame(0xc4, &data);
    let all = told(&bytes);
    assert_eq!((all[0].object, all[0].cause), (at(12, 7, 1), 3));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [f64::from(0x41)]);
    assert_eq!((all[0].effect, all[0].name), (Effect::Control, "direct operate"));
    let mut answer = vec![0xc0, 0xc2, 129, 0, 0];
    answer.extend(&data[3..]);
    *answer.last_mut().unwrap() = 4;
    let bytes = frame(0x44, &answer);
    assert_eq!((told(&bytes)[0].refused, told(&bytes)[0].role), (Some(4), Role::Response));
}

#[test]
fn responses_give_values_by_index() {
    let data = [
        0xc0, 0xe3, 130, 0x80, 0, 1, 2, 0, 3, 4, 0x81, 0x01, 30, 3, 1, 0, 1, 0, 1, 0xfe, 0xff,
        0xff, 0xff, 1, 1, 0, 0, 9, 0x55, 0x02,
    ];
    let bytes = frame(0x44, &data);
    let all = told(&bytes);
    let seen: Vec<_> =
        all.iter().map(|one| (one.object, one.values.iter().next().unwrap())).collect();
    let mut expected = vec![(at(1, 3, 1), 1.0), (at(1, 4, 1), 0.0), (at(30, 256, 1), -2.0)];
    let bits = [1., 0., 1., 0., 1., 0., 1., 0., 0., 1.];
    expected.extend(bits.iter().enumerate().map(|(place, bit)| (at(1, place as u32, 1), *bit)));
    assert_eq!(seen, expected);
    assert_eq!((all[0].role, all[0].unit), (Role::Report, 10));
}

#[test]
fn the_link_layer_speaks_alone() {
    let bytes = frame(0xc9, &[]);
    let all = told(&bytes);
    assert_eq!(
        (all[0].name, all[0].effect, all[0].function),
        ("request link status", Effect::Session, 0x249)
    );
}

#[test]
fn wrong_checksums_are_refused() {
    let mut bytes = frame(0xc4, &[0xc0, 0xc1, 13]);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let step = Dnp3.next(&PLACE, &mut Scratch(0), &bytes);
    assert!(matches!(step, Step::Malformed { consumed, .. } if consumed == bytes.len()));
    bytes[3] ^= 1;
    assert_eq!(Dnp3.recognise(&PLACE, &bytes), Recognition::NotForUs);
    let mut both = bytes.clone();
    both.extend(frame(0xc9, &[]));
    let step = Dnp3.next(&PLACE, &mut Scratch(0), &both);
    assert!(
        matches!(step, Step::Malformed { consumed, .. } if consumed == bytes.len()),
        "{step:?}"
    );
    assert_eq!(Dnp3.recognise(&PLACE, &[5]), Recognition::Unsure);
}
