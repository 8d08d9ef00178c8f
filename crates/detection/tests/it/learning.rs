//! Learning in operation, as the edges, the console and a thief see it.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use detection::Config;
use model::event::{FindingGrouped, FindingRaised, IncidentOpened, ModelChanged, Payload};
use model::id::TypedId;
use model::{
    AttackKind, Finding, Incident, IncidentId, IncidentReport, IncidentState, Severity, Timestamp,
    Tlp,
};
use platform::db::{DbError, read_facts};
use ports::WindowSink;
use ports::fake::FakeAssets;
use serde_json::{Value, json};

use crate::meter::{batches, life_of, meets, window};
use crate::node::{Node, life};

fn config() -> Config {
    Config {
        refit_every_s: 3_600,
        min_refit_windows: 100,
        max_kept_windows: 1_200,
        ..Config::default()
    }
}

/// A node with the edge's counter of batches.
struct Watch {
    node: Node,
    seq: u64,
}

impl Watch {
    async fn start(folder: &Path, assets: &Arc<FakeAssets>) -> Self {
        let node = Node::start(folder, assets, config()).await;
        let seq = node.detection.last_seq("meter-gw", 1).await.unwrap().unwrap_or(0);
        Self { node, seq }
    }

    async fn feed(&mut self, records: &[analytics::record::WindowRecord]) {
        for batch in batches(records, self.seq + 1, 60) {
            self.seq = batch.seq;
            self.node.detection.accept(batch).await.unwrap();
            self.settle().await;
        }
    }

    /// Waits until nothing is fitted and no durable work is due.
    async fn settle(&self) {
        self.node.settle().await;
        let busy = "SELECT COUNT(*) FROM platform_jobs WHERE state IN ('waiting', 'running')";
        while self.node.number(busy).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        self.node.settle().await;
    }

    async fn device(&self, place: usize) -> Value {
        let (_, page) = self.node.call("GET", "/api/v1/detection/devices").await;
        page["items"][place].clone()
    }

    async fn id(&self) -> String {
        self.device(0).await["device"].as_str().unwrap().to_owned()
    }

    async fn versions(&self) -> Vec<Value> {
        let path = format!("/api/v1/detection/devices/{}/models", self.id().await);
        let (status, page) = self.node.call("GET", &path).await;
        assert_eq!(status, StatusCode::OK);
        page["items"].as_array().unwrap().clone()
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        platform::testing::call(self.node.detection.router(), true, method, path, &body).await
    }

    async fn facts(&self, kind: &'static str) -> usize {
        let mut connection = self.node.platform.db.read().await.unwrap();
        read_facts(&mut connection, 0, &[kind], 10_000).await.unwrap().len()
    }

    async fn findings_of(&self, kind: AttackKind) -> Vec<Finding> {
        self.node.findings().await.into_iter().filter(|f| f.kind == kind).collect()
    }
}

/// An hour of learning and three hours of everyday life.
const LEARNED: i64 = 361;
const LIVED: i64 = LEARNED + 1_080;

