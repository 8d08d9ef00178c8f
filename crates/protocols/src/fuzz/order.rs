//! Streams cut, shuffled and repeated, datagrams in fragments: neither changes what is said.

use crate::flow::Tracker;
use crate::packet::{LinkType, decode};

use super::PORTS;

/// Most segments or fragments of one input; the tracker keeps twice as many.
const MAX_PIECES: usize = 60;
const CLIENT: u8 = 1;
const SERVER: u8 = 2;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A piece of the whole: where it begins and ends, and when it comes.
struct Piece {
    from: usize,
    until: usize,
    key: u8,
}

/// Reads a plan of pieces (their number, then length and time of each) and what they are cut from.
/// Every length is a multiple of `unit` but for that of the last piece.
fn plan(data: &[u8], unit: usize) -> Option<(Vec<Piece>, &[u8])> {
    let (&count, rest) = data.split_first()?;
    let count = usize::from(count) % MAX_PIECES;
    let (script, whole) = rest.split_at_checked(count * 2)?;
    let mut pieces = Vec::new();
    let mut from = 0;
    for step in script.chunks_exact(2) {
        let until = (from + (1 + usize::from(step[0])) * unit).min(whole.len());
        if from < until {
            pieces.push(Piece { from, until, key: step[1] });
        }
        from = until;
    }
    if from < whole.len() {
        pieces.push(Piece { from, until: whole.len(), key: 0 });
    }
    Some((pieces, whole))
}

/// What a tracker tells of packets.
fn told(packets: &[Vec<u8>]) -> (Vec<String>, Tracker) {
    let (mut tracker, mut told) = (Tracker::default(), Vec::new());
    for (at, packet) in packets.iter().enumerate() {
        let wire_len = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let Ok(view) = decode(LinkType::RAW, packet, wire_len) else { continue };
        let ts_ns = i64::try_from(at).unwrap_or(0) * 1_000_000;
        tracker.push(ts_ns, &view, &mut |sighting| {
            told.push(format!("{:?} {:?}", sighting.protocol, sighting.record));
        });
    }
    tracker.finish(&mut |sighting| {
        told.push(format!("{:?} {:?}", sighting.protocol, sighting.record));
    });
    (told, tracker)
}

/// Byte 0 picks the port, byte 1 the first sequence number; then a plan of segments and the stream.
/// The segments come once in order and once by the times of the plan, some of them twice.
///
/// # Panics
/// When order or repetition changes what the stream says: that is the finding.
pub fn segments(data: &[u8]) {
    let Some((&[port, seq], rest)) = data.split_first_chunk::<2>() else { return };
    let Some((mut pieces, stream)) = plan(rest, 1) else { return };
    let port = PORTS[usize::from(port) % PORTS.len()];
    // Close to where the numbers wrap.
    let seq = 0_u32.wrapping_sub(u32::from(seq));
    let open = [
        tcp(true, port, seq.wrapping_sub(1), 0, SYN, &[]),
        tcp(false, port, 99, seq, SYN | ACK, &[]),
        tcp(true, port, seq, 100, ACK, &[]),
    ];
    let segment = |piece: &Piece| {
        let at = seq.wrapping_add(u32::try_from(piece.from).unwrap_or(u32::MAX));
        tcp(true, port, at, 100, ACK, &stream[piece.from..piece.until])
    };
    let ordered: Vec<_> = open.iter().cloned().chain(pieces.iter().map(segment)).collect();
    pieces.sort_by_key(|piece| piece.key);
    let again = pieces.iter().filter(|piece| piece.key & 7 == 7);
    let shuffled: Vec<_> =
        open.iter().cloned().chain(pieces.iter().chain(again).map(segment)).collect();
    let ((left, _), (right, tracker)) = (told(&ordered), told(&shuffled));
    assert_eq!(left, right, "the order of segments changes what is said");
    let stats = tracker.stats();
    assert_eq!((stats.gaps, stats.conflicts), (0, 0), "a hole that is none");
}

/// Byte 0 picks port and version of IP, then a plan of fragments and the datagram. It comes whole,
/// in fragments by the times of the plan, and with a fragment that contradicts another.
///
/// # Panics
/// When fragments change what the datagram says, or contradictions are believed.
pub fn fragments(data: &[u8]) {
    let Some((&pick, rest)) = data.split_first() else { return };
    let Some((mut pieces, payload)) = plan(rest, 8) else { return };
    let six = pick & 0x80 != 0;
    let port = PORTS[usize::from(pick) % PORTS.len()];
    if payload.len() > 60_000 {
        return;
    }
    let mut datagram = Vec::new();
    datagram.extend(40_000_u16.to_be_bytes());
    datagram.extend(port.to_be_bytes());
    datagram.extend(u16::try_from(payload.len() + 8).unwrap_or(u16::MAX).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    for piece in &mut pieces {
        // The header of the datagram belongs to the first.
        piece.from = if piece.from == 0 { 0 } else { piece.from + 8 };
        piece.until += 8;
    }
    let part = |from: usize, until: usize, body: &[u8]| {
        let more = until < datagram.len();
        let offset = u16::try_from(from).unwrap_or(0);
        if six { ipv6(offset, more, body) } else { ipv4(17, offset, more, body) }
    };
    let cut = |piece: &Piece| part(piece.from, piece.until, &datagram[piece.from..piece.until]);
    let whole = told(&[part(0, datagram.len(), &datagram)]).0;
    pieces.sort_by_key(|piece| piece.key);
    let mut packets: Vec<_> = pieces.iter().map(cut).collect();
    if pieces.len() > 1 {
        let (said, tracker) = told(&packets);
        assert_eq!(said, whole, "fragments change what is said");
        assert_eq!(tracker.stats().fragments_refused, 0, "good fragments were refused");
    }
    // All but the last to come, then one that overlaps a piece that is there: nothing is believed.
    if let [first, .., last] = pieces.as_slice()
        && first.until - first.from >= 16
        && first.until < datagram.len()
    {
        packets.pop();
        packets.push(part(first.from + 8, first.until, &vec![0; first.until - first.from - 8]));
        packets.push(cut(last));
        let (said, tracker) = told(&packets);
        assert_eq!(said, Vec::<String>::new(), "a contradiction was believed");
        assert_eq!(tracker.stats().fragments_refused, 1, "a contradiction was not counted");
    }
}

fn tcp(up: bool, port: u16, seq: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let ports = if up { [40_000, port] } else { [port, 40_000] };
    let mut body: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
    body.extend(seq.to_be_bytes());
    body.extend(ack.to_be_bytes());
    body.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    body.extend(data);
    let mut packet = ipv4(6, 0, false, &body);
    if !up {
        packet[15] = SERVER;
        packet[19] = CLIENT;
    }
    packet
}

fn ipv4(protocol: u8, offset: u16, more: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend(u16::try_from(20 + body.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend([0, 7]);
    bytes.extend(((offset / 8) | (u16::from(more) << 13)).to_be_bytes());
    bytes.extend([64, protocol, 0, 0, 10, 0, 0, CLIENT, 10, 0, 0, SERVER]);
    bytes.extend(body);
    bytes
}

fn ipv6(offset: u16, more: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend(u16::try_from(8 + body.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend([44, 64]);
    for host in [CLIENT, SERVER] {
        bytes.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    bytes.extend([17, 0]);
    bytes.extend(((offset & 0xfff8) | u16::from(more)).to_be_bytes());
    bytes.extend([0, 0, 0, 7]);
    bytes.extend(body);
    bytes
}
