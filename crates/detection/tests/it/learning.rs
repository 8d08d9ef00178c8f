//! Learning in operation, as the edges, the console and a thief see it.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use model::event::{IncidentOpened, ModelChanged, Payload};
use model::id::TypedId;
use model::{AttackKind, Incident, IncidentId, IncidentReport, IncidentState, Severity, Tlp};
use platform::db::DbError;
use ports::WindowSink;
use ports::fake::FakeAssets;
use serde_json::{Value, json};

use crate::meter::{LEARNED, LIVED, Watch, batches, life_of, meets, window};
use crate::node::{Node, life};

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
        sent = life(folder, async {
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
    life(folder, async {
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
    let newest = life(folder.path(), async {
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
                    sqlx::query(
                        "UPDATE detection_models SET windows = windows + 1 WHERE active = 1",
                    )
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
    life(folder.path(), async {
        let mut watch = Watch::start(folder.path(), &assets).await;
        let device = watch.device(0).await;
        assert!(device["version"].as_i64().unwrap() < newest, "{device}");
        assert_eq!(device["state"]["state"], "watching", "never silently unprotected");
        assert!(device["protection"].as_str().unwrap().contains("signature"), "{device}");
        let health = &watch.node.detection.health().await[0];
        assert!(health.cause.contains("earlier version"), "{health:?}");
        let versions = watch.versions().await;
        assert_eq!(versions[0]["version"].as_i64(), Some(newest));
        assert_eq!(
            (&versions[0]["state"], &versions[0]["signature_valid"]),
            (&json!("refused"), &json!(false))
        );
        let path =
            format!("/api/v1/detection/devices/{}/models/{newest}/activate", watch.id().await);
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
    assert!(
        alone.starts_with("learning (20 of 20 windows, 5 of 60 minutes), not protected"),
        "{alone}"
    );
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
    assert_eq!(
        (told[0].techniques[0].id.as_str(), told[0].severity),
        ("AML.T0029", Severity::High)
    );
    let health = &watch.node.detection.health().await[0];
    assert!(health.cause.contains("beyond"), "{health:?}");
}

/// Evasion by mimicry: volumes, sizes and times as ever, but with a stranger. Who it is tells.
#[tokio::test(flavor = "multi_thread")]
async fn what_hides_in_usual_volumes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 30)).await;
    assert!(watch.node.findings().await.is_empty());
    let stranger = |place| {
        let mut record = window(1, place, 1.0);
        record.keys[0].peer = crate::meter::host("203.0.113.77");
        record
    };
    watch.feed(&(LEARNED + 30..LEARNED + 60).map(stranger).collect::<Vec<_>>()).await;
    let finding = watch.node.findings().await.pop().unwrap();
    assert!(finding.why.iter().all(|reason| reason.metric.starts_with("new_")), "{finding:?}");
    assert_eq!(finding.evidence[0].peer.to_string(), "203.0.113.77");
    let device = watch.device(0).await;
    assert!(device["learning"]["state"].as_str().unwrap().contains("alert"), "{device}");
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
    publish(&watch.node, model::event::IncidentChanged { incident: closed, change: "x".into() })
        .await;
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
