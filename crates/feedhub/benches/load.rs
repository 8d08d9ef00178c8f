//! A list of addresses from bytes to kept durably, each once: indicators a CPU second and a second.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fmt::Write;
use std::time::Instant;

use feedhub::{Config, Feedhub, Format, NewFeed};

const ADDRESSES: u32 = 200_000;

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = [intel::MIGRATIONS, feedhub::MIGRATIONS];
    let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
    let room = Feedhub::open(&platform, Config::default()).unwrap();
    let new = NewFeed {
        name: "bench".into(),
        url: None,
        format: Format::Plain { kinds: vec!["ipv4".into()], value: 0, score: None },
        auth: feedhub::Auth::None,
        every_minutes: 60,
        tlp: stix::Tlp::Clear,
        licence: String::new(),
        whole: true,
    };
    let feed = room.add(new, None).await.unwrap();
    let mut text = String::new();
    for n in 0..ADDRESSES {
        // Public addresses in no order, one in ten twice.
        let n = if n % 10 == 9 { n - 1 } else { n };
        let _ = writeln!(
            text,
            "{}",
            std::net::Ipv4Addr::from(0x2000_0000 + n.wrapping_mul(2_654_435_761) % 0x4000_0000)
        );
    }
    for what in ["new", "known"] {
        let (start, cpu) = (Instant::now(), cpu_s());
        let counts = room.load(&feed, text.as_bytes()).await.unwrap();
        let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_s() - cpu);
        println!(
            "{what}: {} lines ({} new, {} known, {} twice): {:.0} a second, {:.0} a CPU second",
            counts.records,
            counts.new,
            counts.same,
            counts.duplicate,
            f64::from(ADDRESSES) / wall,
            f64::from(ADDRESSES) / cpu
        );
    }
}
