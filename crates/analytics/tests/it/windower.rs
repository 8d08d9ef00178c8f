//! Laws of the windows: nothing is lost, nothing is counted twice, nothing grows without bound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use analytics::host::Host;
use analytics::metrics::Metric;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::windows::{Class, DEFAULT_WINDOW_US, Segment, WindowConfig, Windower};
use proptest::prelude::*;

const SECOND_NS: i64 = 1_000_000_000;
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;

fn local(last: u8) -> Host {
    Host::v4([192, 168, 0, last].into())
}

fn remote(last: u8) -> Host {
    Host::v4([203, 0, 113, last].into())
}

fn udp(src: Host, dst: Host) -> Segment {
    Segment {
        src: Some(src),
        dst: Some(dst),
        class: Class::Udp,
        protocol: 17,
        src_port: 40_000,
        dst_port: 53,
        ..Segment::frame(100)
    }
}

fn tcp(src: Host, dst: Host, ports: (u16, u16), tcp_flags: u8) -> Segment {
    Segment {
        class: Class::Tcp,
        protocol: 6,
        src_port: ports.0,
        dst_port: ports.1,
        tcp_flags,
        ..udp(src, dst)
    }
}

fn windower() -> Windower {
    Windower::new(WindowConfig::default()).unwrap()
}

fn run(packets: &[(i64, Segment)]) -> (Vec<WindowRecord>, Windower) {
    let mut windower = windower();
    for (ts_ns, segment) in packets {
        windower.push_segment(*ts_ns, segment);
    }
    windower.finish();
    (windower.take_ready(), windower)
}

fn failed_by_window(packets: &[(i64, Segment)]) -> Vec<(i64, u64)> {
    let (records, _) = run(packets);
    records
        .iter()
        .filter(|record| record.device == local(1))
        .map(|record| (record.start_us / 1_000_000, record.count(Metric::SynFailed)))
        .collect()
}

#[test]
fn answers_in_time_are_no_failures() {
    let syn = tcp(local(1), remote(1), (1000, 80), SYN);
    let answer = tcp(remote(1), local(1), (80, 1000), SYN_ACK);
    let other = tcp(remote(1), local(1), (80, 1001), SYN_ACK);
    let at = |tenths: i64| tenths * SECOND_NS / 10;
    let later = (at(300), udp(local(1), remote(9)));
    assert_eq!(failed_by_window(&[(at(5), syn), (at(10), answer), later])[0], (0, 0));
    assert_eq!(failed_by_window(&[(at(5), syn), (at(16), answer), later])[0], (0, 1));
    assert_eq!(failed_by_window(&[(at(5), syn), (at(10), other), later])[0], (0, 1));
    // The answer lies in the next window, within the second.
    assert_eq!(failed_by_window(&[(at(95), syn), (at(104), answer), later])[0], (0, 0));
    assert_eq!(failed_by_window(&[(at(95), syn), later])[0], (0, 1));
    // Nothing is known of the last second of a capture.
    assert_eq!(failed_by_window(&[(at(5), syn)])[0], (0, 0));
    assert_eq!(failed_by_window(&[(at(5), syn), (at(16), udp(local(2), remote(1)))])[0], (0, 1));
}

#[test]
fn a_flood_of_attempts_is_counted_whole() {
    let packets: Vec<_> = (0..5_000_i64)
        .map(|n| (n * 100_000, tcp(local(1), remote((n % 250) as u8), (n as u16 + 1, 80), SYN)))
        .chain([(30 * SECOND_NS, udp(local(1), remote(1)))])
        .collect();
    let (records, windower) = run(&packets);
    assert_eq!(records[0].count(Metric::SynOut), 5_000);
    assert_eq!(records[0].count(Metric::SynFailed), 5_000);
    assert_eq!(windower.stats().syn_overflow, 5_000 - 1_024);
}

