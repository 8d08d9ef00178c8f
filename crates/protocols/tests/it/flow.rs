//! Conversations: order, holes, ends, fragments, bounds.

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use protocols::app::Protocol;
use protocols::flow::{Limits, MAX_SEGMENTS, RECOGNITION_TRIES, Tracker};

use crate::wire::{
    ACK, CLIENT, FIN, Peer, RST, SERVER, SYN, Watch, ipv4, tcp, udp, udp_body, write_register,
};

/// A stream of writes, and what is told of it when it comes as one message a segment.
fn writes(values: &[u16]) -> Vec<u8> {
    let write = |(n, value): (usize, &u16)| write_register(n as u16, n as u16, *value);
    values.iter().enumerate().flat_map(write).collect()
}

fn told_whole(seq: u32, stream: &[u8]) -> Vec<String> {
    let mut watch = Watch::default();
    watch.connect(seq);
    let mut at = seq;
    for message in stream.chunks(12) {
        watch.send(at, message);
        at = at.wrapping_add(message.len() as u32);
    }
    watch.finish();
    watch.told
}

/// Cuts a range into pieces at any places.
fn pieces(len: usize, cuts: &[prop::sample::Index]) -> Vec<(usize, usize)> {
    let mut ends: Vec<usize> =
        cuts.iter().map(|cut| cut.index(len)).filter(|cut| *cut > 0).collect();
    ends.push(len);
    ends.sort_unstable();
    ends.dedup();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends.iter().copied()).collect()
}

/// Any first sequence number, often one after which the numbers wrap.
fn start() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (u32::MAX - 300)..=u32::MAX]
}

proptest! {
    /// However a stream is cut, shuffled and repeated, it says the same.
    #[test]
    fn order_and_cuts_change_nothing(
        values in vec(any::<u16>(), 1..30),
        cuts in vec(any::<prop::sample::Index>(), 0..60),
        keys in vec(any::<u32>(), 200),
        repeated in vec(any::<prop::sample::Index>(), 0..10),
        seq in start(),
    ) {
        let stream = writes(&values);
        let mut segments = pieces(stream.len(), &cuts);
        for index in repeated {
            segments.push(segments[index.index(segments.len())]);
        }
        let mut order: Vec<_> = segments.into_iter().zip(keys).collect();
        order.sort_by_key(|(_, key)| *key);
        prop_assume!(order.len() <= MAX_SEGMENTS);

        let mut watch = Watch::default();
        watch.connect(seq);
        for ((from, until), _) in &order {
            watch.send(seq.wrapping_add(*from as u32), &stream[*from..*until]);
        }
        prop_assert_eq!(watch.tracker.buffered_bytes(), 0);
        watch.finish();
        prop_assert_eq!(&watch.told, &told_whole(seq, &stream));
        let stats = watch.tracker.stats();
        prop_assert_eq!((stats.gaps, stats.dropped_bytes, stats.conflicts), (0, 0, 0));
        prop_assert_eq!(stats.protocols[Protocol::Modbus].messages, values.len() as u64);
    }

    /// Of bytes that come twice the first win, whatever way they overlap.
    #[test]
    fn the_first_bytes_win(
        values in vec(any::<(u16, u16)>(), 1..12),
        ranges in vec((any::<prop::sample::Index>(), 1..40_usize, any::<bool>()), 0..40),
        seq in start(),
    ) {
        let (left, right): (Vec<u16>, Vec<u16>) = values.into_iter().unzip();
        let streams = [writes(&left), writes(&right)];
        let len = streams[0].len();
        let mut model: Vec<Option<u8>> = vec![None; len];
        let mut watch = Watch::default();
        watch.connect(seq);
        let ranges = ranges.into_iter().map(|(from, length, which)| {
            let from = from.index(len);
            (from, (from + length).min(len), which)
        });
        // At last all of it, so that no hole stays.
        for (from, until, which) in ranges.chain([(0, len, false)]) {
            let stream = &streams[usize::from(which)];
            for at in from..until {
                model[at].get_or_insert(stream[at]);
            }
            watch.send(seq.wrapping_add(from as u32), &stream[from..until]);
        }
        watch.finish();
        let first: Vec<u8> = model.into_iter().flatten().collect();
        prop_assert_eq!(&watch.told, &told_whole(seq, &first));
        prop_assert_eq!(watch.tracker.stats().gaps, 0);
    }

    /// Missing segments cost the messages they held and those cut by them, nothing more.
    #[test]
    fn a_hole_costs_only_its_messages(
        values in vec(any::<u16>(), 8..40),
        lost in any::<prop::sample::Index>(),
        seq in start(),
    ) {
        let stream = writes(&values);
        let lost = lost.index(values.len() - 5) + 1;
        let mut watch = Watch::default();
        watch.connect(seq);
        for (n, message) in stream.chunks(12).enumerate().filter(|(n, _)| *n != lost) {
            let at = seq.wrapping_add(12 * n as u32);
            watch.send(at, message);
            watch.push(&tcp(SERVER, CLIENT, 5_000, at.wrapping_add(12), ACK, &[]));
        }
        let mut expected = told_whole(seq, &stream);
        expected.remove(lost);
        prop_assert_eq!(&watch.told, &expected);
        let stats = watch.tracker.stats();
        prop_assert_eq!((stats.gaps, stats.gap_bytes), (1, 12));
    }

    /// Any packets leave the tracker within its bounds.
    #[test]
    fn anything_is_survived(bytes in vec(any::<u8>(), 0..2000)) {
        protocols::fuzz::flow(&bytes);
    }
}

