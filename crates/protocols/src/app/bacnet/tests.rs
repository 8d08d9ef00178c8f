#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object, Role};
use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Udp, src_port: 47809, dst_port: 40001, from_opener: None, cut: 0 };

fn packet(apdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![BACNET_IP, 10, 0, (apdu.len() + 6) as u8, 1, 4];
    bytes.extend(apdu);
    bytes
}

fn told(bytes: &[u8]) -> Vec<Operation<'_>> {
    assert_eq!(Bacnet.recognise(&PLACE, bytes), Recognition::Certain);
    let step = Bacnet.next(&PLACE, &mut Scratch(0), bytes);
    let Step::Message { record: Record::Bacnet(message), consumed } = step else {
        panic!("{step:?}")
    };
    assert_eq!(consumed, bytes.len());
    let mut all = Vec::new();
    message.operations(&mut |operation| all.push(operation));
    all
}

fn at(kind: u32, property: u32, instance: u32) -> Object<'static> {
    Object::Range { space: kind << 16 | property, start: instance, count: 1 }
}

/// The example of annex F.3.5: the present value of analog input 5.
#[test]
fn a_property_is_read() {
    let bytes = packet(&[0, 0, 1, 12, 0x0c, 0, 0, 0, 5, 0x19, 0x55]);
    let all = told(&bytes);
    assert_eq!(
        (all[0].object, all[0].role, all[0].transaction),
        (at(0, 85, 5), Role::Request, Some(1))
    );
    let bytes = packet(&[
        0x30, 1, 12, 0x0c, 0, 0, 0, 5, 0x19, 0x55, 0x3e, 0x44, 0x42, 0x90, 0x99, 0x9a, 0x3f,
    ]);
    let all = told(&bytes);
    let value = all[0].values.iter().next().unwrap();
    assert!((value - 72.3).abs() < 1e-4 && all[0].role == Role::Response);
}

#[test]
fn writing_an_output_is_control() {
    let bytes = packet(&[
        0, 4, 89, 15, 0x0c, 0, 0x40, 0, 1, 0x19, 0x55, 0x3e, 0x44, 0x43, 0x34, 0, 0, 0x3f, 0x49, 8,
    ]);
    let all = told(&bytes);
    assert_eq!((all[0].effect, all[0].object, all[0].cause), (Effect::Control, at(1, 85, 1), 8));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [180.0]);
}

#[test]
fn several_properties_are_told_each() {
    let bytes = packet(&[
        0x30, 2, 14, 0x0c, 0, 0, 0, 16, 0x1e, 0x29, 0x55, 0x4e, 0x44, 0x42, 0x90, 0, 0, 0x4f, 0x29,
        0x67, 0x4e, 0x91, 0, 0x4f, 0x1f,
    ]);
    let all = told(&bytes);
    let objects: Vec<_> = all.iter().map(|one| (one.object, one.values.iter().next())).collect();
    assert_eq!(objects, [(at(0, 85, 16), Some(72.0)), (at(0, 103, 16), Some(0.0))]);
}

#[test]
fn restarts_and_refusals_are_named() {
    let bytes = packet(&[0, 4, 2, 20, 9, 1]);
    let all = told(&bytes);
    assert_eq!((all[0].name, all[0].effect), ("reinitialize device", Effect::Configure));
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [1.0]);
    let bytes = packet(&[0x50, 3, 15, 0x91, 2, 0x91, 0x28]);
    assert_eq!((told(&bytes)[0].refused, told(&bytes)[0].function), (Some(0x228), 15));
    let bytes = packet(&[0x60, 3, 9]);
    assert_eq!(told(&bytes)[0].refused, Some(0x6009));
}

#[test]
fn identities_are_announced() {
    let bytes = packet(&[0x10, 0, 0xc4, 2, 0, 0, 7, 0x22, 5, 0xc4, 0x91, 3, 0x21, 99]);
    let all = told(&bytes);
    assert_eq!((all[0].object, all[0].name, all[0].role), (at(8, 0, 7), "i-am", Role::Report));
    let ask = packet(&[0x10, 8]);
    assert_eq!(told(&ask)[0].role, Role::Request);
}

#[test]
fn other_bytes_are_refused() {
    let mut bytes = packet(&[0x10, 8]);
    bytes.push(0);
    assert_eq!(Bacnet.recognise(&PLACE, &bytes), Recognition::NotForUs);
    assert_eq!(Bacnet.recognise(&PLACE, &[0x81]), Recognition::NotForUs);
    let step = Bacnet.next(&PLACE, &mut Scratch(0), &[0x81, 10, 0, 5, 1]);
    assert!(matches!(step, Step::Malformed { consumed: 5, .. }));
}
