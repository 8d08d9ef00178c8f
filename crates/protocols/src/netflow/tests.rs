#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const EXPORTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn read(collector: &mut Collector, datagram: &[u8]) -> (Vec<Flow>, Result<(), NetflowError>) {
    let mut flows = Vec::new();
    let result = collector.read(EXPORTER, datagram, |flow| flows.push(*flow));
    (flows, result)
}

/// A version 9 datagram of one set: exported at 1000 s, up for 60 s.
fn version_9(set: u16, body: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 9, 0, 1];
    for word in [60_000_u32, 1_000, 7, 5] {
        datagram.extend(word.to_be_bytes());
    }
    datagram.extend(set.to_be_bytes());
    datagram.extend((body.len() as u16 + 4).to_be_bytes());
    datagram.extend(body);
    datagram
}

fn ipfix(sequence: u32, set: u16, body: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 10];
    datagram.extend((16 + 4 + body.len() as u16).to_be_bytes());
    for word in [1_000_u32, sequence, 5] {
        datagram.extend(word.to_be_bytes());
    }
    datagram.extend(set.to_be_bytes());
    datagram.extend((body.len() as u16 + 4).to_be_bytes());
    datagram.extend(body);
    datagram
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

#[test]
fn version_9_waits_for_its_template() {
    let template = words(&[300, 9, 8, 4, 12, 4, 4, 1, 6, 1, 7, 2, 11, 2, 2, 4, 1, 4, 22, 4]);
    let mut record = vec![10, 0, 0, 1, 10, 0, 0, 2, 6, 0x12, 0x9c, 0x40, 0x01, 0xf6];
    record.extend(3_u32.to_be_bytes());
    record.extend(180_u32.to_be_bytes());
    record.extend(30_000_u32.to_be_bytes());
    let mut collector = Collector::new();
    let (flows, result) = read(&mut collector, &version_9(300, &record));
    assert_eq!((flows.len(), result), (0, Ok(())));
    assert_eq!(collector.stats().without_template, 1);
    read(&mut collector, &version_9(0, &template)).1.unwrap();
    record.extend([0; 2]);
    let (flows, result) = read(&mut collector, &version_9(300, &record));
    assert_eq!(result, Ok(()));
    let [flow] = flows[..] else { panic!("{flows:?}") };
    assert_eq!((flow.src_port, flow.dst_port, flow.protocol), (40_000, 502, 6));
    assert_eq!((flow.packets, flow.bytes, flow.tcp_flags), (3, 180, 0x12));
    // Up for 60 s at second 1000, first packet at 30 s of uptime: second 970.
    assert_eq!((flow.start_ns, flow.end_ns), (970_000_000_000, 970_000_000_000));
    // Another observation domain has templates of its own.
    let mut other = version_9(300, &record);
    other[19] = 6;
    assert!(read(&mut collector, &other).0.is_empty());
}

#[test]
fn ipfix_reads_variable_lengths_foreign_fields_and_short_numbers() {
    let mut template = words(&[256, 7, 27, 16, 28, 16, 0x8001, 0xffff, 0, 29_305]);
    template.extend(words(&[2, 1, 1, 3, 152, 8, 153, 8]));
    let mut collector = Collector::new();
    read(&mut collector, &ipfix(0, 2, &template)).1.unwrap();
    let mut record = vec![0xfd; 16];
    record.extend([0x20; 16]);
    record.extend([3, b'a', b'b', b'c', 5, 0, 1, 0]);
    record.extend(999_000_u64.to_be_bytes());
    record.extend(999_500_u64.to_be_bytes());
    let (flows, result) = read(&mut collector, &ipfix(0, 256, &record));
    assert_eq!(result, Ok(()));
    assert_eq!((flows[0].packets, flows[0].bytes), (5, 256));
    assert_eq!((flows[0].start_ns, flows[0].end_ns), (999_000_000_000, 999_500_000_000));
    // Sequence 1 was expected; 4 says that three records were lost.
    read(&mut collector, &ipfix(4, 256, &record)).1.unwrap();
    assert_eq!(collector.stats().lost, 3);
    // Withdrawn.
    read(&mut collector, &ipfix(5, 2, &words(&[256, 0]))).1.unwrap();
    assert!(read(&mut collector, &ipfix(5, 256, &record)).0.is_empty());
}