#[test]
fn a_repetition_that_lies_is_counted() {
    let mut watch = Watch::default();
    watch.connect(1);
    let (true_one, lie) = (write_register(1, 1, 7), write_register(1, 1, 9));
    watch.send(13, &write_register(2, 2, 2));
    watch.send(7, &true_one[6..]);
    watch.send(1, &lie);
    assert_eq!(watch.told, told_whole(1, &[true_one, write_register(2, 2, 2)].concat()));
    assert_eq!(watch.tracker.stats().conflicts, 1);
}

#[test]
fn both_directions_are_read_and_told_apart() {
    let mut watch = Watch::default();
    watch.connect(1);
    watch.send(1, &write_register(1, 4, 7));
    watch.push(&tcp(SERVER, CLIENT, 5_000, 13, ACK, &write_register(1, 4, 7)));
    assert!(watch.told[0].contains("10.0.0.1):40000 > ") && watch.told[0].contains("Some(true)"));
    assert!(watch.told[1].contains("10.0.0.2):502 > ") && watch.told[1].contains("Some(false)"));
    assert!(watch.told[0].contains("Request") && watch.told[1].contains("Response"));
}

#[test]
fn a_conversation_met_midway_is_read_from_the_next_message_on() {
    let mut watch = Watch::default();
    watch.send(1000, &write_register(9, 9, 9)[5..]);
    watch.send(1007, &write_register(1, 2, 3));
    assert_eq!(watch.told.len(), 1);
    assert!(watch.told[0].contains("None Modbus"), "{}", watch.told[0]);
    assert_eq!(watch.tracker.stats().dropped_bytes, 7);
}

#[test]
fn what_nobody_knows_is_not_asked_for_again() {
    let mut watch = Watch::default();
    watch.connect(1);
    let junk = [0xff; 50];
    let mut seq = 1;
    for _ in 0..RECOGNITION_TRIES {
        watch.send(seq, &junk);
        seq += 50;
    }
    watch.send(seq, &write_register(1, 2, 3));
    assert_eq!(watch.told.len(), 0);
    assert_eq!(watch.tracker.stats().unknown, 1);
}

#[test]
fn a_conversation_may_go_on_in_another_protocol() {
    let mut watch = Watch::default();
    watch.connect(1);
    watch.send(1, &[&write_register(1, 2, 3), b"GET / HTTP/1.1\r\n\r\n".as_slice()].concat());
    watch.send(31, b"GET /next HTTP/1.1\r\n\r\n");
    let protocols: Vec<_> = watch.told.iter().map(|told| told.split(' ').next().unwrap()).collect();
    assert_eq!(protocols, ["Modbus", "Http", "Http"]);
    let stats = watch.tracker.stats();
    assert_eq!((stats.turned, stats.protocols[Protocol::Modbus].malformed), (1, 1));
}

#[test]
fn reused_ports_are_a_new_conversation() {
    let mut watch = Watch::default();
    for round in 0..3_u32 {
        let seq = 1 + round * 1_000_000_000;
        watch.connect(seq);
        watch.send(seq, &write_register(1, 2, 3));
    }
    assert_eq!(watch.told.len(), 3);
    let stats = watch.tracker.stats();
    assert_eq!((stats.conversations, stats.open, stats.gaps), (3, 1, 0));
}

