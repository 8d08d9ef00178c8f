//! The room over the shipped capture: it learns, watches, and finds.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use detection::Config;
use model::event::{FindingRaised, FindingUpdated, ModelTrained, Payload};
use model::{AttackKind, Finding, Severity};
use platform::db::read_facts;
use ports::fake::FakeAssets;
use ports::{WindowBatch, WindowSink};
use serde_json::{Value, json};

use crate::hakai::{DEVICE, batches, windows};
use crate::node::{Node, life};

async fn facts(node: &Node, kind: &'static str) -> usize {
    let mut connection = node.platform.db.read().await.unwrap();
    read_facts(&mut connection, 0, &[kind], 10_000).await.unwrap().len()
}

async fn feed(node: &Node, batches: &[WindowBatch]) {
    for batch in batches {
        node.detection.accept(batch.clone()).await.unwrap();
    }
    node.settle().await;
}

/// What must be the same however often the node died: everything but ids and wall times.
fn story(findings: Vec<Finding>) -> Vec<Value> {
    findings
        .into_iter()
        .map(|finding| {
            let mut value = serde_json::to_value(finding).unwrap();
            for key in ["id", "recorded_at"] {
                value.as_object_mut().unwrap().remove(key);
            }
            value
        })
        .collect()
}

fn serious(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.severity >= Severity::Medium).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_capture_gives_one_serious_finding_with_its_explanation() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let records = windows();
    let all = batches(&records, 1, 16);
    let started = std::time::Instant::now();
    feed(&node, &all).await;
    let rate = records.len() as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} windows a second in batches of 16, this build");

    let scored = node.number("SELECT scored FROM detection_devices").await;
    let learned = node.number("SELECT windows FROM detection_models").await;
    assert_eq!(scored + learned, records.len() as i64, "no window is lost");
    assert_eq!(node.number("SELECT COUNT(*) FROM detection_training").await, 0);
    let with_score = "SELECT COUNT(*) FROM detection_scores WHERE score IS NOT NULL";
    assert_eq!(node.number(with_score).await, scored);
    let all_windows = node.number("SELECT COUNT(*) FROM detection_scores").await;
    assert_eq!(all_windows, records.len() as i64, "traffic is kept from the first window on");

    let findings = node.findings().await;
    for finding in &findings {
        println!(
            "{} | {:?} {:?} score {:.1} windows {} {}..{}",
            finding.title,
            finding.kind,
            finding.severity,
            finding.score,
            finding.windows,
            finding.first_at,
            finding.last_at
        );
    }
    assert!(findings.len() <= 3, "{} findings", findings.len());
    let [attack] = serious(&findings)[..] else { panic!("one serious finding is wanted") };
    assert_eq!((attack.kind, attack.severity), (AttackKind::CommandAndControl, Severity::High));
    assert_eq!(
        attack.title,
        format!("{DEVICE} keeps trying to reach 2 unknown hosts on TCP port 50")
    );
    let mut peers: Vec<String> =
        attack.evidence.iter().filter(|e| e.new).map(|e| e.peer.to_string()).collect();
    peers.sort();
    assert_eq!(peers, ["128.185.250.50", "178.128.185.250"]);
    assert!(attack.evidence.iter().all(|e| e.port == Some(50) && e.protocol == "tcp"));
    assert_eq!(attack.techniques.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["T1571"]);
    assert!(attack.windows > 6_000, "{}", attack.windows);
    assert!(attack.why.len() > 1 && attack.why.iter().all(|r| r.ratio > 1.0));
    println!("{}", serde_json::to_string_pretty(&attack.why).unwrap());

    assert_eq!(facts(&node, ModelTrained::KIND).await, 1);
    assert_eq!(facts(&node, FindingRaised::KIND).await, findings.len());
    // News that came too soon after the first is told later, without another window.
    while facts(&node, FindingUpdated::KIND).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        node.detection.tell_pending().await.unwrap();
    }
    let updates = facts(&node, FindingUpdated::KIND).await;
    assert!(updates < 10, "{updates} updates of one finding");
    assert_eq!(node.findings().await.len(), findings.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attack_is_serious_within_a_few_windows() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let records = windows();
    let mut alerting = 0;
    for batch in batches(&records, 1, 1) {
        node.detection.accept(batch).await.unwrap();
        node.settle().await;
        let findings = node.findings().await;
        let Some(attack) =
            findings.iter().find(|finding| finding.kind == AttackKind::CommandAndControl)
        else {
            continue;
        };
        alerting += 1;
        if attack.severity == Severity::High {
            break;
        }
    }
    println!("high after {alerting} windows of the attack");
    assert!((2..=6).contains(&alerting), "{alerting}");
}

