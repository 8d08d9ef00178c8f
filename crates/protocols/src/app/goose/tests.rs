#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const LINK: Place = Place {
    carrier: Carrier::Link(ETHER_TYPE),
    src_port: 0,
    dst_port: 0,
    from_opener: None,
    cut: 0,
};

/// A data unit of a breaker that is closed.
fn pdu() -> Vec<u8> {
    let mut inner = Vec::new();
    for (tag, value) in [
        (0x80, &b"IED1/LLN0$GO$gcb1"[..]),
        (0x81, &[0x0f, 0xa0]),
        (0x82, b"IED1/LLN0$ds1"),
        (0x83, b"gcb1"),
        (0x84, &[0x5a, 0, 0, 0, 0x40, 0, 0, 0x0a]),
        (0x85, &[7]),
        (0x86, &[0, 0xff]),
        (0x87, &[0]),
        (0x88, &[1]),
        (0x89, &[0]),
        (0x8a, &[2]),
        (0xab, &[0x83, 1, 1, 0x84, 3, 3, 0, 0]),
    ] {
        inner.extend([tag, value.len() as u8]);
        inner.extend(value);
    }
    let mut pdu = vec![PDU, 0x81, inner.len() as u8];
    pdu.extend(inner);
    pdu
}

fn frame() -> Vec<u8> {
    let pdu = pdu();
    let mut frame = vec![0x30, 1, 0, (pdu.len() + HEADER) as u8, 0, 0, 0, 0];
    frame.extend(pdu);
    frame.extend([0; 4]);
    frame
}

fn message<'a>(place: &Place, bytes: &'a [u8]) -> Message<'a> {
    assert_eq!(Goose.recognise(place, bytes), Recognition::Certain);
    match Goose.next(place, &mut Scratch(0), bytes) {
        Step::Message { record: Record::Goose(message), consumed } if consumed == bytes.len() => {
            message
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_field_is_read() {
    let bytes = frame();
    let message = message(&LINK, &bytes);
    assert_eq!(message.app_id, 0x3001);
    assert_eq!(message.control_block, b"IED1/LLN0$GO$gcb1");
    assert_eq!(message.data_set, b"IED1/LLN0$ds1");
    assert_eq!((message.state, message.sequence, message.time_allowed_to_live), (7, 255, 4000));
    assert_eq!(message.changed.nanos() % 1_000_000_000, 250_000_000);
    assert_eq!((message.entries, message.data.entries(), message.revision), (2, 2, 1));
    assert!(!message.simulation && !message.needs_commissioning && !message.cut);
    let mut told = Vec::new();
    message.operations(&mut |operation| told.push(operation));
    assert_eq!(told[0].values.iter().collect::<Vec<_>>(), [1.0, 0.0]);
    assert_eq!(told[0].object, Object::Name(b"IED1/LLN0$GO$gcb1"));
}

#[test]
fn routed_messages_are_the_same() {
    let pdu = pdu();
    let mut bytes = ROUTED.to_vec();
    bytes.extend([24, 0x80, 22]);
    bytes.extend([0; 22]);
    bytes.extend([0, 0, 0, 0, ROUTED_GOOSE, 1, 0x30, 1, 0, 0]);
    bytes.extend(&pdu);
    let place = Place { carrier: Carrier::Udp, ..LINK };
    let message = message(&place, &bytes);
    assert_eq!((message.state, message.simulation), (7, true));
    assert_eq!(Goose.recognise(&place, &frame()), Recognition::NotForUs);
}

#[test]
fn what_must_be_there_is_missed() {
    let mut bytes = frame();
    let state = bytes.windows(3).position(|three| three == [0x85, 1, 7]).unwrap();
    bytes[state] = 0x9e;
    let step = Goose.next(&LINK, &mut Scratch(0), &bytes);
    assert!(matches!(step, Step::Malformed { .. }), "{step:?}");
    assert_eq!(Goose.recognise(&LINK, &[0; 60]), Recognition::NotForUs);
    assert_eq!(Goose.recognise(&LINK, &[0; 3]), Recognition::NotForUs);
}

#[test]
fn cut_frames_say_so() {
    let whole = frame();
    let place = Place { cut: 20, ..LINK };
    assert!(message(&place, &whole[..whole.len() - 20]).cut);
}