#[test]
fn fin_and_reset_end_a_conversation_and_forged_resets_do_not() {
    let mut watch = Watch::default();
    watch.connect(1);
    watch.send(1, &write_register(1, 2, 3));
    watch.push(&tcp(CLIENT, SERVER, 3_000_000_000, 0, RST, &[]));
    assert_eq!(watch.tracker.stats().open, 1);
    watch.push(&tcp(CLIENT, SERVER, 13, 5_000, FIN | ACK, &[]));
    watch.push(&tcp(SERVER, CLIENT, 5_000, 14, FIN | ACK, &[]));
    assert_eq!(watch.tracker.stats().open, 0);
    watch.connect(1);
    watch.push(&tcp(CLIENT, SERVER, 1, 0, RST, &[]));
    assert_eq!(watch.tracker.stats().open, 0);
}

#[test]
fn the_end_reads_what_waits_behind_a_hole() {
    let mut watch = Watch::default();
    watch.connect(1);
    watch.send(1, &write_register(1, 2, 3));
    watch.send(25, &write_register(3, 2, 3));
    assert_eq!(watch.told.len(), 1);
    watch.finish();
    assert_eq!(watch.told.len(), 2);
    let stats = watch.tracker.stats();
    assert_eq!((stats.gaps, stats.gap_bytes, stats.out_of_order), (1, 12, 1));
    assert_eq!(watch.tracker.buffered_bytes(), 0);
}

#[test]
fn a_cut_segment_is_a_hole() {
    let mut watch = Watch::default();
    watch.connect(1);
    let two = [write_register(1, 2, 3), write_register(2, 2, 3)].concat();
    let packet = tcp(CLIENT, SERVER, 1, 5_000, ACK, &two);
    watch.push_cut(&packet, 40 + 12 + 3);
    watch.send(25, &write_register(3, 2, 3));
    let stats = watch.tracker.stats();
    assert_eq!((stats.cut, stats.gaps, stats.gap_bytes), (1, 1, 9));
    assert_eq!(watch.told.last(), told_whole(1, &writes_at(3)).last());
}

/// Three writes, the last as [`a_cut_segment_is_a_hole`] sends it.
fn writes_at(count: u16) -> Vec<u8> {
    (1..=count).flat_map(|n| write_register(n, 2, 3)).collect()
}

#[test]
fn clock_jumps_are_survived() {
    let mut watch = Watch::default();
    watch.connect(1);
    let mut seq = 1;
    for ts_ns in [0, i64::MAX - 2_000_000, i64::MIN, 5, -1, 1_700_000_000_000_000_000] {
        watch.ts_ns = ts_ns;
        watch.send(seq, &write_register(1, 2, 3));
        seq += 12;
    }
    assert_eq!(watch.told.len(), 6);
}

#[test]
fn silence_closes_conversations() {
    let mut watch = Watch::default();
    watch.connect(1);
    watch.send(1, &write_register(1, 2, 3));
    watch.ts_ns += 2 * Limits::default().idle_ns;
    let other = Peer(Ipv4Addr::new(10, 0, 0, 9), 1);
    for _ in 0..64 {
        watch.push(&udp(other, SERVER, &write_register(1, 2, 3)));
    }
    let stats = watch.tracker.stats();
    assert_eq!((stats.idle, stats.open), (1, 1));
}

fn fragments(data: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let body = udp_body(CLIENT, SERVER, data);
    let mut at = 0;
    let mut parts = Vec::new();
    for size in sizes {
        let until = (at + size).min(body.len());
        let more = if until < body.len() { 0x2000 } else { 0 };
        parts.push(ipv4(CLIENT, SERVER, 17, more | (at as u16 >> 3), &body[at..until]));
        at = until;
    }
    parts
}

#[test]
fn fragments_make_a_datagram_in_any_order_and_repeated() {
    let data = write_register(1, 2, 3);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let mut watch = Watch::default();
        let parts = fragments(&data, &[8, 8, 8]);
        watch.push(&parts[order[0]]);
        watch.push(&parts[order[0]]);
        watch.push(&parts[order[1]]);
        watch.push(&parts[order[2]]);
        assert_eq!(watch.told.len(), 1, "{order:?}");
        let stats = watch.tracker.stats();
        assert_eq!((stats.fragments, stats.reassembled, stats.fragments_refused), (4, 1, 0));
        assert_eq!(watch.tracker.buffered_bytes(), 0);
    }
}