/// The node dies after every batch, also while the model is fitted; the edge sends again what it has
/// no answer for, and once more what it has.
fn lives(folder: &Path, all: &[WindowBatch], deaths: bool) -> (Vec<Value>, [i64; 5]) {
    let assets = Arc::new(FakeAssets::default());
    let mut sent = 0;
    while sent < all.len() {
        sent = life(folder, async {
            let node = Node::start(folder, &assets, Config::default()).await;
            let last = node.detection.last_seq("harbour-gw", 1).await.unwrap().unwrap_or(0);
            assert_eq!(last, sent as u64, "an acknowledged batch was lost or one was made up");
            if let Some(again) = sent.checked_sub(1) {
                node.detection.accept(all[again].clone()).await.unwrap();
            }
            let until = if deaths { sent + 1 } else { all.len() };
            for batch in &all[sent..until] {
                node.detection.accept(batch.clone()).await.unwrap();
            }
            until
        });
    }
    life(folder, async {
        let node = Node::start(folder, &assets, Config::default()).await;
        node.settle().await;
        let mut numbers = [0; 5];
        for (number, sql) in numbers.iter_mut().zip([
            "SELECT scored FROM detection_devices",
            "SELECT alerting FROM detection_devices",
            "SELECT COUNT(*) FROM detection_scores",
            "SELECT COUNT(*) FROM platform_facts WHERE kind = 'detection.finding_raised'",
            "SELECT COUNT(*) FROM platform_facts WHERE kind = 'detection.model_trained'",
        ]) {
            *number = node.number(sql).await;
        }
        (story(node.findings().await), numbers)
    })
}

