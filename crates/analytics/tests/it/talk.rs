//! Messages of conversations, counted in the windows of their ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use analytics::host::Host;
use analytics::metrics::Metric;
use analytics::record::WindowRecord;
use proptest::prelude::*;
use protocols::packet::{LinkType, decode};

use crate::frames::{carrying_name, dns_frame, dns_message, tcp_frame};
use crate::support::Cut;

const SECOND_NS: i64 = 1_000_000_000;

fn device() -> Host {
    Host::v4([192, 168, 1, 7].into())
}

fn resolver() -> Host {
    Host::v4([203, 0, 113, 53].into())
}

/// Frames, each at a time in seconds, cut into windows of so many.
fn cut(frames: &[(i64, Vec<u8>)], window_s: i64) -> Vec<WindowRecord> {
    let mut cut = Cut::new(window_s * 1_000_000);
    for (at_s, frame) in frames {
        let packet = decode(LinkType::ETHERNET, frame, frame.len() as u32).unwrap();
        cut.packet(at_s * SECOND_NS, &packet);
    }
    assert_eq!(cut.windower.stats().late_messages, 0);
    cut.finish()
}

fn query(name: &str) -> Vec<u8> {
    dns_frame(device(), resolver(), &dns_message(name, None))
}

fn answer(name: &str, code: u8) -> Vec<u8> {
    dns_frame(resolver(), device(), &dns_message(name, Some(code)))
}

#[test]
fn names_are_told_apart_and_measured() {
    let tunnel = carrying_name(5);
    let frames = [
        (1, query("www.example.com")),
        (1, answer("www.example.com", 0)),
        (2, query("WWW.example.COM")),
        (3, query("nothere.example.com")),
        (3, answer("nothere.example.com", 3)),
        (12, query(&tunnel)),
        (12, answer(&tunnel, 0)),
    ];
    let records = cut(&frames, 10);
    assert_eq!(records.len(), 2, "the resolver is no device");
    let counts = |record: &WindowRecord| {
        [Metric::DnsQueries, Metric::DnsNames, Metric::DnsNoSuchName].map(|m| record.count(m))
    };
    assert_eq!(counts(&records[0]), [3, 2, 1], "case does not matter");
    assert_eq!(counts(&records[1]), [1, 1, 0]);
    // `example`: six letters, one of them twice.
    assert_eq!(records[0].count(Metric::DnsEntropy), 252);
    assert_eq!(records[0].count(Metric::DnsNameBits), 18);
    assert!(records[1].count(Metric::DnsEntropy) > 400, "{}", records[1].count(Metric::DnsEntropy));
    assert!(records[1].count(Metric::DnsNameBits) > 150);
    // Two queries a second apart, then one behind another second.
    assert_eq!(
        (records[0].count(Metric::GapOut), records[0].count(Metric::GapVariation)),
        (1_000, 0)
    );
}

#[test]
fn families_of_messages_are_counted_for_both_ends() {
    const READ: [u8; 12] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1];
    const WRITE: [u8; 12] = [0, 2, 0, 0, 0, 6, 1, 6, 0, 4, 0, 7];
    const REFUSED: [u8; 9] = [0, 2, 0, 0, 0, 3, 1, 0x86, 2];
    let (master, plc) = (device(), Host::v4([192, 168, 1, 9].into()));
    let (mut sent, mut back) = (100, 500);
    let mut frames = vec![
        (1, tcp_frame(master, plc, (40_000, 502), (99, 0), 2, &[])),
        (1, tcp_frame(plc, master, (502, 40_000), (499, 100), 0x12, &[])),
    ];
    for data in [&READ[..], &READ, &WRITE] {
        frames.push((2, tcp_frame(master, plc, (40_000, 502), (sent, back), 0x18, data)));
        sent += data.len() as u32;
    }
    frames.push((2, tcp_frame(plc, master, (502, 40_000), (back, sent), 0x18, &REFUSED)));
    back += REFUSED.len() as u32;
    frames.push((3, tcp_frame(master, plc, (40_000, 502), (sent, back), 0x10, &[])));
    let records = cut(&frames, 10);
    assert_eq!(records.len(), 2);
    for record in &records {
        let of = |metric| record.count(metric);
        let counts =
            [Metric::IndustrialReads, Metric::IndustrialWrites, Metric::IndustrialRefusals];
        assert_eq!(counts.map(of), [2, 1, 1], "{}", record.device);
        assert_eq!(of(Metric::DnsQueries), 0);
    }
}

#[test]
fn who_sends_no_message_has_a_short_record() {
    let frames = [(1, tcp_frame(device(), resolver(), (40_000, 443), (99, 0), 2, &[]))];
    let json = serde_json::to_string(&cut(&frames, 10)[0]).unwrap();
    assert!(!json.contains("talk") && !json.contains("pace"), "{json}");
}

proptest! {
    /// Windows put together in any order say the same of pauses and messages, and what was said in
    /// windows of ten seconds adds up to what is said in one of a minute.
    #[test]
    fn talk_adds_up(asked in proptest::collection::vec((0_i64..60, 0_u64..90, any::<bool>()), 1..100)) {
        let mut asked = asked;
        asked.sort_unstable();
        let frames: Vec<(i64, Vec<u8>)> = asked
            .iter()
            .map(|(at_s, name, found)| {
                let name = format!("n{name}.example.com");
                (*at_s, if *found { query(&name) } else { answer(&name, 3) })
            })
            .collect();
        // A device is who sends; the first packet makes it one.
        let frames = [vec![(0, query("n0.example.com"))], frames].concat();
        let (whole, parts) = (cut(&frames, 60), cut(&frames, 10));
        let sum = |parts: &mut dyn Iterator<Item = &WindowRecord>| {
            let mut sum = parts.next().unwrap().clone();
            parts.for_each(|part| sum.merge(part));
            sum
        };
        let (forth, back) = (sum(&mut parts.iter()), sum(&mut parts.iter().rev()));
        let half = parts.len().div_ceil(2);
        let mut halves = sum(&mut parts[..half].iter());
        if half < parts.len() {
            halves.merge(&sum(&mut parts[half..].iter()));
        }
        for other in [&back, &halves, &whole[0]] {
            prop_assert_eq!(&forth.talk, &other.talk);
        }
        prop_assert_eq!(&forth.pace, &back.pace);
        prop_assert_eq!(&forth.pace, &halves.pace);
        let json = serde_json::to_string(&forth).unwrap();
        prop_assert_eq!(serde_json::from_str::<WindowRecord>(&json).unwrap(), forth);
    }
}
