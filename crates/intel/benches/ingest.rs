//! From a file of ATT&CK to stored durably (synchronous FULL), validated and searchable: CPU seconds of the whole
//! process, and where they go. Needs `SERENO_TEST_DATA`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use intel::{Batch, Prepared, Put, Source, write};
use platform::db::{Db, DbError};
use platform::system::{SystemClock, SystemRandom};

/// Objects of one transaction.
const OBJECTS: usize = 2_048;

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

#[tokio::main]
async fn main() {
    let Some(data) = std::env::var_os("SERENO_TEST_DATA") else {
        println!("skipped: SERENO_TEST_DATA is not set");
        return;
    };
    let path =
        std::path::Path::new(&data).join("cti/attack/enterprise-attack-18.1-rebuilt.json.gz");
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(
        &folder.path().join("bench.db"),
        &[intel::MIGRATIONS],
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
    )
    .await
    .unwrap();
    let (start, start_cpu) = (Instant::now(), cpu_s());
    let mut lap = start_cpu;
    let mut say = |what: &str| {
        let now = cpu_s();
        println!("{what:<28} {:>6.2} CPU s", now - lap);
        lap = now;
    };
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut text)
        .unwrap();
    say("unpack");
    let limits = stix::json::Limits {
        max_bytes: 256 << 20,
        max_values: 20_000_000,
        ..stix::json::DEFAULT_LIMITS
    };
    let bundle = stix::Bundle::from_value(stix::json::read(&text, limits).unwrap()).unwrap();
    say("read");
    let valid = bundle.objects.iter().filter(|o| stix::validate::object(o).is_valid()).count();
    say("validate");
    let prepared: Vec<Prepared> = bundle.objects.iter().map(Prepared::new).collect();
    say("take apart");
    let new = keep(&db, &prepared).await;
    say("store, index, commit");
    println!(
        "{new} of {} objects new, {valid} valid: {:.2} CPU s, {:.2} s",
        prepared.len(),
        cpu_s() - start_cpu,
        start.elapsed().as_secs_f64()
    );
}

/// Stores everything, a transaction at a time; how many were new.
async fn keep(db: &Db, prepared: &[Prepared]) -> usize {
    let source = Source {
        key: "knowledge:attack".into(),
        name: "ATT&CK".into(),
        kind: "knowledge".into(),
        tlp: stix::Tlp::Clear,
        licence: String::new(),
    };
    let mut new = 0;
    for chunk in prepared.chunks(OBJECTS) {
        let (chunk, source) = (chunk.to_vec(), source.clone());
        let puts: Result<Vec<Put>, DbError> = db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let id = intel::sources::ensure(tx.sql(), &source, now_us).await?;
                    let batch = Batch {
                        source: id,
                        unmarked: 0,
                        collection: None,
                        objects: &chunk,
                        now_us,
                    };
                    write::store(tx.sql(), &batch).await
                })
            })
            .await;
        new += puts.unwrap().iter().filter(|put| **put == Put::New).count();
    }
    new
}