#[test]
fn fragments_of_ipv6_and_of_segments_are_put_together() {
    let body = udp_body(CLIENT, SERVER, &write_register(1, 2, 3));
    let mut watch = Watch::default();
    for (offset, part) in [(0_u16, &body[..8]), (8, &body[8..])] {
        let mut packet = vec![0x60, 0, 0, 0, 0, 8 + part.len() as u8, 44, 64];
        packet.extend([0xfd; 31]);
        packet.extend([1, 17, 0]);
        packet.extend((offset | u16::from(offset == 0)).to_be_bytes());
        packet.extend([0, 1, 2, 3]);
        packet.extend(part);
        watch.push(&packet);
    }
    assert_eq!(watch.told.len(), 1);
    watch.connect(1);
    let segment = tcp(CLIENT, SERVER, 1, 5_000, ACK, &write_register(1, 2, 3));
    watch.push(&ipv4(CLIENT, SERVER, 6, 0x2000, &segment[20..44]));
    watch.push(&ipv4(CLIENT, SERVER, 6, 3, &segment[44..]));
    assert_eq!(watch.told.len(), 2);
    assert!(watch.told[1].contains("Some(true)"));
    assert_eq!(watch.tracker.stats().reassembled, 2);
}

#[test]
fn overlapping_fragments_are_refused() {
    let mut watch = Watch::default();
    let body = udp_body(CLIENT, SERVER, &write_register(1, 2, 3));
    watch.push(&ipv4(CLIENT, SERVER, 17, 0x2000, &body[..16]));
    watch.push(&ipv4(CLIENT, SERVER, 17, 1, &body[8..]));
    // Nothing of the packet is believed any more.
    watch.push(&ipv4(CLIENT, SERVER, 17, 2, &body[16..]));
    assert_eq!(watch.told.len(), 0);
    let stats = watch.tracker.stats();
    assert_eq!((stats.fragments_refused, stats.reassembled), (1, 0));
}

#[test]
fn a_flood_of_conversations_stays_in_bounds_and_spares_those_that_are_read() {
    let limits = Limits { conversations: 1_000, ..Limits::default() };
    let mut watch = Watch { tracker: Tracker::new(limits), ..Watch::default() };
    watch.connect(1);
    watch.send(1, &write_register(1, 2, 3));
    for n in 0..1_000_000_u32 {
        let from = Peer(Ipv4Addr::from_bits(0x0b00_0000 + n), n as u16);
        match n % 4 {
            3 => watch.push(&udp(from, SERVER, &write_register(1, 2, 3))),
            0 => watch.push(&tcp(from, SERVER, n, 0, SYN, &[])),
            1 => watch.push(&tcp(from, SERVER, n, 0, ACK, b"flood")),
            _ => watch.push(&udp(from, SERVER, &[0x5a; 9])),
        }
    }
    let stats = watch.tracker.stats();
    assert_eq!((stats.open, stats.conversations), (1_000, 1_000_001));
    assert_eq!(stats.evicted, 1_000_001 - 1_000);
    assert!(watch.tracker.buffered_bytes() <= limits.buffered_bytes);
    // The connection that was read is still there and knows how it began.
    watch.send(13, &write_register(2, 2, 3));
    assert!(watch.told.last().unwrap().contains("Some(true) Modbus"));
}

#[test]
fn endless_disorder_stays_in_bounds() {
    let limits = Limits { buffered_bytes: 100_000, ..Limits::default() };
    let mut watch = Watch { tracker: Tracker::new(limits), ..Watch::default() };
    let mut most = 0;
    for n in 0..20_000_u32 {
        let from = Peer(Ipv4Addr::from_bits(0x0b00_0000 + n % 50), 1);
        if n < 50 {
            watch.push(&tcp(from, SERVER, 0, 0, SYN, &[]));
        }
        // The hole at the front is never filled.
        watch.push(&tcp(from, SERVER, 2 + n * 3, 0, ACK, &[0x55; 2]));
        most = most.max(watch.tracker.buffered_bytes());
    }
    assert!(most <= limits.buffered_bytes + 4096, "{most}");
    let stats = watch.tracker.stats();
    assert!(stats.gaps > 0 && stats.most_buffered_bytes as usize >= most);
    watch.finish();
    assert_eq!(watch.tracker.buffered_bytes(), 0);
}
