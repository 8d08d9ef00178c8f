//! Frames per second: reading a capture, reading and decoding it.
//!
//! The capture is made here: one part each of TCP with options, UDP, ARP, IPv6 and VLAN-tagged
//! frames, in the sizes a segment of devices sends. With `SERENO_BENCH_CAPTURE` set to a file (see
//! the example `bench_capture`) that one is measured as well.

#![allow(clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use protocols::capture::{CaptureReader, CaptureStream, CaptureWriter, WriterOptions};
use protocols::packet::{Transport, decode};

const FRAMES: u32 = 200_000;

fn main() {
    divan::main();
}

fn ipv4(protocol: u8, host: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend(((20 + payload.len()) as u16).to_be_bytes());
    bytes.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, host, 10, 0, 1, 1]);
    bytes.extend(payload);
    bytes
}

fn frame(index: u32) -> Vec<u8> {
    let host = index as u8;
    let body = vec![0x55; (index as usize * 37) % 600];
    let mut udp = vec![0x30, host, 0, 53];
    udp.extend(((8 + body.len()) as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(&body);
    let mut tcp = vec![0xc0, host, 1, 0xf6, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x18, 1, 0, 0, 0, 0, 0];
    tcp.extend([1; 12]);
    tcp.extend(&body);
    let (kind, packet): (&[u8], Vec<u8>) = match index % 8 {
        0..=3 => (&[8, 0], ipv4(6, host, &tcp)),
        4 | 5 => (&[8, 0], ipv4(17, host, &udp)),
        6 => (&[0x81, 0, 0, 7, 8, 0], ipv4(17, host, &udp)),
        _ => {
            let mut ip6 = vec![0x60, 0, 0, 0];
            ip6.extend((udp.len() as u16).to_be_bytes());
            ip6.extend([17, 64]);
            ip6.extend([0xfd; 15]);
            ip6.push(host);
            ip6.extend([0xfd; 16]);
            ip6.extend(&udp);
            (&[0x86, 0xdd], ip6)
        }
    };
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, host], kind, &packet].concat()
}

fn capture() -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for index in 0..FRAMES {
        let bytes = frame(index);
        writer.write(i64::from(index) * 1_000_000, &bytes, bytes.len() as u32).unwrap();
    }
    writer.finish().unwrap()
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let file = capture();
    bencher.counter(ItemsCount::new(FRAMES)).counter(BytesCount::new(file.len())).bench_local(
        || CaptureReader::new(&file).map(|f| u64::from(f.unwrap().wire_len)).sum::<u64>(),
    );
}

#[divan::bench]
fn read_stream(bencher: Bencher<'_, '_>) {
    let file = capture();
    bencher.counter(ItemsCount::new(FRAMES)).counter(BytesCount::new(file.len())).bench_local(
        || {
            let mut stream = CaptureStream::new(file.as_slice());
            let mut sum = 0_u64;
            while let Some(frame) = stream.next_frame() {
                sum += u64::from(frame.unwrap().wire_len);
            }
            sum
        },
    );
}

/// Sums something of every layer, so that no part of the decoding can be left out.
fn decode_all(file: &[u8]) -> u64 {
    CaptureReader::new(file)
        .map(|frame| {
            let frame = frame.unwrap();
            let view = decode(frame.link, frame.captured, frame.wire_len);
            let Ok(view) = divan::black_box(view) else { return 0 };
            let port = match view.transport {
                Transport::Tcp { dst_port, .. } | Transport::Udp { dst_port, .. } => dst_port,
                _ => 0,
            };
            u64::from(port) + view.payload.len() as u64
        })
        .sum()
}

#[divan::bench]
fn read_and_decode(bencher: Bencher<'_, '_>) {
    let file = capture();
    bencher
        .counter(ItemsCount::new(FRAMES))
        .counter(BytesCount::new(file.len()))
        .bench_local(|| decode_all(&file));
}

#[divan::bench(sample_count = 10)]
fn read_and_decode_file(bencher: Bencher<'_, '_>) {
    let file = std::env::var_os("SERENO_BENCH_CAPTURE").map(|path| std::fs::read(path).unwrap());
    // Without a file the shortest capture is measured: a benchmark cannot be skipped.
    let file = file.unwrap_or_else(|| {
        CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap().finish().unwrap()
    });
    let frames = CaptureReader::new(&file).count();
    bencher
        .counter(ItemsCount::new(frames))
        .counter(BytesCount::new(file.len()))
        .bench_local(|| decode_all(&file));
}