#[test]
fn windows_come_one_second_late() {
    let mut windower = windower();
    windower.push_segment(SECOND_NS, &udp(local(1), remote(1)));
    windower.advance_to(10 * SECOND_NS);
    assert!(!windower.has_ready());
    windower.advance_to(11 * SECOND_NS - 1_000);
    assert!(!windower.has_ready());
    windower.advance_to(11 * SECOND_NS);
    let records = windower.take_ready();
    assert_eq!((records.len(), records[0].start_us, records[0].end_us), (1, 0, DEFAULT_WINDOW_US));
    windower.advance_to(YEAR_NS);
    assert!(!windower.has_ready());
}

#[test]
fn both_ends_inside_are_counted() {
    let (records, _) =
        run(&[(0, udp(local(2), remote(1))), (1, tcp(local(1), local(2), (1000, 22), SYN))]);
    let by_device: BTreeMap<Host, &WindowRecord> =
        records.iter().map(|record| (record.device, record)).collect();
    assert_eq!(by_device[&local(1)].count(Metric::SynOut), 1);
    assert_eq!(by_device[&local(2)].count(Metric::SynIn), 1);
    assert_eq!(by_device[&local(2)].keys[1].peer, local(1));
    assert_eq!(by_device[&local(2)].keys[1].port, 22);
}

#[test]
fn receivers_that_never_sent_are_no_devices() {
    let (records, windower) = run(&[(0, udp(remote(1), local(1))), (1, udp(remote(1), remote(2)))]);
    assert!(records.is_empty());
    assert_eq!(windower.stats().unattributed, 2);
}

#[test]
fn frames_without_address_follow_their_mac() {
    let mac = [2, 0, 0, 0, 0, 1];
    let with_mac = |segment: Segment| Segment { src_mac: Some(mac), ..segment };
    let unspecified = Host::v4([0, 0, 0, 0].into());
    let v6 = Host::v6("fe80::1".parse().unwrap());
    let (records, _) = run(&[
        (0, with_mac(udp(local(1), remote(1)))),
        (1, with_mac(udp(unspecified, Host::v4([255; 4].into())))),
        (2, with_mac(Segment::frame(60))),
        (3, with_mac(udp(v6, remote(1)))),
    ]);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].count(Metric::PacketsOut), 4);
    assert_eq!(records[0].mac, Some(Host::mac(mac)));
}

#[test]
fn a_router_does_not_take_the_frames_of_those_behind_it() {
    let mac = [2, 0, 0, 0, 0, 9];
    let with_mac = |segment: Segment| Segment { src_mac: Some(mac), ..segment };
    let arp = Segment { class: Class::Arp, protocol: 0, ..udp(local(9), local(1)) };
    let (records, _) = run(&[
        (0, with_mac(udp(local(3), remote(1)))),
        (1, with_mac(arp)),
        (2, with_mac(udp(local(4), remote(1)))),
        (3, with_mac(Segment::frame(60))),
    ]);
    let out: BTreeMap<Host, u64> =
        records.iter().map(|record| (record.device, record.count(Metric::PacketsOut))).collect();
    assert_eq!(out, BTreeMap::from([(local(3), 1), (local(4), 1), (local(9), 2)]));
}

#[test]
fn a_list_decides_alone() {
    let mac = [2, 0, 0, 0, 0, 1];
    let policy = DevicePolicy::Listed(vec![remote(7), Host::mac(mac)]);
    let mut windower = Windower::new(WindowConfig { policy, ..WindowConfig::default() }).unwrap();
    windower.push_segment(0, &udp(local(1), remote(7)));
    windower.push_segment(1, &Segment { src_mac: Some(mac), ..udp(local(1), remote(2)) });
    windower.push_segment(2, &udp(local(1), remote(2)));
    windower.finish();
    let devices: Vec<Host> = windower.take_ready().iter().map(|record| record.device).collect();
    assert_eq!(devices, vec![remote(7), Host::mac(mac)]);
    assert_eq!(windower.stats().unattributed, 1);
}

#[test]
fn gaps_and_steps_of_years_cost_nothing_and_lose_nothing() {
    let packets: Vec<_> = [0, 10 * YEAR_NS, 10 * YEAR_NS + 1, 3, 20 * YEAR_NS, -YEAR_NS]
        .into_iter()
        .map(|ts_ns| (ts_ns, udp(local(1), remote(1))))
        .collect();
    let (records, windower) = run(&packets);
    assert_eq!(records.iter().map(WindowRecord::packets).sum::<u64>(), 6);
    assert_eq!(records.len(), 5);
    assert_eq!(windower.stats().clock_steps, 2);
}

