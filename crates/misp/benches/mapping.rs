//! Attributes to STIX and back; `tools/peers/misp-stix.sh` prints the peer's figures beside them.
#![allow(missing_docs, clippy::unwrap_used)]

use misp::{document, from_stix, to_stix};
use serde_json::{Value, json};

const ATTRIBUTES: u32 = 10_000;

fn main() {
    divan::main();
}

fn event() -> Value {
    let attributes: Vec<Value> = (0..ATTRIBUTES)
        .map(|n| {
            let (kind, value) = match n % 5 {
                0 => ("ip-dst", std::net::Ipv4Addr::from(0xc633_6400 + n).to_string()),
                1 => ("domain", format!("h{n}.example")),
                2 => ("sha256", format!("{n:064x}")),
                3 => ("url", format!("https://h{n}.example/a")),
                _ => ("filename|md5", format!("f{n}.exe|{n:032x}")),
            };
            json!({"uuid": format!("{n:08x}-0000-4000-8000-000000000001"), "type": kind, "value": value, "to_ids": true,
                "category": "Network activity", "timestamp": "1603642920", "comment": "seen", "distribution": "5",
                "Tag": [{"name": "tlp:green"}]})
        })
        .collect();
    json!({"Event": {"uuid": "a6ef17d6-91cb-4a05-b10b-2f045daf874c", "info": "bench", "timestamp": "1603642920",
        "Orgc": {"uuid": "a0c22599-9e58-4da4-96ac-7051603fa951", "name": "Bench"}, "Attribute": attributes}})
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn to(bencher: divan::Bencher<'_, '_>) {
    let document = document::from_value(event()).unwrap();
    bencher
        .counter(divan::counter::ItemsCount::new(ATTRIBUTES))
        .with_inputs(|| document.clone())
        .bench_values(|document| to_stix::convert(document, to_stix::Options::default()));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn back(bencher: divan::Bencher<'_, '_>) {
    let document = document::from_value(event()).unwrap();
    let bundle = to_stix::convert(document, to_stix::Options::default()).bundle;
    bencher
        .counter(divan::counter::ItemsCount::new(ATTRIBUTES))
        .with_inputs(|| bundle.clone())
        .bench_values(from_stix::convert);
}
