//! Bytes made to blind a reader or to make it slow. Nothing here is a broken message alone: each is a
//! way past a detector, or a small message that costs its reader much.

use protocols::app::message::Tls;
use protocols::app::{Carrier, Place, Protocol, Record, Role, Scratch, Step, parser};
use protocols::packet::{Flaw, LinkType, decode};

use crate::wire::{ACK, CLIENT, FIN, SERVER, SYN, Watch, tcp, write_register};

const UP: Place = Place {
    carrier: Carrier::Tcp,
    src_port: 40_000,
    dst_port: 40_001,
    from_opener: Some(true),
    cut: 0,
};

fn step<'a>(protocol: Protocol, place: &Place, bytes: &'a [u8]) -> Step<'a> {
    parser(protocol).next(place, &mut Scratch::default(), bytes)
}

/// A packet that states more bytes than its frame has is discarded by whoever receives it. Believed,
/// it would have moved the stream over all that follows.
#[test]
fn a_length_beyond_the_frame_moves_no_stream() {
    let mut watch = Watch::default();
    watch.connect(100);
    let mut forged = tcp(CLIENT, SERVER, 100, 5_000, ACK, &write_register(1, 1, 0xdead));
    forged[2..4].copy_from_slice(&35_124_u16.to_be_bytes());
    let view = decode(LinkType::RAW, &forged, forged.len() as u32).unwrap();
    assert_eq!(view.flaw, Some(Flaw::NetLength));
    watch.push(&forged);
    assert_eq!(watch.tracker.stats().flawed, 1);
    let real = write_register(1, 1, 7);
    watch.send(100, &real);
    watch.send(100 + real.len() as u32, &write_register(2, 2, 8));
    watch.finish();
    assert_eq!(watch.told.len(), 2, "{:?}", watch.told);
    assert!(watch.told.iter().all(|told| !told.contains("57005")), "{:?}", watch.told);
    assert_eq!(watch.tracker.stats().gaps, 0);
}

/// The same in a capture that was cut: then the frame had the bytes, and only they are missing.
#[test]
fn a_cut_capture_is_not_a_lie() {
    let whole = tcp(CLIENT, SERVER, 100, 5_000, ACK, &write_register(1, 1, 7));
    let view = decode(LinkType::RAW, &whole[..45], whole.len() as u32).unwrap();
    assert_eq!((view.flaw, view.payload_len, view.payload.len()), (None, 12, 5));
}

/// Commands stay commands, whoever seems to have opened the connection.
#[test]
fn a_forged_opening_turns_no_command_into_an_answer() {
    let mut watch = Watch::default();
    watch.push(&tcp(SERVER, CLIENT, 4_999, 0, SYN | FIN, &[]));
    watch.send(100, &write_register(1, 1, 7));
    watch.finish();
    assert_eq!(watch.told.len(), 1);
    let role = format!("role: {:?}", Role::Request);
    assert!(watch.told[0].contains(&role), "{}", watch.told[0]);
}

/// A start of a frame of which only the first byte is there yet is not thrown away with the noise.
#[test]
fn noise_does_not_swallow_the_start_of_a_frame() {
    let link_reset = [0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x21];
    let dnp3 = parser(Protocol::Dnp3);
    for noise in [&[1_u8, 2, 3][..], &[9; 12]] {
        let stream = [noise, &link_reset].concat();
        for cut in 1..stream.len() {
            let (mut scratch, mut waiting, mut told) = (Scratch::default(), Vec::new(), 0);
            for segment in [&stream[..cut], &stream[cut..]] {
                waiting.extend_from_slice(segment);
                let mut at = 0;
                while at < waiting.len() {
                    match dnp3.next(&UP, &mut scratch, &waiting[at..]) {
                        Step::Message { consumed, .. } => {
                            told += 1;
                            at += consumed;
                        }
                        Step::Malformed { consumed, .. } => at += consumed,
                        _ => break,
                    }
                }
                waiting.drain(..at);
            }
            assert_eq!(told, 1, "{} bytes of noise, cut at {cut}", noise.len());
        }
    }
}

