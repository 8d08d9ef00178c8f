//! Packets per CPU second and memory of a whole pass: decode, windows, conversations, all parsers.
//!
//!     cargo run --release -p analytics --example pass -- CAPTURE [read|decode|windows|flow|all]
//!     cargo run --release -p analytics --example pass -- --devices 10000
//!
//! `read` only reads the frames, `decode` takes them apart as well, `windows` and `flow` add windows
//! or conversations with all parsers, `all` (the default) adds both, and counts the messages in the
//! windows. With `--devices` that many
//! devices are made up, each with seven conversations that stay open. What was found is printed, so
//! that nothing can be left out.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use analytics::windows::{WindowConfig, Windower};
use protocols::capture::CaptureStream;
use protocols::flow::Tracker;
use protocols::packet::{LinkType, PacketView, decode};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Time of the first made-up packet.
const START_NS: i64 = 1_700_000_000_000_000_000;

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

struct Pass {
    windower: Option<Windower>,
    tracker: Option<Tracker>,
    packets: u64,
    bytes: u64,
    windows: u64,
    told: u64,
    operations: u64,
}

impl Pass {
    fn of(stage: &str) -> Outcome<Self> {
        let windows = matches!(stage, "windows" | "all");
        let flow = matches!(stage, "flow" | "all");
        if !windows && !flow && !matches!(stage, "read" | "decode") {
            return Err(format!("no stage {stage:?}: read, decode, windows, flow or all").into());
        }
        let windower = if windows { Some(Windower::new(WindowConfig::default())?) } else { None };
        Ok(Self {
            windower,
            tracker: flow.then(Tracker::default),
            packets: 0,
            bytes: 0,
            windows: 0,
            told: 0,
            operations: 0,
        })
    }

    fn take(&mut self, ts_ns: i64, packet: &PacketView<'_>) {
        self.bytes += u64::from(packet.payload_len);
        if let Some(windower) = &mut self.windower {
            windower.push(ts_ns, packet);
            if windower.has_ready() {
                windower.drain(|_| self.windows += 1);
            }
        }
        if let Some(tracker) = &mut self.tracker {
            tracker.push(ts_ns, packet, &mut |sighting| {
                self.told += 1;
                if let Some(windower) = &mut self.windower {
                    windower.hear(sighting);
                }
                sighting.record.operations(&mut |_| self.operations += 1);
            });
        }
    }

    fn report(mut self) {
        let open = self.tracker.as_ref().map(Tracker::stats);
        if let Some(windower) = &mut self.windower {
            let stats = windower.stats();
            println!("heard        {}, late {}", stats.messages, stats.late_messages);
            windower.finish();
            windower.drain(|_| self.windows += 1);
        }
        if let Some(tracker) = &mut self.tracker {
            tracker.finish(&mut |_| self.told += 1);
        }
        println!("packets      {}", self.packets);
        println!("bytes        {}", self.bytes);
        println!("windows      {}", self.windows);
        println!("messages     {}, operations {}", self.told, self.operations);
        if let Some((seconds, kib)) = used() {
            let rate = self.packets as f64 / seconds.max(0.01) / 1e6;
            println!("CPU seconds  {seconds:.2} ({rate:.2} million packets per CPU second)");
            println!("memory       {:.1} MiB", kib as f64 / 1024.0);
        }
        if let Some(stats) = open {
            println!("{stats:#?}");
        }
    }
}

fn run() -> Outcome<()> {
    let usage = "usage: pass CAPTURE [read|decode|windows|flow|all] | pass --devices N";
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().ok_or(usage)?;
    let second = arguments.next();
    if first == "--devices" {
        let mut pass = Pass::of("all")?;
        devices(&mut pass, second.and_then(|count| count.parse().ok()).ok_or(usage)?)?;
        pass.report();
        return Ok(());
    }
    let stage = second.unwrap_or_else(|| "all".to_owned());
    let mut pass = Pass::of(&stage)?;
    let mut stream = CaptureStream::new(std::fs::File::open(&first)?);
    while let Some(Ok(frame)) = stream.next_frame() {
        pass.packets += 1;
        if stage == "read" {
            pass.bytes += u64::from(frame.wire_len);
        } else if let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) {
            pass.take(frame.ts_ns, &packet);
        }
    }
    pass.report();
    Ok(())
}

/// Each device speaks Modbus with six controllers, half a message waiting, and looks up a name.
fn devices(pass: &mut Pass, count: u32) -> Outcome<()> {
    const WRITE: [u8; 18] = [0, 1, 0, 0, 0, 6, 1, 6, 0, 4, 0, 7, 0, 2, 0, 0, 0, 6];
    const TCP: [u8; 16] = [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0];
    const QUESTION: [u8; 24] = *b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x06sereno\0\0\x01\0\x01";
    let mut ts_ns = START_NS;
    for round in 0..7_u8 {
        for device in 0..count {
            ts_ns += 1_000_000;
            let (protocol, port, head, data): (u8, u16, &[u8], &[u8]) = if round == 6 {
                (17, 53, &[0, 32, 0, 0], &QUESTION)
            } else {
                (6, 502, &TCP, &WRITE)
            };
            let mut frame = vec![2, 0, 0, 0, 0, round, 2, 1];
            frame.extend(device.to_be_bytes());
            frame.extend([8, 0, 0x45, 0]);
            frame.extend(u16::try_from(24 + head.len() + data.len())?.to_be_bytes());
            frame.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
            frame.extend((0x0a00_0000 + device).to_be_bytes());
            frame.extend([10, 255, 0, round]);
            frame.extend([0x9c, 0x40]);
            frame.extend(port.to_be_bytes());
            frame.extend(head);
            frame.extend(data);
            let wire_len = u32::try_from(frame.len())?;
            pass.packets += 1;
            pass.take(ts_ns, &decode(LinkType::ETHERNET, &frame, wire_len)?);
        }
    }
    Ok(())
}
