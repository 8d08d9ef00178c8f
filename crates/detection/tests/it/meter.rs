//! A made-up meter that reports to its server, window by window, and what can be done to it.

use std::path::Path;
use std::sync::Arc;

use analytics::host::Host;
use analytics::metrics::{COUNTS, Metric};
use analytics::record::{KeyCount, RECORD_VERSION, WindowRecord};
use axum::http::StatusCode;
use detection::Config;
use model::{AttackKind, Finding, Timestamp};
use platform::db::read_facts;
use ports::fake::FakeAssets;
use ports::{WindowBatch, WindowSink};
use serde_json::Value;

use crate::node::Node;

/// Length of a window.
pub(crate) const WINDOW_US: i64 = 10_000_000;
/// Start of the first window: 2026-01-05, a Monday.
const BEGIN_US: i64 = 1_767_571_200_000_000;

/// A small stream of draws; the same place gives the same number.
fn draw(device: u8, place: i64) -> f64 {
    let mut z = (place as u64 ^ (u64::from(device) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

pub(crate) fn host(text: &str) -> Host {
    text.parse().unwrap()
}

/// The window at a place: about 20 packets and 4 kB out, times `scale`.
pub(crate) fn window(device: u8, place: i64, scale: f64) -> WindowRecord {
    let mut record: WindowRecord = serde_json::from_value(serde_json::json!({
        "version": RECORD_VERSION,
        "device": format!("192.168.7.{device}"),
        "mac": format!("02:00:00:00:07:{device:02x}"),
        "start_us": BEGIN_US + place * WINDOW_US,
        "end_us": BEGIN_US + (place + 1) * WINDOW_US,
        "counts": vec![0; COUNTS], "keys": [], "overflow_packets": 0,
    }))
    .unwrap();
    let packets = (20.0 * (0.85 + 0.3 * draw(device, place))).round();
    let bytes = (packets * 200.0 * scale).round();
    for (metric, value) in [
        (Metric::PacketsOut, packets),
        (Metric::PacketsIn, (packets / 2.0).round()),
        (Metric::BytesOut, bytes),
        (Metric::BytesIn, (packets * 60.0).round()),
        (Metric::Peers, 1.0),
        (Metric::ServicePorts, 1.0),
        (Metric::MeanSizeOut, (bytes / packets).round()),
        (Metric::MeanSizeIn, 120.0),
    ] {
        record.counts[metric.index()] = value as u64;
    }
    let peer = host("198.51.100.5");
    record.keys = vec![KeyCount::new(peer, 6, 443, packets as u32)];
    record
}

/// Windows `from..to` of an everyday life.
pub(crate) fn life_of(device: u8, places: std::ops::Range<i64>) -> Vec<WindowRecord> {
    places.map(|place| window(device, place, 1.0)).collect()
}

/// The same window, with a few packets to somebody else as well.
pub(crate) fn meets(mut record: WindowRecord, peer: &str, port: u16) -> WindowRecord {
    record.keys.push(KeyCount::new(host(peer), 6, port, 3));
    record.counts[Metric::Peers.index()] += 1;
    record
}

/// Batches of an edge, numbered from `seq`.
pub(crate) fn batches(records: &[WindowRecord], seq: u64, size: usize) -> Vec<WindowBatch> {
    records
        .chunks(size)
        .zip(seq..)
        .map(|(records, seq)| WindowBatch {
            edge: "meter-gw".into(),
            epoch: 1,
            seq,
            complete_to: Timestamp::from_micros(records.last().unwrap().end_us),
            records: serde_json::to_value(records).unwrap(),
            devices: serde_json::Value::Null,
            operations: serde_json::Value::Null,
        })
        .collect()
}

/// Windows of the hour of learning, and of three hours of everyday life after it.
pub(crate) const LEARNED: i64 = 361;
/// Where those end.
pub(crate) const LIVED: i64 = LEARNED + 1_080;

/// Fits again every hour.
pub(crate) fn config() -> Config {
    Config {
        refit_every_s: 3_600,
        min_refit_windows: 100,
        max_kept_windows: 1_200,
        ..Config::default()
    }
}

/// A node with the edge's counter of batches.
pub(crate) struct Watch {
    pub(crate) node: Node,
    pub(crate) seq: u64,
}

impl Watch {
    pub(crate) async fn start(folder: &Path, assets: &Arc<FakeAssets>) -> Self {
        let node = Node::start(folder, assets, config()).await;
        let seq = node.detection.last_seq("meter-gw", 1).await.unwrap().unwrap_or(0);
        Self { node, seq }
    }

    pub(crate) async fn feed(&mut self, records: &[analytics::record::WindowRecord]) {
        for batch in batches(records, self.seq + 1, 60) {
            self.seq = batch.seq;
            self.node.detection.accept(batch).await.unwrap();
            self.settle().await;
        }
    }

    /// Waits until nothing is fitted and no durable work is due.
    pub(crate) async fn settle(&self) {
        self.node.settle().await;
        let busy = "SELECT COUNT(*) FROM platform_jobs WHERE state IN ('waiting', 'running')";
        while self.node.number(busy).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        self.node.settle().await;
    }

    pub(crate) async fn device(&self, place: usize) -> Value {
        let (_, page) = self.node.call("GET", "/api/v1/detection/devices").await;
        page["items"][place].clone()
    }

    pub(crate) async fn id(&self) -> String {
        self.device(0).await["device"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn versions(&self) -> Vec<Value> {
        let path = format!("/api/v1/detection/devices/{}/models", self.id().await);
        let (status, page) = self.node.call("GET", &path).await;
        assert_eq!(status, StatusCode::OK);
        page["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        platform::testing::call(self.node.detection.router(), true, method, path, &body).await
    }

    pub(crate) async fn facts(&self, kind: &'static str) -> usize {
        let mut connection = self.node.platform.db.read().await.unwrap();
        read_facts(&mut connection, 0, &[kind], 10_000).await.unwrap().len()
    }

    pub(crate) async fn findings_of(&self, kind: AttackKind) -> Vec<Finding> {
        self.node.findings().await.into_iter().filter(|f| f.kind == kind).collect()
    }
}