#[test]
fn version_5_counts_from_the_start_of_the_exporter() {
    let mut datagram = vec![0, 5, 0, 1];
    for word in [60_000_u32, 1_000, 500_000_000, 9, 0x0102_400a] {
        datagram.extend(word.to_be_bytes());
    }
    let mut record = vec![10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 2];
    for word in [4_u32, 400, 30_000, 31_000] {
        record.extend(word.to_be_bytes());
    }
    record.extend([0x30, 0x39, 0, 53, 0, 0x10, 17, 0, 0, 0, 0, 0, 24, 24, 0, 0]);
    datagram.extend(&record);
    let mut collector = Collector::new();
    let (flows, result) = read(&mut collector, &datagram);
    assert_eq!(result, Ok(()));
    let flow = flows[0];
    assert_eq!((flow.start_ns, flow.end_ns), (970_500_000_000, 971_500_000_000));
    assert_eq!((flow.dst_port, flow.protocol, flow.sampled), (53, 17, 10));
    let cut = &datagram[..datagram.len() - 1];
    assert_eq!(read(&mut collector, cut), (vec![], Err(NetflowError::Set(1))));
}

#[test]
fn contradictions_are_errors_and_templates_are_bounded() {
    let mut collector = Collector::new();
    assert_eq!(read(&mut collector, &[0, 7, 0, 0]).1, Err(NetflowError::Version(7)));
    assert_eq!(read(&mut collector, &[0]).1, Err(NetflowError::Header));
    let empty_field = words(&[300, 1, 8, 0]);
    let refused = read(&mut collector, &version_9(0, &empty_field)).1;
    assert_eq!(refused, Err(NetflowError::Template(300)));
    let many = words(&[300, 1_000, 8, 4]);
    assert_eq!(read(&mut collector, &version_9(0, &many)).1, Err(NetflowError::Template(300)));
    for source in 0..=(MAX_TEMPLATES as u32) {
        let mut datagram = version_9(0, &words(&[300, 1, 8, 4]));
        datagram[16..20].copy_from_slice(&source.to_be_bytes());
        read(&mut collector, &datagram).1.unwrap();
    }
    let refused = (MAX_TEMPLATES + 1 - MAX_TEMPLATES_OF_EXPORTER) as u64;
    assert_eq!(collector.stats().templates_refused, refused);
}

/// Templates 300 of one field each, from exporters 10.0.0.0 on.
fn flood(collector: &mut Collector, exporters: std::ops::Range<u32>) {
    for exporter in exporters {
        let from = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + exporter));
        collector.read(from, &version_9(0, &words(&[300, 1, 8, 4])), |_| {}).unwrap();
    }
}

const TEMPLATE: [u16; 10] = [256, 4, 8, 4, 12, 4, 2, 4, 1, 4];
const RECORD: [u8; 16] = [10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 180];

#[test]
fn a_flood_of_templates_does_not_take_the_place_of_those_in_use() {
    let mut collector = Collector::new();
    read(&mut collector, &ipfix(0, 2, &words(&TEMPLATE))).1.unwrap();
    assert_eq!(read(&mut collector, &ipfix(0, 256, &RECORD)).0.len(), 1);
    flood(&mut collector, 0..3 * MAX_TEMPLATES as u32);
    assert!(collector.stats().templates_refused > 0);
    assert!(collector.stats().templates_forgotten >= MAX_TEMPLATES as u64 - 1);
    assert_eq!(read(&mut collector, &ipfix(1, 256, &RECORD)).0.len(), 1, "still known");
    assert!(collector.stats().unfollowed > 0, "too many exporters to follow: counted");
    // Nor for ever that of an exporter that comes during the flood.
    let late = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 99));
    let mut flows = 0;
    for turn in 0..8 {
        flood(&mut collector, turn * 512..(turn + 1) * 512);
        collector.read(late, &ipfix(flows, 2, &words(&TEMPLATE)), |_| {}).unwrap();
        collector.read(late, &ipfix(flows, 256, &RECORD), |_| flows += 1).unwrap();
    }
    assert!(flows > 0);
}