#[test]
fn device_table_is_bounded_and_reused() {
    let config = WindowConfig { max_devices: 4, ..WindowConfig::default() };
    let mut windower = Windower::new(config).unwrap();
    for last in 0..10 {
        windower.push_segment(i64::from(last), &udp(local(last), remote(1)));
    }
    assert_eq!(windower.stats().refused_devices, 6);
    // Two hours later the idle ones have made room.
    windower.push_segment(7_200 * SECOND_NS, &udp(local(200), remote(1)));
    assert_eq!(windower.stats().refused_devices, 6);
    windower.finish();
    assert_eq!(windower.take_ready().len(), 5);
}

#[test]
fn window_length_is_bounded() {
    for (window_us, fine) in [(0, false), (-5, false), (1_000_000, true), (i64::MAX, false)] {
        let made = Windower::new(WindowConfig { window_us, ..WindowConfig::default() });
        assert_eq!(made.is_ok(), fine, "{window_us}");
    }
}

fn packets() -> impl Strategy<Value = Vec<(i64, u8, u8, u8)>> {
    proptest::collection::vec((0..40_000_i64, 0_u8..5, 0_u8..5, 0_u8..3), 1..200)
}

fn segment(src: u8, dst: u8, kind: u8) -> Segment {
    match kind {
        0 => udp(local(src), remote(dst)),
        1 => tcp(local(src), remote(dst), (1_000 + u16::from(dst), 80), SYN),
        _ => tcp(remote(dst), local(src), (80, 1_000 + u16::from(dst)), SYN_ACK),
    }
}

proptest! {
    #[test]
    fn ordered_packets_meet_a_plain_count(mut packets in packets()) {
        packets.sort_by_key(|packet| packet.0);
        let stream: Vec<_> = packets.iter().map(|(ms, src, dst, kind)| (ms * 1_000_000, segment(*src, *dst, *kind))).collect();
        let mut truth: BTreeMap<(Host, i64), [u64; 3]> = BTreeMap::new();
        let mut known = std::collections::BTreeSet::new();
        for (ms, src, _, kind) in &packets {
            let start_us = ms / 10_000 * 10_000_000;
            if *kind == 2 && !known.contains(src) {
                continue;
            }
            known.insert(*src);
            let counts = truth.entry((local(*src), start_us)).or_default();
            counts[0] += u64::from(*kind != 2);
            counts[1] += u64::from(*kind == 1);
            counts[2] += 100;
        }
        let (records, windower) = run(&stream);
        let found: BTreeMap<(Host, i64), [u64; 3]> = records
            .iter()
            .map(|record| ((record.device, record.start_us),
                [record.count(Metric::PacketsOut), record.count(Metric::SynOut), record.bytes()]))
            .collect();
        prop_assert_eq!(found.len(), records.len());
        prop_assert_eq!(found, truth);
        prop_assert_eq!(windower.stats().late, 0);
        for record in &records {
            prop_assert!(record.count(Metric::SynFailed) <= record.count(Metric::SynOut));
            prop_assert_eq!(record.keys.iter().map(|key| u64::from(key.packets)).sum::<u64>(), record.packets());
        }
    }

    #[test]
    fn no_order_of_times_loses_a_packet(times in proptest::collection::vec(any::<i64>(), 1..60), near in proptest::collection::vec(0..90 * SECOND_NS, 1..60)) {
        let stream: Vec<_> = times.iter().chain(&near).map(|ts_ns| (*ts_ns, udp(local(1), remote(1)))).collect();
        let (records, windower) = run(&stream);
        prop_assert_eq!(records.iter().map(WindowRecord::packets).sum::<u64>(), stream.len() as u64);
        prop_assert_eq!(windower.stats().windows, records.len() as u64);
        for record in &records {
            prop_assert_eq!(record.end_us - record.start_us, DEFAULT_WINDOW_US);
            prop_assert_eq!(record.start_us.rem_euclid(DEFAULT_WINDOW_US), 0);
        }
    }
}
