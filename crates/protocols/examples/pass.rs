//! Packets per CPU second and memory of a whole pass: decode, windows, conversations, all parsers.
//!
//!     cargo run --release -p protocols --example pass -- CAPTURE [read|decode|flow]
//!
//! Each stage includes those before it; `flow` is the default. What the parsers found is printed, so
//! that nothing can be left out.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use protocols::capture::CaptureStream;
use protocols::flow::Tracker;
use protocols::packet::decode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pass: {error}");
            ExitCode::from(3)
        }
    }
}

/// CPU seconds this process used so far, and its most resident KiB.
fn used() -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some((ticks / 100.0, peak.split_whitespace().next()?.parse().ok()?))
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: pass CAPTURE [read|decode|flow]")?;
    let stage = arguments.next().unwrap_or_else(|| "flow".to_owned());
    let mut stream = CaptureStream::new(std::fs::File::open(&path)?);
    let mut tracker = Tracker::default();
    let (mut packets, mut bytes, mut told, mut operations) = (0_u64, 0_u64, 0_u64, 0_u64);
    while let Some(Ok(frame)) = stream.next_frame() {
        packets += 1;
        if stage == "read" {
            bytes += u64::from(frame.wire_len);
            continue;
        }
        let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) else { continue };
        bytes += u64::from(packet.payload_len);
        if stage == "decode" {
            continue;
        }
        tracker.push(frame.ts_ns, &packet, &mut |sighting| {
            told += 1;
            sighting.record.operations(&mut |_| operations += 1);
        });
    }
    tracker.finish(&mut |_| told += 1);
    println!("packets      {packets}");
    println!("bytes        {bytes}");
    println!("messages     {told}, operations {operations}");
    if let Some((seconds, kib)) = used() {
        println!("CPU seconds  {seconds:.2}");
        println!("packets / CPU second  {:.2} million", packets as f64 / seconds.max(0.01) / 1e6);
        println!("memory       {:.1} MiB", kib as f64 / 1024.0);
    }
    println!("{:#?}", tracker.stats());
    Ok(())
}
