//! Reading and judging a bundle of ten thousand addresses, and ATT&CK Enterprise where the data
//! pack is at hand: reading, judging alone, both object by object.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;

use divan::counter::ItemsCount;
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::{Bundle, StixId, build, stream, validate};

fn main() {
    divan::main();
    cpu_line();
}

const LIMITS: Limits = Limits { max_bytes: 64 << 20, max_values: 20_000_000, ..DEFAULT_LIMITS };

fn text() -> String {
    let objects = (0..10_000_u32).map(|n| build::ipv4_addr(n.into()).build()).collect();
    Bundle::new(&StixId::derived("bundle", uuid::Uuid::from_u128(7), "b"), objects).to_json()
}

/// ATT&CK Enterprise, unpacked; empty without the data pack.
fn attack() -> Vec<u8> {
    let root = std::env::var_os("SERENO_TEST_DATA").map(PathBuf::from).unwrap_or_default();
    let path = root.join("cti/attack/enterprise-attack-18.1-rebuilt.json.gz");
    if !path.is_file() {
        println!("skipped: no data pack (SERENO_TEST_DATA)");
        return Vec::new();
    }
    std::process::Command::new("gzip").arg("-dc").arg(path).output().unwrap().stdout
}

#[divan::bench]
fn read_and_validate(bencher: divan::Bencher<'_, '_>) {
    let text = text();
    bencher.counter(divan::counter::BytesCount::of_str(&text)).bench(|| {
        let bundle = Bundle::read(text.as_bytes(), LIMITS).unwrap();
        assert!(validate::bundle(&bundle).is_valid());
    });
}

#[divan::bench(sample_count = 10)]
fn attack_validate_alone(bencher: divan::Bencher<'_, '_>) {
    let Ok(bundle) = Bundle::read(&attack(), LIMITS) else { return };
    bencher
        .counter(ItemsCount::new(bundle.objects.len()))
        .bench(|| divan::black_box(validate::bundle(&bundle)));
}

#[divan::bench(sample_count = 5)]
fn attack_read_and_validate_streamed(bencher: divan::Bencher<'_, '_>) {
    let text = attack();
    bencher.bench(|| divan::black_box(stream::validate(text.as_slice(), LIMITS).ok()));
}

/// CPU seconds of the process, user and system, from the kernel's count of clock ticks.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn cpu_line() {
    const TIMES: usize = 20;
    let text = attack();
    let Ok(bundle) = Bundle::read(&text, LIMITS) else { return };
    let start = cpu_seconds();
    for _ in 0..TIMES {
        divan::black_box(validate::bundle(&bundle));
    }
    let used = (cpu_seconds() - start).max(0.01);
    let count = bundle.objects.len() * TIMES;
    println!("validation alone: {count} objects in {used:.2} CPU s, {:.0}/s", count as f64 / used);
    let start = cpu_seconds();
    divan::black_box(stream::validate(text.as_slice(), LIMITS).ok());
    let used = (cpu_seconds() - start).max(0.01);
    println!("streamed: {} objects in {used:.2} CPU s", bundle.objects.len());
}
