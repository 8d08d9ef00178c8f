//! Intelligence that becomes known starts one run for all of it, bound by its label.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use intel::{Batch, Prepared, Source, sources, write};
use model::event::FindingRaised;
use model::{Severity, ShareDecision};
use platform::db::DbError;
use ports::{AccessQuestion, Authorizer};
use serde_json::{Value, json};
use stix::{Object, Tlp};

use crate::room::{Room, World, report};
use crate::triggers::telling;

/// Indicators `from` to `to`, said by a source.
async fn say(room: &Room, source: &str, from: u32, to: u32, more: Value) {
    let objects: Vec<Prepared> = (from..to)
        .map(|number| {
            let mut it = json!({
                "type": "indicator", "spec_version": "2.1",
                "id": format!("indicator--5d1f0f0e-8a4b-4b53-9a6d-{number:012x}"),
                "name": format!("bad {number}"), "labels": ["botnet"], "confidence": 80,
                "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
                "valid_from": "2026-11-22T00:00:00Z", "pattern_type": "stix",
                "pattern": format!("[ipv4-addr:value = '203.0.{}.{}']", number / 256, number % 256),
            });
            for (name, value) in more.as_object().unwrap() {
                it[name] = value.clone();
            }
            let Value::Object(map) = it else { panic!() };
            Prepared::new(&Object::from_map(map))
        })
        .collect();
    let source = Source {
        key: format!("feed:{source}"),
        name: source.into(),
        kind: "feed".into(),
        tlp: Tlp::Green,
        licence: String::new(),
    };
    let done: Result<(), DbError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let source = sources::ensure(tx.sql(), &source, now_us).await?;
                let batch =
                    Batch { source, unmarked: 1, collection: None, objects: &objects, now_us };
                write::store(tx.sql(), &batch).await.map(|_| ())
            })
        })
        .await;
    done.unwrap();
}

async fn open(folder: &std::path::Path) -> Room {
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    Room::open_with(folder, &Arc::<World>::default(), config).await
}

const NAMES: [&str; 3] = ["__intel_objects__", "__intel_values__", "__intel_count__"];

#[tokio::test]
async fn a_feed_of_thousands_starts_one_run_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let room = open(folder.path()).await;
    say(&room, "old", 9_000, 9_010, json!({})).await;
    let id = room.store(&telling(&NAMES)).await;
    let on = json!({ "on": "intel.new", "types": ["indicator"], "labels": ["botnet"],
        "min_confidence": 50, "sources": ["botnets"], "gather_s": 1 });
    room.trigger(&id, on).await;
    let own = intel::own::identity_id(&room.platform.node.id.to_string());
    say(&room, "botnets", 5_000, 5_010, json!({ "confidence": 10 })).await;
    say(&room, "botnets", 6_000, 6_010, json!({ "labels": ["spam"] })).await;
    say(&room, "others", 7_000, 7_010, json!({})).await;
    say(&room, "botnets", 8_000, 8_010, json!({ "created_by_ref": own.as_str() })).await;
    say(&room, "botnets", 0, 1_300, json!({})).await;
    let runs = room.count(1).await;
    let run = room.ended_of(&runs[0]).await;
    assert_eq!(run["variables"]["__intel_count__"], "1300", "{run:#}");
    let objects = run["variables"]["__intel_objects__"].as_str().unwrap();
    assert_eq!(objects.split(',').count(), playbooks::MAX_GATHERED);
    assert!(objects.starts_with("indicator--5d1f0f0e-8a4b-4b53-9a6d-000000000000,"), "{objects}");
    let values = run["variables"]["__intel_values__"].as_str().unwrap();
    assert!(values.starts_with("203.0.0.0,203.0.0.1,"), "{values}");
    let trigger = room.triggers(&id).await.remove(0);
    assert_eq!((&trigger["started"], &trigger["held"]), (&json!(1), &json!(1_200)), "{trigger:#}");
    // Within the cool-down what comes is gathered, not lost and not told yet; a newer version is no news.
    say(&room, "botnets", 2_000, 2_003, json!({})).await;
    say(&room, "botnets", 0, 5, json!({ "modified": "2026-11-23T00:00:00.000Z" })).await;
    for _ in 0..1_000 {
        if room.triggers(&id).await[0]["gathered"] == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(room.triggers(&id).await[0]["gathered"], 3);
    room.close().await;
    // A node that comes up again reads on where it was.
    let room = open(folder.path()).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(room.triggers(&id).await[0]["gathered"], 3);
    room.count(1).await;
    room.close().await;
}