#[tokio::test(flavor = "multi_thread")]
async fn models_have_versions_that_are_signed_compared_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LIVED)).await;
    let versions = watch.versions().await;
    println!("{}", serde_json::to_string_pretty(&versions).unwrap());
    assert!(versions.len() >= 2, "fitted again at least once");
    assert!(versions.iter().all(|version| version["signature_valid"] == true));
    assert_eq!(versions.iter().filter(|version| version["state"] == "active").count(), 1);
    let active = versions.iter().find(|version| version["state"] == "active").unwrap();
    assert!(active["version"].as_i64().unwrap() > 1, "the newer one is in use");
    let scored: i64 = versions.iter().map(|v| v["windows_scored"].as_i64().unwrap()).sum();
    assert_eq!(scored, watch.node.number("SELECT scored FROM detection_devices").await);
    assert!(watch.facts(ModelChanged::KIND).await >= 1);

    let id = watch.id().await;
    let compare = format!("/api/v1/detection/devices/{id}/models/compare?a=1&b=2&windows=300");
    let (status, both) = watch.node.call("GET", &compare).await;
    assert_eq!((status, both["windows"].as_u64()), (StatusCode::OK, Some(300)), "{both}");
    assert!(both["a"]["false_alarms"].as_u64().unwrap() <= 9, "{both}");

    let path = format!("/api/v1/detection/devices/{id}/models/1/activate");
    assert_eq!(watch.node.call_as("POST", &path, false).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        watch.send("POST", &path, json!({ "reason": " " })).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let reason = json!({ "reason": "the newer one misses things" });
    assert_eq!(watch.send("POST", &path, reason.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(watch.send("POST", &path, reason.clone()).await.0, StatusCode::CONFLICT);
    let none = format!("/api/v1/detection/devices/{id}/models/99/activate");
    assert_eq!(watch.send("POST", &none, reason).await.0, StatusCode::NOT_FOUND);
    let device = watch.device(0).await;
    assert_eq!(device["version"], 1);
    assert!(device["learning"]["held"].as_str().unwrap().contains("misses things"), "{device}");
    // Held: nothing is fitted any more, until it goes on.
    watch.feed(&life_of(1, LIVED..LIVED + 800)).await;
    assert_eq!(watch.device(0).await["version"], 1);
    let path = format!("/api/v1/detection/devices/{id}/learning");
    let body = json!({ "on": true, "reason": "looked at it" });
    assert_eq!(watch.send("POST", &path, body).await.0, StatusCode::NO_CONTENT);
    watch.feed(&life_of(1, LIVED + 800..LIVED + 1_600)).await;
    assert!(watch.versions().await.len() > versions.len(), "learning goes on");
}

/// The number and state of each version, and what is kept, after a life with or without deaths.
fn versions_after(folder: &Path, deaths: bool) -> (Vec<(i64, String)>, [i64; 3]) {
    let assets = Arc::new(FakeAssets::default());
    let all = batches(&life_of(1, 0..LEARNED + 800), 1, 60);
    let mut sent = 0;
    while sent < all.len() {
        sent = life(async {
            let watch = Watch::start(folder, &assets).await;
            assert_eq!(watch.seq, sent as u64);
            if let Some(again) = sent.checked_sub(1) {
                watch.node.detection.accept(all[again].clone()).await.unwrap();
            }
            let until = if deaths { sent + 1 } else { all.len() };
            for batch in &all[sent..until] {
                watch.node.detection.accept(batch.clone()).await.unwrap();
                if !deaths {
                    watch.settle().await;
                }
            }
            until
        });
    }
    life(async {
        let watch = Watch::start(folder, &assets).await;
        watch.settle().await;
        let versions = watch.versions().await;
        let mut numbers = [0; 3];
        for (number, sql) in numbers.iter_mut().zip([
            "SELECT scored FROM detection_devices",
            "SELECT COUNT(*) FROM detection_scores",
            "SELECT COUNT(*) FROM detection_models WHERE active = 1",
        ]) {
            *number = watch.node.number(sql).await;
        }
        let short = |version: &Value| {
            (version["version"].as_i64().unwrap(), version["state"].as_str().unwrap().to_owned())
        };
        (versions.iter().map(short).collect(), numbers)
    })
}

#[test]
fn dying_between_steps_loses_no_window_and_leaves_one_model_in_use() {
    let (calm, dying) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let without = versions_after(calm.path(), false);
    let with = versions_after(dying.path(), true);
    assert_eq!(with.1, without.1);
    assert_eq!(with.1[2], 1);
    assert!(with.0.len() >= 2 && without.0.len() >= 2, "{with:?} {without:?}");
    // Every version number is there once.
    let numbers: Vec<i64> = with.0.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).rev().collect::<Vec<_>>());
}

