//! Packets per second through the conversations: in order, out of order, unknown, in floods.

#![allow(clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::ItemsCount;
use protocols::flow::Tracker;
use protocols::packet::{LinkType, decode};

const PACKETS: u32 = 100_000;
/// Conversations the packets take turns in.
const CONVERSATIONS: u32 = 1_000;

fn main() {
    divan::main();
}

fn ipv4(protocol: u8, host: u32, ports: [u16; 2], behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((24 + behind.len() as u16).to_be_bytes());
    bytes.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    bytes.extend((0x0a00_0000 + host).to_be_bytes());
    bytes.extend([10, 255, 0, 1]);
    bytes.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    bytes.extend(behind);
    bytes
}

fn tcp(host: u32, port: u16, seq: u32, data: &[u8]) -> Vec<u8> {
    let mut behind = seq.to_be_bytes().to_vec();
    behind.extend([0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    behind.extend(data);
    ipv4(6, host, [40_000, port], &behind)
}

fn modbus(n: u32) -> [u8; 12] {
    let [_, _, a, b] = n.to_be_bytes();
    [a, b, 0, 0, 0, 6, 1, 6, 0, 4, a, b]
}

/// Pushes made packets through a fresh tracker, counting messages.
fn measure(bencher: Bencher<'_, '_>, make: impl Fn(u32) -> Vec<u8>) {
    let packets: Vec<_> = (0..PACKETS).map(make).collect();
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| {
        let mut tracker = Tracker::default();
        let mut told = 0_u64;
        for (n, packet) in packets.iter().enumerate() {
            let view = decode(LinkType::RAW, packet, packet.len() as u32).unwrap();
            tracker.push(n as i64 * 10_000, &view, &mut |_| told += 1);
        }
        told
    });
}

/// Turn and number within the conversation of packet `n`.
const fn turn(n: u32) -> (u32, u32) {
    (n % CONVERSATIONS, n / CONVERSATIONS)
}

#[divan::bench]
fn modbus_in_order(bencher: Bencher<'_, '_>) {
    measure(bencher, |n| {
        let (host, at) = turn(n);
        tcp(host, 502, at * 12, &modbus(n))
    });
}

#[divan::bench]
fn modbus_every_second_pair_swapped(bencher: Bencher<'_, '_>) {
    measure(bencher, |n| {
        let (host, at) = turn(n);
        tcp(host, 502, (at ^ 1) * 12, &modbus(n))
    });
}

#[divan::bench]
fn modbus_messages_across_segments(bencher: Bencher<'_, '_>) {
    measure(bencher, |n| {
        let (host, at) = turn(n);
        let stream = [modbus(1), modbus(2)].concat();
        let from = (at * 9 % 12) as usize;
        tcp(host, 502, at * 9, &stream[from..from + 9])
    });
}

#[divan::bench]
fn encrypted_streams_nobody_reads(bencher: Bencher<'_, '_>) {
    measure(bencher, |n| {
        let (host, at) = turn(n);
        tcp(host, 9, at * 64, &[0xf5; 64])
    });
}

#[divan::bench]
fn flood_of_new_conversations(bencher: Bencher<'_, '_>) {
    measure(bencher, |n| ipv4(17, n, [n as u16, 9], &[0, 28, 0, 0, 0xf5, 0xf5, 0xf5, 0xf5]));
}
