//! Reading patterns, evaluating them, and looking values up in a million indicators.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::sync::LazyLock;

use divan::{Bencher, black_box, counter::ItemsCount};
use serde_json::{Value, json};
use stix::pattern::index::Index;
use stix::pattern::live::Live;
use stix::pattern::{Matcher, Observed, Pattern};

fn main() {
    let index = &*MILLION;
    println!("index: {} values, {:.1} MB", index.len(), index.bytes() as f64 / 1e6);
    divan::main();
}

/// As indicators are: mostly one value, some sets, some of several parts.
fn mix() -> Vec<String> {
    (0..1_000)
        .map(|n| match n % 10 {
            0..4 => format!("[ipv4-addr:value = '198.51.{}.{}']", n / 256, n % 256),
            4..6 => format!("[domain-name:value = 'host{n}.example']"),
            6 => format!("[file:hashes.'SHA-256' = '{n:064x}']"),
            7 => format!("[url:value = 'https://host{n}.example/path/{n}?q=1']"),
            8 => format!(
                "[file:name = 'a{n}.exe' AND file:size > {n} OR file:hashes.MD5 = '{n:032x}']"
            ),
            _ => format!(
                "([ipv4-addr:value IN ('10.0.0.{}', '10.0.1.1')] FOLLOWEDBY \
                 [network-traffic:dst_port = 23]) WITHIN 300 SECONDS",
                n % 256
            ),
        })
        .collect()
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let mix = mix();
    bencher.counter(ItemsCount::new(mix.len())).bench(|| {
        for text in &mix {
            let _ = black_box(Pattern::parse(black_box(text)).unwrap());
        }
    });
}

fn observation() -> Value {
    json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "198.51.100.7"},
        {"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1", "dst_port": 23,
         "protocols": ["ipv4", "tcp"]},
        {"type": "observed-data", "id": "observed-data--1", "number_observed": 1,
         "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:01Z",
         "object_refs": ["ipv4-addr--1", "network-traffic--1"]}]})
}

#[divan::bench]
fn evaluate(bencher: Bencher<'_, '_>) {
    let data = [observation()];
    let observed = Observed::read(&data).unwrap();
    let matchers: Vec<Matcher> =
        mix().iter().map(|text| Matcher::new(&Pattern::parse(text).unwrap()).unwrap()).collect();
    bencher.counter(ItemsCount::new(matchers.len())).bench(|| {
        for matcher in &matchers {
            let _ = black_box(matcher.matches(black_box(&observed)).unwrap());
        }
    });
}

static MILLION: LazyLock<Index> = LazyLock::new(|| {
    let index = Index::default();
    for n in 0..1_000_000_u64 {
        let (path, value) = value(n);
        index.insert_value(n, path, &value);
    }
    index
});

fn value(n: u64) -> (&'static str, String) {
    match n % 4 {
        0 | 1 => (
            "ipv4-addr:value",
            std::net::Ipv4Addr::from(u32::try_from(n * 4_099 % 0xffff_ffff).unwrap()).to_string(),
        ),
        2 => ("domain-name:value", format!("host{n}.some-zone.example")),
        _ => ("file:hashes.'SHA-256'", format!("{n:064x}")),
    }
}

/// Values of one sample: few, so that most samples end before the processor is given to somebody else.
const SAMPLE: usize = 1_000;

fn lookups(bencher: Bencher<'_, '_>, from: u64) {
    let index = &*MILLION;
    // In an order that no cache expects; each sample asks for others.
    let values: Vec<_> = (0..100_000_u64).map(|n| value(from + n * 7_919 % 1_000_000)).collect();
    let mut samples = values.chunks(SAMPLE).cycle();
    bencher
        .with_inputs(|| samples.next().unwrap_or_default())
        .input_counter(|values| ItemsCount::new(values.len()))
        .bench_local_values(|values| {
            let mut found = 0_u64;
            for (path, value) in values {
                index.lookup(path, value, |handle| found += handle);
            }
            black_box(found)
        });
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn look_up_what_is_there(bencher: Bencher<'_, '_>) {
    lookups(bencher, 0);
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn look_up_what_is_not_there(bencher: Bencher<'_, '_>) {
    lookups(bencher, 2_000_000);
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn look_up_all_of_what_is_there(bencher: Bencher<'_, '_>) {
    let index = &*MILLION;
    let values: Vec<_> = (0..100_000_u64).map(|n| value(n * 7_919 % 1_000_000)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(p, v)| (*p, v.as_str())).collect();
    let mut samples = values.chunks(SAMPLE).cycle();
    bencher
        .with_inputs(|| samples.next().unwrap_or_default())
        .input_counter(|values| ItemsCount::new(values.len()))
        .bench_local_values(|values| {
            let mut found = 0_u64;
            index.lookup_all(values, |_, handle| found += handle);
            black_box(found)
        });
}

/// Ranges of eight lengths: an address is asked for once in each of them.
#[divan::bench]
fn look_up_in_ten_thousand_ranges(bencher: Bencher<'_, '_>) {
    let index = Index::default();
    for n in 0..10_000_u32 {
        let prefix = 16 + n % 8;
        let address =
            std::net::Ipv4Addr::from(n.wrapping_mul(429_497) & (u32::MAX << (32 - prefix)));
        let text = format!("[ipv4-addr:value ISSUBSET '{address}/{prefix}']");
        index.insert(u64::from(n), &Pattern::parse(&text).unwrap()).unwrap();
    }
    let values: Vec<String> = (0..10_000_u32)
        .map(|n| std::net::Ipv4Addr::from(n.wrapping_mul(2_654_435_761)).to_string())
        .collect();
    bencher.counter(ItemsCount::new(values.len())).bench(|| {
        let mut found = 0_u64;
        for value in &values {
            index.lookup("ipv4-addr:value", value, |_| found += 1);
        }
        black_box(found)
    });
}

/// Read by one thread while another inserts and removes without a pause.
#[divan::bench]
fn look_up_while_it_is_changed(bencher: Bencher<'_, '_>) {
    let index = &*MILLION;
    let done = &std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0.. {
                let text = format!("[domain-name:value = 'new{}.example']", n % 50_000);
                let pattern = Pattern::parse(&text).unwrap();
                index.insert(2_000_000 + n, &pattern).unwrap();
                index.remove(2_000_000 + n, &pattern);
                if done.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
            }
        });
        lookups(bencher, 0);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Which of a thousand patterns match one observation, through the index: only those that can are evaluated.
#[divan::bench]
fn find_among_a_thousand(bencher: Bencher<'_, '_>) {
    let index = Index::default();
    for (handle, text) in (0..).zip(mix()) {
        index.insert(handle, &Pattern::parse(&text).unwrap()).unwrap();
    }
    let data = [observation()];
    let observed = Observed::read(&data).unwrap();
    bencher.bench(|| black_box(index.matching(black_box(&observed)).unwrap()));
}

/// One observation against a hundred patterns of two parts each, watched for over time.
#[divan::bench]
fn watch_for_a_hundred(bencher: Bencher<'_, '_>) {
    let mut live = Live::default();
    for n in 0..100 {
        let text = format!(
            "([ipv4-addr:value = '198.51.100.{n}'] FOLLOWEDBY [url:value = 'x']) WITHIN 60 SECONDS"
        );
        live.watch(n, &Pattern::parse(&text).unwrap()).unwrap();
    }
    let bundle = [observation()];
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| black_box(live.observe(&bundle, i64::MAX).unwrap()));
}
