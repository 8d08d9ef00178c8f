//! The room over week-long captures of noisy devices: how often it would wake somebody.

use std::path::PathBuf;
use std::sync::Arc;

use detection::Config;
use model::{AttackKind, Finding, Severity, Timestamp};
use ports::WindowSink;
use ports::fake::FakeAssets;

use crate::hakai::{batches, windows_of};
use crate::node::Node;

/// Files of a scenario, or nothing (with a message) where the data is not there.
fn files(name: &str) -> Option<[PathBuf; 2]> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection").join(name);
    if folder.is_dir() {
        return Some(["train.pcap.gz", "test.pcap.gz"].map(|file| folder.join(file)));
    }
    println!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
    None
}

struct Watched {
    findings: Vec<Finding>,
    days: f64,
}

async fn watch(files: &[PathBuf], device: &str, training_span_s: i64) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let config = Config { training_span_s, ..Config::default() };
    let node = Node::start(folder.path(), &assets, config).await;
    let records = windows_of(files, device);
    for batch in batches(&records, 1, 200) {
        node.detection.accept(batch).await.unwrap();
        // Half an hour of windows: in life a model is fitted again long before the next arrives.
        node.settle().await;
    }
    let findings = node.findings().await;
    for finding in &findings {
        println!(
            "{:?} {:?} {} windows, score {:.1}, {}..{}: {}",
            finding.severity,
            finding.kind,
            finding.windows,
            finding.score,
            finding.first_at,
            finding.last_at,
            finding.title
        );
    }
    let span_us = records.last().unwrap().end_us - records[0].start_us;
    let days = span_us as f64 / 86.4e9 - training_span_s as f64 / 86_400.0;
    Watched { findings, days }
}

/// The attack is found as what it is, and beside it nobody is woken more often than said.
async fn check(
    name: &str,
    device: &str,
    training_span_s: i64,
    attack_from: &str,
    woken_a_day: f64,
) {
    let Some(files) = files(name) else { return };
    let watched = watch(&files, device, training_span_s).await;
    let from: Timestamp = attack_from.parse().unwrap();
    let serious = |finding: &&Finding| finding.severity >= Severity::Medium;
    let attack =
        watched.findings.iter().filter(serious).find(|finding| {
            finding.kind == AttackKind::CommandAndControl && finding.last_at >= from
        });
    assert!(attack.is_some_and(|attack| attack.severity == Severity::High), "{name}: not found");
    let others = watched.findings.iter().filter(serious).count() - 1;
    println!(
        "{name}: {} findings, {others} serious ones beside the attack in {:.1} days",
        watched.findings.len(),
        watched.days
    );
    assert!(others as f64 <= woken_a_day * watched.days, "{name}: {others} false alarms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smart_lock_hub_learned_for_four_days() {
    check("lockly-hub-01", "192.168.1.128", 359_640, "2021-03-13T20:27:00Z", 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smart_lock_learned_for_four_days() {
    check("schlage-lock-01", "192.168.1.122", 359_460, "2021-03-13T20:26:00Z", 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smart_lock_hub_learned_for_one_hour() {
    check("lockly-hub-01", "192.168.1.128", 3_600, "2021-03-13T20:27:00Z", 2.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smart_lock_learned_for_one_hour() {
    check("schlage-lock-01", "192.168.1.122", 3_600, "2021-03-13T20:26:00Z", 2.0).await;
}
