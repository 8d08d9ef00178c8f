//! The correlation view over many attributes: 2,000,000 named values (`VALUES`), a part of them held by far more objects
//! than a person can look at. What one object shares with others, what most name, and lookups; milliseconds.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use intel::{Batch, Prepared, Sight, Source, sources, values, write};
use platform::db::{Db, DbError};
use platform::system::{SystemClock, SystemRandom};
use serde_json::json;

/// Values of one indicator, and how many of them come from the crowd that many name.
const PER_OBJECT: u64 = 20;
const CROWDED: u64 = 5;
/// Values in the crowd.
const CROWD: u64 = 1_000;
/// Objects of one transaction.
const OBJECTS: u64 = 2_000;
/// Measurements of each question.
const ROUNDS: u64 = 200;

/// SplitMix64: the same values in every run.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Crowded values are drawn unevenly: the first are in nearly every object.
fn value(object: u64, place: u64) -> Ipv4Addr {
    let drawn = mixed(object * PER_OBJECT + place);
    let number = if place < CROWDED {
        let share = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
        (share.powi(4) * CROWD as f64) as u32
    } else {
        0x4000_0000 | (drawn as u32 & 0x3fff_ffff)
    };
    Ipv4Addr::from(0x0100_0000_u32.wrapping_add(number))
}

fn object(n: u64) -> Prepared {
    let list: Vec<String> = (0..PER_OBJECT).map(|p| format!("'{}'", value(n, p))).collect();
    let object = json!({"type": "indicator", "spec_version": "2.1",
        "id": format!("indicator--00000000-0000-4000-8000-{n:012x}"), "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2026-01-01T00:00:00.000Z", "pattern_type": "stix",
        "name": format!("report {n}"), "pattern": format!("[ipv4-addr:value IN ({})]", list.join(", "))});
    Prepared::new(&stix::Object::from_value(object).unwrap())
}

async fn fill(db: &Db, objects: u64) {
    let start = Instant::now();
    for from in (0..objects).step_by(OBJECTS as usize) {
        let batch: Vec<Prepared> = (from..(from + OBJECTS).min(objects)).map(object).collect();
        let put: Result<(), DbError> = db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let source = Source {
                        key: "bench".into(),
                        name: "bench".into(),
                        kind: "import".into(),
                        tlp: stix::Tlp::Clear,
                        licence: String::new(),
                    };
                    let source = sources::ensure(tx.sql(), &source, now_us).await?;
                    let objects = &batch;
                    let batch = Batch { source, unmarked: 0, collection: None, objects, now_us };
                    write::store(tx.sql(), &batch).await?;
                    Ok(())
                })
            })
            .await;
        put.unwrap();
    }
    let (named, s) = (objects * PER_OBJECT, start.elapsed().as_secs_f64());
    println!("{named} values named by {objects} objects, stored in {s:.1} s");
}

fn say(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!("{what:<44} {:>8.2} ms median {:>8.2} ms p99", at(0.5), at(0.99));
}

#[tokio::main]
async fn main() {
    let wanted = std::env::var("VALUES").ok().and_then(|text| text.parse().ok());
    let objects = wanted.unwrap_or(2_000_000_u64) / PER_OBJECT;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.db");
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let db = Db::open(&file, &[intel::MIGRATIONS], clock, random).await.unwrap();
    fill(&db, objects).await;
    let mut sql = db.read().await.unwrap();
    let (mut shared, mut crowded, mut rare) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let n = mixed(round) % objects;
        let id = object(n).id;
        let start = Instant::now();
        let node = intel::objects::node(&mut sql, &id).await.unwrap().unwrap();
        let found = values::named_by(&mut sql, node, Sight::ALL).await.unwrap();
        shared.push(start.elapsed());
        assert!(!found.is_empty());
        for (place, times) in [(0, &mut crowded), (PER_OBJECT - 1, &mut rare)] {
            let value = value(n, place).to_string();
            let start = Instant::now();
            let known = values::lookup(&mut sql, &value, Sight::ALL, i64::MAX).await.unwrap();
            times.push(start.elapsed());
            assert!(!known.is_empty());
        }
    }
    say("what one object shares with others", shared);
    say("lookup of a value that many name", crowded);
    say("lookup of a rare value", rare);
    let mut most = vec![];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert!(!values::most_held(&mut sql, 2, 500).await.unwrap().is_empty());
        most.push(start.elapsed());
    }
    say("the 500 values that most name", most);
    let size = std::fs::metadata(&file).unwrap().len() >> 20;
    println!("database {size} MiB");
}