#[test]
fn losses_late_datagrams_and_restarts_are_told_apart() {
    let mut collector = Collector::new();
    assert_eq!(read(&mut collector, &ipfix(5_000, 256, &RECORD)).0, [], "no template yet");
    read(&mut collector, &ipfix(5_000, 2, &words(&TEMPLATE))).1.unwrap();
    let mut take = |number: u32| {
        let flows = read(&mut collector, &ipfix(number, 256, &RECORD)).0.len();
        let stats = collector.stats();
        (flows, stats.lost, stats.restarts)
    };
    assert_eq!(take(5_000), (1, 0, 0));
    assert_eq!(take(5_003), (1, 2, 0), "two are missing");
    assert_eq!(take(5_001), (1, 1, 0), "one of them was overtaken");
    assert_eq!(take(5_004), (1, 1, 0), "and nothing more is missing");
    assert_eq!(take(0), (0, 1, 1), "the exporter counts anew: its templates are gone");
    read(&mut collector, &ipfix(0, 2, &words(&TEMPLATE))).1.unwrap();
    assert_eq!(collector.stats().restarts, 1);
    assert_eq!(read(&mut collector, &ipfix(0, 256, &RECORD)).0.len(), 1);
    assert_eq!(collector.stats().without_template, 2);
}

#[test]
fn version_9_counts_lost_datagrams() {
    let mut collector = Collector::new();
    for number in [7_u32, 8, 11, 12] {
        let mut datagram = version_9(300, &[]);
        datagram[12..16].copy_from_slice(&number.to_be_bytes());
        read(&mut collector, &datagram).1.unwrap();
    }
    assert_eq!((collector.stats().lost_datagrams, collector.stats().lost), (2, 0));
}

#[test]
fn a_flow_cannot_end_after_it_was_told_of() {
    let template = words(&[256, 5, 8, 4, 12, 4, 2, 4, 1, 4, 153, 8]);
    let mut record = RECORD.to_vec();
    record.extend(9_000_000_000_000_u64.to_be_bytes());
    let mut collector = Collector::new();
    read(&mut collector, &ipfix(0, 2, &template)).1.unwrap();
    let (flows, _) = read(&mut collector, &ipfix(0, 256, &record));
    assert_eq!(flows[0].end_ns, 1_060_000_000_000);
    assert_eq!((collector.stats().ahead_of_export, collector.stats().flows), (1, 1));
}

/// Fields of no length cost nothing per record: they are not kept.
#[test]
fn fields_of_no_length_are_left_out() {
    let mut template = vec![300, 12];
    template.extend([8, 4, 12, 4, 2, 1, 1, 1]);
    template.extend([4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0]);
    let (_, kept, _) = template::Template::read(&words(&template), false).unwrap();
    assert_eq!(kept.unwrap().fields(), 4);
    let mut collector = Collector::new();
    read(&mut collector, &version_9(0, &words(&template))).1.unwrap();
    let (flows, result) = read(&mut collector, &version_9(300, &[10, 0, 0, 1, 10, 0, 0, 2, 3, 99]));
    assert_eq!((flows.len(), result), (1, Ok(())));
    assert_eq!((flows[0].packets, flows[0].bytes), (3, 99));
}

proptest! {
    #[test]
    fn any_datagrams_are_read_or_refused(datagrams in proptest::collection::vec(
        (prop::sample::select(vec![5_u8, 9, 10]), proptest::collection::vec(any::<u8>(), 0..200)), 1..8)
    ) {
        let mut collector = Collector::new();
        for (version, mut rest) in datagrams {
            rest.splice(0..0, [0, version]);
            let _ = read(&mut collector, &rest);
        }
        prop_assert!(collector.stats().malformed <= collector.stats().datagrams);
    }
}