#[test]
fn dying_between_every_batch_changes_nothing() {
    let records = windows();
    // The hour of learning, the quiet minutes after it, and the first hour of the attack.
    let all = batches(&records[..480], 1, 8);
    let (calm, dying) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let without = lives(calm.path(), &all, false);
    let with = lives(dying.path(), &all, true);
    assert!(!without.0.is_empty());
    assert_eq!(with.0, without.0);
    assert_eq!(with.1, without.1);
    assert_eq!(with.1[4], 1, "one model");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_nothing_wrong_behind() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let all = batches(&windows()[..300], 1, 10);
    for batch in &all {
        // Given up somewhere in the middle, as when the connection closes; then sent again.
        let gone = node.detection.accept(batch.clone());
        let _ = tokio::time::timeout(std::time::Duration::from_micros(400), gone).await;
        node.detection.accept(batch.clone()).await.unwrap();
    }
    node.settle().await;
    let learned = node.number("SELECT windows FROM detection_models").await;
    assert_eq!(node.number("SELECT scored FROM detection_devices").await + learned, 300);
    assert_eq!(node.number("SELECT COUNT(*) FROM detection_scores").await, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_source_is_watched_with_the_same_model_and_found_anew() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let records = windows();
    // Restarted in the middle of the learning: the same hour must not count twice.
    feed(&node, &batches(&records[..60], 1, 20)).await;
    feed(&node, &batches(&records[..240], 2, 20)).await;
    assert_eq!(node.number("SELECT windows FROM detection_models").await, 120);
    let first = node.findings().await;
    assert_eq!(serious(&first).len(), 1);
    feed(&node, &batches(&records[..240], 3, 20)).await;
    assert_eq!(facts(&node, ModelTrained::KIND).await, 1);
    let both = node.findings().await;
    assert_eq!(serious(&both).len(), 2, "the second round is a finding of its own");
    let rounds = node.number("SELECT COUNT(*) FROM detection_scores WHERE epoch = 3").await;
    assert_eq!(rounds, 240, "with a model, every window is scored");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_waiting_windows_stay_with_the_edge_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let config = Config { max_waiting_windows: 100, ..Config::default() };
    let all = batches(&windows()[..260], 1, 10);
    let node = Node::start_idle(folder.path(), &assets, config).await;
    let mut refused = None;
    for batch in &all {
        if let Err(error) = node.detection.accept(batch.clone()).await {
            refused = Some(error.to_string());
            break;
        }
    }
    let why = refused.expect("the edge must be held up");
    assert!(why.contains("max_waiting_windows") && why.contains("try again"), "{why}");
    platform::jobs::start(&node.platform, node.detection.jobs()).await.unwrap();
    node.settle().await;
    let last = node.detection.last_seq("harbour-gw", 1).await.unwrap().unwrap();
    feed(&node, &all[last as usize..]).await;
    assert_eq!(node.number("SELECT scored FROM detection_devices").await, 140);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_see_states_scores_and_findings() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let all = batches(&windows()[..400], 1, 10);
    feed(&node, &all[..6]).await;
    let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
    assert_eq!(page["items"][0]["state"]["state"], "learning");
    let progress = page["items"][0]["state"]["progress"].as_f64().unwrap();
    assert!((0.2..0.9).contains(&progress), "{progress}");
    feed(&node, &all[6..]).await;

    let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
    let device = &page["items"][0];
    assert_eq!(device["state"], json!({ "state": "watching" }));
    assert_eq!((&device["alpha"], &device["threshold"]), (&json!(0.005), &json!(1.0)));
    assert_eq!(device["windows_scored"].as_i64().unwrap(), 280);
    assert_eq!(device["trained_from"], "2018-07-31T13:15:10.000000Z");
    assert!(device["measured_false_rate"].as_f64().unwrap() <= 0.1, "{device}");
    let id = device["device"].as_str().unwrap();

    let path = format!("/api/v1/detection/devices/{id}/scores");
    let (_, fine) = node.call("GET", &format!("{path}?points=5000")).await;
    assert_eq!(fine["points"].as_array().unwrap().len(), 400);
    assert!(fine["points"][0]["score"].is_null(), "no score while it learned");
    let (_, coarse) = node.call("GET", &format!("{path}?points=20")).await;
    let top = |history: &Value| {
        let points = history["points"].as_array().unwrap();
        points.iter().filter_map(|p| p["score"].as_f64()).fold(0.0, f64::max)
    };
    assert!(coarse["points"].as_array().unwrap().len() <= 20);
    assert_eq!(top(&coarse), top(&fine), "maxima are kept");
    let (_, part) = node
        .call("GET", &format!("{path}?from=2018-07-31T14:20:00Z&to=2018-07-31T14:25:00Z"))
        .await;
    let points = part["points"].as_array().unwrap();
    assert!(!points.is_empty() && points.len() < 280);
    assert!(points.iter().all(|p| p["start"].as_str().unwrap() >= "2018-07-31T14:20:00"));
    assert_eq!(
        node.call("GET", &format!("{path}?from=yesterday")).await.0,
        StatusCode::BAD_REQUEST
    );

    let (_, findings) = node.call("GET", &format!("/api/v1/findings?device={id}&limit=1")).await;
    let newest = &findings["items"][0];
    assert_eq!(newest["kind"], "command_and_control");
    let own = serde_json::to_value(node.findings().await.last().unwrap()).unwrap();
    for (key, value) in own.as_object().unwrap() {
        assert_eq!(newest[key], *value, "the page and the facts speak of findings alike: {key}");
    }
    assert!(newest["explanation"].as_str().unwrap().contains("expected in its own past"));
    let (_, one) =
        node.call("GET", &format!("/api/v1/findings/{}", newest["id"].as_str().unwrap())).await;
    assert_eq!(one["title"], newest["title"]);
    assert!(one["group"].is_string() && one["feedback"].is_null() && one["capture"].is_null());
    for missing in ["/api/v1/findings/none", "/api/v1/detection/devices/none/scores"] {
        assert_eq!(node.call("GET", missing).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
    let health = &node.detection.health().await[0];
    assert!(health.cause.contains("1 devices watched"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_can_be_made_to_learn_again() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let records = windows();
    feed(&node, &batches(&records[..240], 1, 20)).await;
    let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
    let id = page["items"][0]["device"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/detection/devices/{id}/relearn");
    assert_eq!(node.call_as("POST", &path, false).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.call("POST", &path).await.0, StatusCode::ACCEPTED);
    assert_eq!(
        node.call("POST", "/api/v1/detection/devices/x/relearn").await.0,
        StatusCode::NOT_FOUND
    );
    let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
    assert_eq!(page["items"][0]["state"], json!({ "state": "learning", "progress": 0.0 }));
    assert_eq!(page["items"][0]["model"], Value::Null);
    // It learns from what comes now, the attack included: that is then normal.
    feed(&node, &batches(&records[240..], 2, 40)).await;
    assert_eq!(node.number("SELECT COUNT(*) FROM detection_models").await, 2);
    assert_eq!(node.number("SELECT COUNT(*) FROM detection_models WHERE active = 1").await, 1);
    let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
    assert_eq!(page["items"][0]["state"]["state"], "watching");
}

#[test]
fn a_lost_model_file_is_said_and_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let all = batches(&windows()[..240], 1, 20);
    life(folder.path(), async {
        let node = Node::start(folder.path(), &assets, Config::default()).await;
        feed(&node, &all[..10]).await;
    });
    std::fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    life(folder.path(), async {
        let node = Node::start(folder.path(), &assets, Config::default()).await;
        feed(&node, &all[10..]).await;
        let (_, page) = node.call("GET", "/api/v1/detection/devices").await;
        let device = &page["items"][0];
        assert_eq!(device["state"]["state"], "unprotected");
        assert!(device["state"]["reason"].as_str().unwrap().contains("missing"), "{device}");
        assert_eq!(device["windows_unscored"], 40);
        let health = &node.detection.health().await[0];
        assert!(health.remedy.contains("relearn"), "{health:?}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_are_told_of_progress_and_windows() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    let mut page = node.platform.live.listen();
    node.detection.start();
    let (mut states, mut scored, mut learned) = (vec![], 0, 0);
    for batch in batches(&windows()[..240], 1, 8) {
        node.detection.accept(batch).await.unwrap();
    }
    // The last news is that the device is watched and a window alerted.
    let mut alerted = false;
    while !(alerted && states.last() == Some(&"watching".to_owned())) {
        let line = page.recv().await.unwrap();
        match line["topic"].as_str().unwrap() {
            "training" => states.push(line["state"]["state"].as_str().unwrap().to_owned()),
            "windows" => {
                learned += i64::from(line["score"].is_null());
                scored += i64::from(line["score"].is_number());
                alerted |= line["alert"] == true;
                assert!(line["at"].as_str().unwrap().starts_with("2018-07-31T"));
            }
            other => panic!("unknown topic {other}"),
        }
    }
    // A beat may come before or after the fitting; never are there more lines than beats.
    assert!(scored >= 1 && scored + learned < 30, "{scored} {learned}");
    assert!(node.platform.tasks.stop(std::time::Duration::from_secs(10)).await);
}