/// Sees up to TLP:GREEN.
struct UpToGreen;

impl Authorizer for UpToGreen {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let open = ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str());
        let allowed = question.action != "see" || open;
        ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

#[tokio::test]
async fn the_label_binds_run_and_proposal_and_nobody_reads_beyond_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let room = open(folder.path()).await;
    let id = room.store(&telling(&NAMES)).await;
    let path = format!("/api/v1/playbooks/{id}/triggers");
    let on = |level: &str| json!({ "on": "intel.new", "tlp": "TLP:AMBER", "gather_s": 1, "level": level });
    let ask = async |method: &str, path: &str, body: Value| {
        room.call_through(Arc::new(UpToGreen), method, path, body).await
    };
    let (status, problem) = ask("POST", &path, on("act")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert!(problem["errors"].to_string().contains("beyond your own sight"), "{problem}");
    room.trigger(&id, on("act")).await;
    room.trigger(&id, on("ask")).await;
    let amber = Tlp::Amber.id();
    say(&room, "peer", 0, 1, json!({ "object_marking_refs": [amber] })).await;
    say(&room, "peer", 10, 11, json!({ "object_marking_refs": [Tlp::Red.id()] })).await;
    let runs = room.count(1).await;
    let run = room.ended_of(&runs[0]).await;
    assert_eq!(run["variables"]["__intel_count__"], "1", "red is beyond the trigger: {run:#}");
    let proposals = async |all: bool| {
        let list = "/api/v1/proposals";
        let (_, list) = match all {
            true => room.call("GET", list, Value::Null).await,
            false => ask("GET", list, Value::Null).await,
        };
        list["items"].as_array().unwrap().clone()
    };
    let proposal = loop {
        if let Some(one) = proposals(true).await.first() {
            break one["id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(proposals(false).await.is_empty());
    let run = format!("/api/v1/runs/{}", runs[0]["id"].as_str().unwrap());
    let one = format!("/api/v1/proposals/{proposal}");
    for (method, path, body) in [
        ("GET", run.clone(), Value::Null),
        ("GET", one.clone(), Value::Null),
        ("POST", format!("{one}/answer"), json!({ "accept": true })),
    ] {
        let (status, _) = ask(method, &path, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let (_, list) = ask("GET", &path, Value::Null).await;
    assert_eq!(
        (&list["items"][0]["started"], &list["items"][0]["last_at"]),
        (&json!(0), &Value::Null)
    );
    let told = room.facts("playbooks.proposed").await;
    assert_eq!(told[0].tlp, Some(model::Tlp::Amber));
    // Those who see it may say yes, and its run is bound as well.
    room.call("POST", &format!("{one}/answer"), json!({ "accept": true })).await;
    let runs = room.count(2).await;
    let (status, _) =
        ask("GET", &format!("/api/v1/runs/{}", runs[0]["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    room.close().await;
}

#[tokio::test]
async fn a_finding_whose_remote_address_is_known_is_told_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let room = open(folder.path()).await;
    let id = room.store(&telling(&[])).await;
    let on =
        json!({ "on": "findings.raised", "min_severity": "low", "known": true, "cooldown_s": 0 });
    room.trigger(&id, on).await;
    let raise = async |number: u8, address: [u8; 4]| {
        let mut finding = report(number, Severity::High).findings.remove(0);
        finding.evidence[1].peer = address.into();
        room.publish(&FindingRaised { finding }).await;
    };
    say(&room, "feed", 5, 6, json!({})).await;
    say(&room, "peer", 6, 7, json!({ "object_marking_refs": [Tlp::Amber.id()] })).await;
    raise(1, [203, 0, 1, 1]).await;
    raise(2, [203, 0, 0, 6]).await;
    raise(3, [203, 0, 0, 5]).await;
    let runs = room.count(1).await;
    let run = room.ended_of(&runs[0]).await;
    assert!(run["trigger"].as_str().unwrap().contains("known to intelligence"), "{run:#}");
    room.close().await;
}
