//! How fast feeds are read, values judged, texts looked through and lists asked.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::ops::ControlFlow;

use divan::counter::{BytesCount, ItemsCount};
use feeds::csv::{Column, Csv};
use feeds::extract::{Entry, LIMITS, NameKind, Names, extract};
use feeds::json::{Field, Json, Layout};
use feeds::plain::Plain;
use feeds::record::{DEFAULT_LIMITS, Item};
use feeds::value::Observable;
use feeds::warninglist::{Matcher, Matching, Warninglist, shipped};
use feeds::{Seen, csv, json, plain};

fn main() {
    divan::main();
}

const RECORDS: u32 = 100_000;

/// One address, name, URL, digest in turn.
fn value(n: u32) -> String {
    match n % 4 {
        0 => std::net::Ipv4Addr::from(n.wrapping_mul(2_654_435_761)).to_string(),
        1 => format!("host{n}.example.com"),
        2 => format!("http://host{n}.example.net/path/{n}?q=1"),
        _ => format!("{:064x}", u128::from(n) * 0x9e37_79b9_7f4a_7c15),
    }
}

fn discard(item: Item) -> ControlFlow<()> {
    divan::black_box(item);
    ControlFlow::Continue(())
}

#[divan::bench]
fn plain_records(bencher: divan::Bencher<'_, '_>) {
    let text: String = (0..RECORDS).map(|n| value(n) + "\t3\n").collect();
    let format = Plain { score: Some(1), ..Plain::default() };
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| {
        let summary = plain::read(text.as_bytes(), &format, DEFAULT_LIMITS, &mut discard);
        assert_eq!(summary.counts.records, u64::from(RECORDS));
    });
}

#[divan::bench]
fn plain_records_deduplicated(bencher: divan::Bencher<'_, '_>) {
    let text: String = (0..RECORDS).map(|n| value(n / 2) + "\n").collect();
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| {
        let mut seen = Seen::new(1_000_000);
        let mut sink = |item: Item| {
            if let Item::Record(record) = item {
                seen.insert(&record.observable).unwrap();
            }
            ControlFlow::Continue(())
        };
        plain::read(text.as_bytes(), &Plain::default(), DEFAULT_LIMITS, &mut sink);
        assert!(seen.len() > 40_000);
    });
}

#[divan::bench]
fn csv_records(bencher: divan::Bencher<'_, '_>) {
    let mut text = String::from("when,value,score,comment,tags\n");
    for n in 0..RECORDS {
        writeln!(text, "2026-01-01,\"{}\",75,\"a, b\",\"x;y\"", value(n)).unwrap();
    }
    let named = |name: &str| Column::Named(name.into());
    let format = Csv {
        header: true,
        value: named("value"),
        score: Some(named("score")),
        remark: Some(named("comment")),
        first_seen: Some(named("when")),
        tags: Some(named("tags")),
        ..Csv::default()
    };
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| {
        let summary = csv::read(text.as_bytes(), &format, DEFAULT_LIMITS, &mut discard);
        assert_eq!(summary.counts.records, u64::from(RECORDS));
    });
}

#[divan::bench]
fn json_records(bencher: divan::Bencher<'_, '_>) {
    let mut text = String::from("{\"data\":[");
    for n in 0..RECORDS {
        let comma = if n == 0 { "" } else { "," };
        write!(text, "{comma}{{\"value\":\"{}\",\"score\":75,\"tags\":[\"x\"]}}", value(n))
            .unwrap();
    }
    text.push_str("]}");
    let format = Json {
        layout: Layout::Path("/data/*".into()),
        value: Field::at("/value"),
        score: Some(Field::at("/score")),
        tags: Some(Field::at("/tags")),
        ..Json::default()
    };
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| {
        let summary = json::read(text.as_bytes(), &format, DEFAULT_LIMITS, &mut discard);
        assert_eq!(summary.counts.records, u64::from(RECORDS));
    });
}

#[divan::bench(args = ["203.0.113.7", "www.shop.example.com", "http://cdn.example.net/a/b/c?d=e", "8.8.8.8"])]
fn warninglists(bencher: divan::Bencher<'_, '_>, text: &str) {
    let (matcher, _) = Matcher::new(&shipped().unwrap()).unwrap();
    let observable = Observable::classify(text).unwrap();
    bencher.bench(|| matcher.lists(divan::black_box(&observable)));
}

/// A hundred lists of every kind, ten thousand entries each where the kind is cheap, and a hundred thousand values.
#[divan::bench]
fn a_hundred_warninglists(bencher: divan::Bencher<'_, '_>) {
    let lists: Vec<Warninglist> = (0..100_u32)
        .map(|n| {
            let (matching, entries) = match n % 5 {
                0 => (Matching::String, 10_000),
                1 => (Matching::Hostname, 10_000),
                2 => (Matching::Cidr, 10_000),
                3 => (Matching::Substring, 100),
                _ => (Matching::Regex, 5),
            };
            let entry = |at: u32| {
                let seed = n * 1_000_003 + at * 7_919;
                match matching {
                    Matching::String => value(seed),
                    Matching::Hostname => format!("list{seed}.example.org"),
                    Matching::Cidr => {
                        let address = std::net::Ipv4Addr::from(seed.wrapping_mul(2_654_435_761));
                        format!("{address}/{}", 20 + at % 13)
                    }
                    Matching::Substring => format!("part-{seed}-of"),
                    Matching::Regex => format!("/^host{seed}\\.[a-z]+$/"),
                }
            };
            Warninglist {
                name: format!("list {n}"),
                description: String::new(),
                version: 1,
                matching,
                matching_attributes: vec![],
                list: (0..entries).map(entry).collect(),
            }
        })
        .collect();
    let (matcher, _) = Matcher::new(&lists).unwrap();
    let values: Vec<Observable> =
        (0..RECORDS).map(|n| Observable::classify(&value(n)).unwrap()).collect();
    bencher.counter(ItemsCount::new(RECORDS)).bench(|| {
        values.iter().map(|one| matcher.lists(divan::black_box(one)).len()).sum::<usize>()
    });
}

#[divan::bench]
fn report_of_ten_megabytes(bencher: divan::Bencher<'_, '_>) {
    let report = include_str!("../tests/fixtures/report.txt");
    let text = report.repeat((10 << 20) / report.len());
    let entry = |n: u32| Entry {
        kind: NameKind::Software,
        id: format!("S{n:04}"),
        names: vec![format!("Name{n}"), format!("Other Name {n}")],
        withdrawn: false,
    };
    let names = Names::new((0..2_000).map(entry).collect()).unwrap();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| extract(&text, Some(&names), LIMITS).unwrap().candidates.len());
}