/// Services that all point at the same bytes, three levels deep, would be two million operations in
/// a message of a kilobyte.
#[test]
fn services_are_not_told_twice() {
    /// A packet of services of which every second offset leads back to the first byte behind the
    /// offsets.
    fn several(inner: &[u8]) -> Vec<u8> {
        const COUNT: u16 = 256;
        let mut cip = vec![0x0a, 2, 0x20, 2, 0x24, 1];
        let first = 2 + COUNT * 2;
        let last = first + inner.len() as u16;
        cip.extend(COUNT.to_le_bytes());
        for place in 0..COUNT {
            cip.extend((if place % 2 == 0 { first } else { last }).to_le_bytes());
        }
        cip.extend(inner);
        cip
    }
    let read = [0x0e, 3, 0x20, 1, 0x24, 1, 0x30, 7];
    let cip = several(&several(&several(&read)));
    let mut data = vec![0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xb2, 0];
    data.extend((cip.len() as u16).to_le_bytes());
    data.extend(&cip);
    let mut bytes = vec![0x6f, 0];
    bytes.extend((data.len() as u16).to_le_bytes());
    bytes.extend([0; 20]);
    bytes.extend(&data);
    let Step::Message { record, .. } = step(Protocol::Enip, &UP, &bytes) else { panic!() };
    let mut operations = 0;
    record.operations(&mut |_| operations += 1);
    assert_eq!(operations, 1);
}

/// Pointers to pointers: without a bound every name of a message would walk through all of it.
#[test]
fn names_do_not_wander() {
    let place = Place { carrier: Carrier::Udp, dst_port: 53, ..UP };
    let mut bytes = vec![0, 1, 0x80, 0, 0, 0, 0, 2, 0, 0, 0, 0];
    // A text whose bytes are a chain of pointers, each to the one before, the first to the end.
    bytes.extend([0, 0, 16, 0, 1, 0, 0, 0, 0]);
    let chain = 200_u16;
    bytes.extend((1 + chain * 2).to_be_bytes());
    let first = bytes.len() as u16;
    bytes.push(0);
    for link in 0..chain {
        let target = if link == 0 { first } else { first + 1 + (link - 1) * 2 };
        bytes.extend((0xc000 | target).to_be_bytes());
    }
    let name = |links: u16| (0xc000 | (first + 1 + links * 2)).to_be_bytes();
    let answer = |links: u16| [&bytes[..], &name(links), &[0, 1, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    let (near, far) = (answer(100), answer(chain - 1));
    assert!(matches!(step(Protocol::Dns, &place, &near), Step::Message { .. }));
    let far = step(Protocol::Dns, &place, &far);
    assert!(matches!(far, Step::Malformed { .. }), "{far:?}");
}

/// A hello of one byte a record is read again with every segment: there is a bound to it.
#[test]
fn hellos_are_not_cut_for_ever() {
    let mut hello = vec![1, 0, 2, 3];
    hello.resize(4 + 515, 0);
    hello[4..6].copy_from_slice(&[3, 3]);
    // Behind version, random and session: one cipher, one compression, extensions of zeroes.
    hello[39..45].copy_from_slice(&[0, 2, 0, 0x2f, 1, 0]);
    hello[45..47].copy_from_slice(&(515_u16 - 43).to_be_bytes());
    let records = |most: usize| -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1, 0, part.len() as u8], part].concat();
        hello.chunks(most).flat_map(record).collect()
    };
    let few = records(2);
    let few = step(Protocol::Tls, &UP, &few);
    assert!(matches!(few, Step::Message { record: Record::Tls(Tls::Client(_)), .. }), "{few:?}");
    let many = records(1);
    let many = step(Protocol::Tls, &UP, &many);
    assert!(matches!(many, Step::Malformed { .. }), "{many:?}");
}

/// What a beginning of bytes seems to be is forgotten when more of them come.
#[test]
fn a_beginning_is_not_remembered() {
    let http = parser(Protocol::Http);
    let mut scratch = Scratch::default();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let place = Place { src_port: 80, dst_port: 40_000, from_opener: Some(false), ..UP };
    let first = http.next(&place, &mut scratch, head);
    assert!(matches!(first, Step::Message { .. }), "{first:?}");
    let before = scratch;
    assert!(matches!(http.next(&place, &mut scratch, b"HTTP/1.1 304 No\r\n5"), Step::NeedMore(_)));
    assert_eq!(scratch, before);
}
