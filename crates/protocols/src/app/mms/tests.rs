#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::operation::{Effect, Object, Role};
use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn tlv(tag: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut bytes = tag.to_vec();
    bytes.push(u8::try_from(value.len()).unwrap());
    bytes.extend(value);
    bytes
}

/// A unit in presentation, session, transport.
fn packets(unit: &[u8], fragment: usize) -> Vec<u8> {
    let mut data = vec![1, 0, 1, 0];
    let value = tlv(&[0xa0], &[unit]);
    data.extend(tlv(&[0x61], &[&tlv(&[0x30], &[&[2, 1, 3], &value])]));
    let mut bytes = Vec::new();
    let count = data.chunks(fragment).count();
    for (place, chunk) in data.chunks(fragment).enumerate() {
        let last = if place + 1 == count { 0x80 } else { 0 };
        bytes.extend([3, 0, 0, (chunk.len() + 7) as u8, 2, 0xf0, last]);
        bytes.extend(chunk);
    }
    bytes
}

fn message(bytes: &[u8]) -> Message<'_> {
    assert_eq!(Mms.recognise(&PLACE, bytes), Recognition::Certain);
    match Mms.next(&PLACE, &mut Scratch(0), bytes) {
        Step::Message { record: Record::Mms(message), consumed } if consumed == bytes.len() => {
            message
        }
        other => panic!("{other:?}"),
    }
}

fn told<'a>(message: &Message<'a>) -> Vec<Operation<'a>> {
    let mut all = Vec::new();
    message.operations(&mut |operation| all.push(operation));
    all
}

fn named(domain: &[u8], item: &[u8]) -> Vec<u8> {
    tlv(&[0xa0], &[&tlv(&[0xa1], &[&tlv(&[0x1a], &[domain]), &tlv(&[0x1a], &[item])])])
}

fn write() -> Vec<u8> {
    let variable = tlv(&[0x30], &[&named(b"IED1CTRL", b"CSWI1$CO$Pos$Oper")]);
    let list = tlv(&[0xa0], &[&variable]);
    let data = tlv(&[0xa0], &[&tlv(&[0xa2], &[&[0x83, 1, 1], &[0x86, 1, 9]])]);
    tlv(&[0xa0], &[&[2, 1, 42], &tlv(&[0xa5], &[&list, &data])])
}

#[test]
fn a_control_is_told_with_name_and_values() {
    let bytes = packets(&write(), 200);
    let message = message(&bytes);
    assert_eq!(
        (message.pdu, message.invoke, message.service),
        (Pdu::ConfirmedRequest, Some(42), Some(5))
    );
    let all = told(&message);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].object, Object::Member { domain: b"IED1CTRL", name: b"CSWI1$CO$Pos$Oper" });
    assert_eq!(
        (all[0].effect, all[0].role, all[0].name),
        (Effect::Control, Role::Request, "write")
    );
    assert_eq!(all[0].values.iter().collect::<Vec<_>>(), [1.0, 9.0]);
}

#[test]
fn fragments_count_as_one_message() {
    let bytes = packets(&write(), 40);
    let message = message(&bytes);
    assert!(message.cut);
    assert_eq!((message.invoke, message.service), (Some(42), Some(5)));
    for length in 1..19 {
        assert_eq!(Mms.recognise(&PLACE, &bytes[..length]), Recognition::Unsure, "{length}");
    }
    for length in 8..bytes.len() {
        let step = Mms.next(&PLACE, &mut Scratch(0), &bytes[..length]);
        assert!(matches!(step, Step::NeedMore(need) if need > length), "{length}: {step:?}");
    }
}

#[test]
fn results_are_told_one_by_one() {
    let results = tlv(&[0xa1], &[&[0x80, 1, 10], &[0x85, 1, 7]]);
    let bytes = packets(&tlv(&[0xa1], &[&[2, 1, 1], &tlv(&[0xa4], &[&results])]), 200);
    let all = told(&message(&bytes));
    assert_eq!((all[0].refused, all[1].refused), (Some(10), None));
    assert_eq!(all[1].values.iter().collect::<Vec<_>>(), [7.0]);
    let written =
        packets(&tlv(&[0xa1], &[&[2, 1, 1], &tlv(&[0xa5], &[&[0x81, 0], &[0x80, 1, 3]])]), 200);
    let refusals: Vec<_> =
        told(&message(&written)).iter().map(|operation| operation.refused).collect();
    assert_eq!(refusals, [None, Some(3)]);
}

#[test]
fn reports_are_named_by_their_identifier() {
    let list = tlv(&[0xa1], &[&tlv(&[0x80], &[b"RPT"])]);
    let results = tlv(&[0xa0], &[&tlv(&[0x8a], &[b"brcb01"]), &[0x83, 1, 1]]);
    let bytes = packets(&tlv(&[0xa3], &[&tlv(&[0xa0], &[&list, &results])]), 200);
    let all = told(&message(&bytes));
    assert_eq!((all[0].object, all[0].role), (Object::Name(b"brcb01"), Role::Report));
    assert_eq!((all[0].function, all[0].name), (0x100, "information report"));
}

#[test]
fn lists_errors_and_files_are_told() {
    let scope = tlv(&[0xa1], &[&tlv(&[0x81], &[b"IED1LD0"])]);
    let list = tlv(&[0xa1], &[&[0xa0, 3, 0x80, 1, 0], &scope]);
    let bytes = packets(&tlv(&[0xa0], &[&[2, 2, 1, 0], &list]), 200);
    let all = told(&message(&bytes));
    assert_eq!((all[0].object, all[0].transaction), (Object::Name(b"IED1LD0"), Some(256)));
    let error = tlv(&[0xa2], &[&[0x80, 1, 5], &[0xa2, 5, 0xa0, 3, 0x87, 1, 3]]);
    let bytes = packets(&error, 200);
    let all = told(&message(&bytes));
    assert_eq!((all[0].refused, all[0].transaction), (Some(0x703), Some(5)));
    let open = tlv(&[0xbf, 0x48], &[&tlv(&[0xa0], &[&tlv(&[0x19], &[b"a.cid"])]), &[0x81, 1, 0]]);
    let bytes = packets(&tlv(&[0xa0], &[&[2, 1, 6], &open]), 200);
    let all = told(&message(&bytes));
    assert_eq!(
        (all[0].function, all[0].name, all[0].object),
        (72, "file open", Object::Name(b"a.cid"))
    );
}

#[test]
fn other_protocols_over_iso_transport_are_refused() {
    let s7 = [3, 0, 0, 9, 2, 0xf0, 0x80, 0x32, 1];
    assert_eq!(Mms.recognise(&PLACE, &s7), Recognition::NotForUs);
    assert_eq!(Mms.recognise(&PLACE, b"\x03\x01"), Recognition::NotForUs);
    let connect = [3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 1, 0];
    assert_eq!(Mms.recognise(&PLACE, &connect), Recognition::Unsure);
    assert_eq!(Mms.next(&PLACE, &mut Scratch(0), &connect), Step::Pass { consumed: 11 });
}

#[test]
fn machines_without_session_are_read() {
    let start = [3, 0, 0, 17, 2, 0xf0, 0x80, 0xa0, 8, 2, 1, 1, 0xbf, 0x29, 2, 0x80, 0];
    let message = message(&start);
    assert_eq!((message.service, message.invoke), (Some(41), Some(1)));
    let empty = [3, 0, 0, 7, 2, 0xf0, 0];
    assert_eq!(Mms.next(&PLACE, &mut Scratch(0), &empty), Step::Pass { consumed: 7 });
}