#[test]
fn a_model_that_was_changed_is_refused_and_an_earlier_one_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let newest = life(async {
        let mut watch = Watch::start(folder.path(), &assets).await;
        watch.feed(&life_of(1, 0..LIVED)).await;
        let newest = watch.device(0).await["version"].as_i64().unwrap();
        // A thief makes the model blind: another file under the same number.
        let change: Result<(), DbError> = watch
            .node
            .platform
            .db
            .write(|tx| {
                Box::pin(async move {
                    sqlx::query("UPDATE detection_models SET windows = windows + 1 WHERE active = 1")
                        .execute(tx.sql())
                        .await?;
                    Ok(())
                })
            })
            .await;
        change.unwrap();
        newest
    });
    assert!(newest > 1);
    life(async {
        let mut watch = Watch::start(folder.path(), &assets).await;
        let device = watch.device(0).await;
        assert!(device["version"].as_i64().unwrap() < newest, "{device}");
        assert_eq!(device["state"]["state"], "watching", "never silently unprotected");
        assert!(device["protection"].as_str().unwrap().contains("signature"), "{device}");
        let health = &watch.node.detection.health().await[0];
        assert!(health.cause.contains("earlier version"), "{health:?}");
        let versions = watch.versions().await;
        assert_eq!(versions[0]["version"].as_i64(), Some(newest));
        assert_eq!((&versions[0]["state"], &versions[0]["signature_valid"]), (&json!("refused"), &json!(false)));
        let path = format!("/api/v1/detection/devices/{}/models/{newest}/activate", watch.id().await);
        let (status, problem) = watch.send("POST", &path, json!({ "reason": "x" })).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        watch.node.detection.tell_pending().await.unwrap();
        let told = watch.findings_of(AttackKind::ModelAttack).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].techniques[0].id, "AML.T0018");
        // It goes on judging.
        let scored = watch.node.number("SELECT scored FROM detection_devices").await;
        watch.feed(&life_of(1, LIVED..LIVED + 60)).await;
        assert_eq!(watch.node.number("SELECT scored FROM detection_devices").await, scored + 60);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_call_normal_is_counted_and_not_told_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    let visit = |place: i64| meets(window(1, place, 1.0), "203.0.113.40", 8_883);
    let before = watch.node.findings().await.len();
    watch.feed(&[visit(LEARNED + 60)]).await;
    let findings = watch.node.findings().await;
    assert_eq!(findings.len(), before + 1, "a new peer is told");
    let finding = findings.last().unwrap();
    assert!(watch.facts(FindingGrouped::KIND).await > 0, "and it is in a group");

    let path = format!("/api/v1/findings/{}/feedback", finding.id);
    assert_eq!(watch.node.call_as("POST", &path, false).await.0, StatusCode::FORBIDDEN);
    let wrong = json!({ "verdict": "normal", "reason": "x", "until": "2001-01-01T00:00:00Z" });
    assert_eq!(watch.send("POST", &path, wrong).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let word = json!({ "verdict": "normal", "reason": "the new broker", "until": "2199-01-01T00:00:00Z" });
    let (status, taken) = watch.send("POST", &path, word).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    println!("{taken}");

    // An hour later it comes again: counted, not told.
    watch.feed(&life_of(1, LEARNED + 61..LEARNED + 130)).await;
    watch.feed(&[visit(LEARNED + 130), visit(LEARNED + 131)]).await;
    assert_eq!(watch.node.findings().await.len(), before + 1);
    // Something else still is, also beside it.
    let other = meets(visit(LEARNED + 132), "203.0.113.41", 23);
    watch.feed(&[other]).await;
    assert_eq!(watch.node.findings().await.len(), before + 2);

    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions").await;
    let all = page["items"].as_array().unwrap().clone();
    assert!(!all.is_empty() && all.iter().all(|one| one["active"] == true), "{page}");
    let (_, one) = watch.node.call("GET", &format!("/api/v1/findings/{}", finding.id)).await;
    assert_eq!(one["feedback"]["verdict"], "normal");
    for one in &all {
        let path = format!("/api/v1/detection/suppressions/{}", one["id"].as_str().unwrap());
        assert_eq!(watch.node.call_as("DELETE", &path, false).await.0, StatusCode::FORBIDDEN);
        assert_eq!(watch.node.call("DELETE", &path).await.0, StatusCode::NO_CONTENT);
        assert_eq!(watch.node.call("DELETE", &path).await.0, StatusCode::CONFLICT);
    }
    watch.feed(&life_of(1, LEARNED + 133..LEARNED + 260)).await;
    watch.feed(&[visit(LEARNED + 260)]).await;
    assert_eq!(watch.node.findings().await.len(), before + 3, "told again");
    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions").await;
    assert_eq!(page["items"], json!([]));
    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions?all=true").await;
    assert_eq!(page["items"].as_array().unwrap().len(), all.len(), "decisions are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_called_normal_is_covered_up_to_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    let device = watch.id().await;
    let body = json!({
        "device": device, "scope": { "metric": "bytes_out" }, "ceiling": 3.0, "reason": "updates",
    });
    let (status, one) = watch.send("POST", "/api/v1/detection/suppressions", body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{one}");
    for wrong in [
        json!({ "metric": "no_such" }),
        json!({ "peer": "x" }),
        json!({ "port": 3 }),
        json!({ "whole_device": true, "metric": "bytes_out" }),
        json!({}),
    ] {
        let mut body = body.clone();
        body["scope"] = wrong;
        let (status, _) = watch.send("POST", "/api/v1/detection/suppressions", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let mut much = window(1, LEARNED + 60, 1.0);
    much.counts[analytics::metrics::Metric::BytesOut.index()] = 1 << 40;
    let before = watch.node.findings().await.len();
    watch.feed(&[much]).await;
    assert_eq!(watch.node.findings().await.len(), before + 1, "far more than was called normal");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_poisoning_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED)).await;
    // A little more every hour, each hour as much as passes without an alert.
    let mut place = LEARNED;
    let mut scale = 1.0_f64;
    let mut told = vec![];
    for _ in 0..40 {
        let hour: Vec<_> = (place..place + 400).map(|place| window(1, place, scale)).collect();
        let alerts = watch.node.number("SELECT alerting FROM detection_devices").await;
        watch.feed(&hour).await;
        place += 400;
        let passed = watch.node.number("SELECT alerting FROM detection_devices").await == alerts;
        if passed {
            scale *= 1.04;
        }
        told = watch.findings_of(AttackKind::ModelAttack).await;
        if !told.is_empty() {
            break;
        }
    }
    println!("told at {scale:.2} times: {}", told.first().map_or("", |f| f.title.as_str()));
    let finding = told.first().expect("somebody is teaching me");
    assert_eq!(finding.techniques[0].id, "AML.T0020");
    assert!(finding.title.contains("teaching"), "{}", finding.title);
    let device = watch.device(0).await;
    assert!(device["learning"]["held"].is_string(), "{device}");
    assert!(scale < 2.0, "{scale}");
    // A person looks, and learning goes on from where it was.
    let path = format!("/api/v1/findings/{}/feedback", finding.id);
    let word = json!({ "verdict": "normal", "reason": "a second sensor was added" });
    assert_eq!(watch.send("POST", &path, word).await.0, StatusCode::OK);
    assert!(watch.device(0).await["learning"]["held"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_borrows_a_model_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..30)).await;
    let alone = watch.device(0).await["protection"].as_str().unwrap().to_owned();
    assert!(alone.starts_with("learning (20 of 20 windows, 5 of 60 minutes), not protected"), "{alone}");
    assert!(watch.node.detection.health().await[0].cause.contains("not protected yet"));
    watch.feed(&life_of(1, 30..LEARNED)).await;
    watch.feed(&life_of(2, 0..LEARNED)).await;
    watch.feed(&life_of(3, LEARNED..LEARNED + 10)).await;
    let third = watch.device(2).await;
    let protection = third["protection"].as_str().unwrap();
    assert!(protection.contains("protected by the pooled model of 2 devices"), "{protection}");
    let learned = "SELECT MIN(learned) FROM detection_devices WHERE phase = 'learning'";
    assert_eq!(watch.node.number(learned).await, 10);
    // A flood while it learns is found, and not learned.
    let mut flood = window(3, LEARNED + 10, 1.0);
    for metric in [analytics::metrics::Metric::PacketsOut, analytics::metrics::Metric::BytesOut] {
        flood.counts[metric.index()] *= 100_000;
    }
    watch.feed(&[flood]).await;
    assert_eq!(watch.node.number(learned).await, 10);
    let finding = watch.node.findings().await.pop().unwrap();
    assert_eq!(finding.device.to_string(), third["device"].as_str().unwrap());
    assert_eq!(finding.kind, AttackKind::Flood);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_fake_devices_starves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 10)).await;
    let scored = watch.node.number("SELECT scored FROM detection_devices").await;
    let mut crowd: Vec<_> = (0..6_000_u32)
        .map(|fake| {
            let mut record = window(9, LEARNED + 10, 1.0);
            record.device = crate::meter::host(&format!("10.9.{}.{}", fake >> 8, fake & 0xff));
            record.mac = None;
            record
        })
        .collect();
    crowd.push(window(1, LEARNED + 10, 1.0));
    for batch in batches(&crowd, watch.seq + 1, crowd.len()) {
        watch.seq = batch.seq;
        watch.node.detection.accept(batch).await.unwrap();
    }
    let real = "SELECT scored FROM detection_devices WHERE phase = 'watching'";
    assert_eq!(watch.node.number(real).await, scored + 1, "the real device is judged");
    assert!(watch.node.number("SELECT COUNT(*) FROM detection_devices").await <= 4_096);
    let told = watch.findings_of(AttackKind::ModelAttack).await;
    assert_eq!(told.len(), 1, "told once");
    assert_eq!((told[0].techniques[0].id.as_str(), told[0].severity), ("AML.T0029", Severity::High));
    let health = &watch.node.detection.health().await[0];
    assert!(health.cause.contains("beyond"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_learned_while_an_incident_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    platform::bus::start(&watch.node.platform, watch.node.detection.consumers());
    watch.feed(&life_of(1, 0..LEARNED + 30)).await;
    watch.feed(&[meets(window(1, LEARNED + 30, 1.0), "203.0.113.40", 8_883)]).await;
    let finding = watch.node.findings().await.pop().unwrap();
    let at = finding.first_at;
    let incident = Incident {
        id: IncidentId::mint(at, [5; 10]),
        title: "x".into(),
        state: IncidentState::New,
        severity: Severity::High,
        tlp: Tlp::Amber,
        origin: watch.node.platform.node.id,
        origin_name: "here".into(),
        findings: 1,
        received_share: None,
        acknowledged_by: None,
        event_at: at,
        recorded_at: at,
        updated_at: at,
    };
    let report =
        IncidentReport { incident: incident.clone(), findings: vec![finding], timeline: vec![] };
    publish(&watch.node, IncidentOpened { report, received: false }).await;
    wait_for(&watch.node, 1).await;
    watch.feed(&life_of(1, LEARNED + 200..LEARNED + 400)).await;
    let device = watch.device(0).await;
    assert!(device["learning"]["state"].as_str().unwrap().contains("incident"), "{device}");
    let closed = Incident { state: IncidentState::Closed, ..incident };
    publish(&watch.node, model::event::IncidentChanged { incident: closed, change: "x".into() }).await;
    wait_for(&watch.node, 0).await;
    watch.feed(&life_of(1, LEARNED + 400..LEARNED + 460)).await;
    let device = watch.device(0).await;
    assert_eq!(device["learning"]["state"], "learns from what is trusted", "{device}");
}

async fn publish<P: Payload + Send + Sync + 'static>(node: &Node, payload: P) {
    let done: Result<i64, DbError> = node
        .platform
        .db
        .write(move |tx| Box::pin(async move { tx.publish("test", &payload).await }))
        .await;
    done.unwrap();
}

async fn wait_for(node: &Node, open: i64) {
    while node.number("SELECT COUNT(*) FROM detection_incidents WHERE open = 1").await != open {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_and_updates_do_not_crowd() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    // Three visits, twenty minutes apart: three findings of one group.
    for visit in 0..3 {
        let place = LEARNED + 60 + visit * 121;
        watch.feed(&[meets(window(1, place, 1.0), "203.0.113.40", 8_883)]).await;
        watch.feed(&life_of(1, place + 1..place + 121)).await;
    }
    let (_, page) = watch.node.call("GET", "/api/v1/detection/groups").await;
    let mine: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["peer"] == "203.0.113.40")
        .collect();
    assert_eq!(mine.len(), 1, "{page}");
    assert_eq!(mine[0]["findings"], 3);
    assert_eq!(mine[0]["finding_ids"].as_array().unwrap().len(), 3);
    let raised = watch.facts(FindingRaised::KIND).await;
    let updated = watch.facts(model::event::FindingUpdated::KIND).await;
    assert!(updated <= raised, "{updated} updates of {raised} findings");
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_cut_kept_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    for batch in crate::hakai::batches(&crate::hakai::windows()[..240], 1, 40) {
        node.detection.accept(batch).await.unwrap();
    }
    node.settle().await;
    let finding = node.findings().await.pop().unwrap();
    let file = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/captures/hakai-test.pcap.gz");
    let request = detection::SliceRequest {
        device: finding.device_address.parse().ok(),
        mac: None,
        peers: finding.evidence.iter().map(|party| party.peer.into()).collect(),
        from: finding.first_at,
        to: finding.last_at,
    };
    let capture = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    let cut = detection::slice(capture, &request).unwrap();
    println!("{} packets, {} bytes, {} beyond", cut.packets, cut.pcap.len(), cut.beyond);
    assert!(cut.packets > 10 && cut.pcap.len() <= detection::MAX_SLICE_BYTES + 1_024);
    let kept = node.detection.attach_capture(finding.id, &cut.pcap, "a test").await.unwrap();
    assert_eq!(kept, cut.packets);
    let (_, one) = node.call("GET", &format!("/api/v1/findings/{}", finding.id)).await;
    assert_eq!(one["capture"]["packets"].as_u64(), Some(cut.packets));
    assert!(one["explanation"].as_str().unwrap().contains("Since 2018-07-31"), "{one}");
    let path = format!("/api/v1/findings/{}/capture", finding.id);
    assert_eq!(node.call("GET", &path).await.0, StatusCode::OK);
    for wrong in [b"no capture".to_vec(), vec![], vec![0; detection::MAX_SLICE_BYTES + 2_000]] {
        assert!(node.detection.attach_capture(finding.id, &wrong, "a test").await.is_err());
    }
    let _ = Timestamp::from_secs(0);
}
