#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const PLACE: Place =
    Place { carrier: Carrier::Tcp, src_port: 40000, dst_port: 40001, from_opener: None, cut: 0 };

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend(((body.len() + HEADER) as u32).to_le_bytes());
    bytes.extend(body);
    bytes
}

fn message(bytes: &[u8]) -> Message<'_> {
    assert_eq!(OpcUa.recognise(&PLACE, bytes), Recognition::Certain);
    match OpcUa.next(&PLACE, &mut Scratch(0), bytes) {
        Step::Message { record: Record::OpcUa(message), consumed } if consumed == bytes.len() => {
            message
        }
        other => panic!("{other:?}"),
    }
}

fn told<'a>(bytes: &'a [u8]) -> Vec<Operation<'a>> {
    let mut all = Vec::new();
    message(bytes).operations(&mut |operation| all.push(operation));
    all
}

/// A service with an empty request header and what follows it.
fn service(id: u16, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0];
    body.extend(id.to_le_bytes());
    body.extend([0, 0]);
    body.extend([0; 16]);
    body.extend([0xff; 4]);
    body.extend([0; 4]);
    body.extend([0, 0, 0]);
    body.extend(rest);
    chunk(b"MSGF", &body)
}

#[test]
fn a_hello_names_its_endpoint() {
    let url = b"opc.tcp://plc:4840";
    let mut body = vec![0; 20];
    body.extend((url.len() as u32).to_le_bytes());
    body.extend(url);
    let bytes = chunk(b"HELF", &body);
    assert_eq!(message(&bytes).text, url);
    assert_eq!(told(&bytes)[0].object, Object::Name(url));
    assert_eq!(OpcUa.recognise(&PLACE, &bytes[..6]), Recognition::Unsure);
}

#[test]
fn nodes_written_and_read_are_told() {
    let bytes = service(
        673,
        &[
            1, 0, 0, 0, 1, 2, 0x39, 5, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 6, 0xfe, 0xff, 0xff,
            0xff,
        ],
    );
    let all = told(&bytes);
    assert_eq!((all[0].name, all[0].effect, all[0].transaction), ("write", Effect::Write, Some(9)));
    assert_eq!(all[0].object, Object::Range { space: 2, start: 0x539, count: 1 });
    assert_eq!((all[0].values.iter().collect::<Vec<_>>(), all[0].cause), (vec![-2.0], 13));
    let mut rest = vec![0; 12];
    rest.extend([1, 0, 0, 0, 3, 1, 0, 2, 0, 0, 0, b'T', b'1', 13, 0, 0, 0]);
    rest.extend([0xff; 4]);
    rest.extend([0, 0]);
    rest.extend([0xff; 4]);
    let bytes = service(631, &rest);
    assert_eq!(told(&bytes)[0].object, Object::Name(b"T1"));
}

#[test]
fn encrypted_services_stay_unnamed() {
    let bytes = chunk(b"MSGF", &[0x5a; 64]);
    let all = told(&bytes);
    assert_eq!((all[0].name, all[0].effect), ("encrypted service", Effect::Session));
}

#[test]
fn other_bytes_are_refused() {
    for bytes in
        [&b"HELO mail.example.org\r\n"[..], b"MSGF\0\0\0\0\0\0\0\0", b"ACKF\x1d\0\0\0\0\0\0\0"]
    {
        assert_eq!(OpcUa.recognise(&PLACE, bytes), Recognition::NotForUs);
    }
    let step = OpcUa.next(&PLACE, &mut Scratch(0), b"MSGF\x40\0\0\0");
    assert_eq!(step, Step::NeedMore(64));
}
