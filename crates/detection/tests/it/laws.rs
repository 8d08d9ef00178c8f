//! GOOSE and MMS judged in operation: learned, judged, called normal, learned again; the node dies
//! between every step.

use std::path::Path;
use std::sync::Arc;

use analytics::goose::{Entry, GooseMessage};
use analytics::host::Host;
use analytics::mms::{MmsMessage, pdu};
use analytics::operations::{Gatherer, Report};
use axum::http::StatusCode;
use detection::Config;
use model::event::{LawModelChanged, Payload};
use model::{AttackKind, Finding, Severity};
use platform::db::read_facts;
use ports::fake::FakeAssets;
use ports::{WindowBatch, WindowSink};
use serde_json::{Value, json};

use crate::meter::{self, host};
use crate::node::{Node, life};

/// Windows of learning: an hour of ten seconds each.
const LEARNED: i64 = 361;
const SECOND_US: i64 = 1_000_000;
const LAWS: &str = "/api/v1/detection/laws";
const CONTROL: &str = "BAY1/LLN0$GO$Trip";
/// The publisher is the device that `meter` makes windows of, named by its MAC address.
const PUBLISHER: &str = "02:00:00:00:07:01";

fn goose<'a>(
    ts_us: i64,
    (state, sequence): (u32, u32),
    t_us: i64,
    data: &'a [Entry],
) -> GooseMessage<'a> {
    GooseMessage {
        ts_us,
        src: host(PUBLISHER),
        dst: host("01:0c:cd:01:00:01"),
        app_id: 1,
        length: 0,
        control: CONTROL,
        ttl_ms: 2_000,
        data_set: "BAY1/LLN0$DS",
        go_id: "trip",
        t_us,
        state,
        sequence,
        simulation: false,
        conf_rev: 1,
        needs_commissioning: false,
        entries: 1,
        data,
    }
}

fn start_of(window: i64) -> i64 {
    meter::window(1, window, 1.0).start_us
}

/// What the window held: the publisher's repetitions, one a second, and a question with its answer.
/// `more` adds to it.
fn reports(window: i64, silent: bool, more: impl FnOnce(&mut Gatherer)) -> Vec<Report> {
    let mut gatherer = Gatherer::new(meter::WINDOW_US);
    let (start, began) = (start_of(window), start_of(0));
    for place in (0..10).filter(|_| !silent) {
        let ts_us = start + place * SECOND_US;
        let sequence = (window * 10 + place) as u32;
        gatherer.goose(&goose(ts_us, (1, sequence), began, &[Entry::Bool(false)]));
    }
    for (forth, kind) in [(true, pdu::REQUEST), (false, pdu::RESPONSE)] {
        gatherer.mms(&mms(start + SECOND_US, forth, (kind, 4), window as u32));
    }
    more(&mut gatherer);
    gatherer.finish()
}

fn mms(ts_us: i64, forth: bool, (pdu, service): (u8, u32), invoke: u32) -> MmsMessage<'static> {
    let (client, server): (Host, Host) = (host("192.168.7.9"), host("192.168.7.1"));
    MmsMessage {
        ts_us,
        from: if forth { client } else { server },
        to: if forth { server } else { client },
        channel: 7,
        pdu,
        service: Some(service),
        invoke: Some(invoke),
        class: None,
        domain: "BAY1",
        item: "MMXU1$MX",
    }
}

fn batch(window: i64, reports: &[Report]) -> WindowBatch {
    let mut batch =
        meter::batches(&meter::life_of(1, window..window + 1), window as u64 + 1, 1).remove(0);
    batch.operations = serde_json::to_value(reports).unwrap();
    batch
}

fn config() -> Config {
    Config { min_training_operations: 300, ..meter::config() }
}

async fn start(folder: &Path, assets: &Arc<FakeAssets>) -> Node {
    let node = Node::start(folder, assets, config()).await;
    settle(&node).await;
    node
}

async fn settle(node: &Node) {
    node.settle().await;
    let busy = "SELECT COUNT(*) FROM platform_jobs WHERE state IN ('waiting', 'running')";
    while node.number(busy).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn feed(node: &Node, windows: std::ops::Range<i64>) {
    for window in windows {
        node.detection.accept(batch(window, &reports(window, false, |_| ()))).await.unwrap();
    }
    settle(node).await;
}

async fn found(node: &Node) -> Vec<Finding> {
    let own = |one: &Finding| ["goose", "mms"].contains(&one.detector.as_str());
    node.findings().await.into_iter().filter(own).collect()
}

async fn laws(node: &Node) -> Vec<Value> {
    let (status, page) = node.call("GET", LAWS).await;
    assert_eq!(status, StatusCode::OK);
    page["items"].as_array().unwrap().clone()
}

/// Somebody else says that the breaker is open, in the publisher's name.
fn masquerade(gatherer: &mut Gatherer, window: i64) {
    for place in 0..5_i64 {
        let ts_us = start_of(window) + place * SECOND_US + SECOND_US / 2;
        let t_us = start_of(window) + SECOND_US / 2 - 1_000;
        gatherer.goose(&goose(ts_us, (2, place as u32), t_us, &[Entry::Bool(true)]));
    }
}

async fn accept(node: &Node, window: i64, silent: bool, more: impl FnOnce(&mut Gatherer)) {
    node.detection.accept(batch(window, &reports(window, silent, more))).await.unwrap();
}

#[test]
fn a_masquerade_is_found_once_however_often_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let lives = |windows: std::ops::Range<i64>| {
        life(folder.path(), async {
            let node = start(folder.path(), &assets).await;
            feed(&node, windows).await;
            laws(&node).await
        })
    };
    let early = lives(0..100);
    assert_eq!(early.len(), 2, "{early:?}");
    assert_eq!(early[0]["state"]["state"], "learning", "{early:?}");
    assert!(early[0]["protection"].as_str().unwrap().starts_with("not protected yet"));
    lives(100..LEARNED - 10);
    // The training is ordered in one life and done in the next; the attack comes in between.
    life(folder.path(), async {
        let node = Node::start_idle(folder.path(), &assets, config()).await;
        for window in LEARNED - 10..LEARNED + 5 {
            accept(&node, window, false, |_| ()).await;
        }
        assert_eq!(laws(&node).await[0]["state"]["state"], "training");
    });
    let watching = lives(LEARNED + 5..LEARNED + 20);
    assert_eq!(watching[0]["state"]["state"], "watching", "{watching:?}");
    assert_eq!((&watching[0]["version"], &watching[0]["known"]), (&json!(1), &json!(1)));
    assert_eq!(watching[0]["unjudged"], 0);
    for window in LEARNED + 20..LEARNED + 30 {
        life(folder.path(), async {
            let node = start(folder.path(), &assets).await;
            let attacked = window == LEARNED + 21;
            let more = |gatherer: &mut Gatherer| {
                if attacked {
                    masquerade(gatherer, window);
                }
            };
            accept(&node, window, false, more).await;
            // Taken twice, because the edge did not hear the answer.
            accept(&node, window, false, more).await;
        });
    }
    life(folder.path(), async {
        let node = start(folder.path(), &assets).await;
        let found = found(&node).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        let one = &found[0];
        assert_eq!((one.detector.as_str(), one.severity), ("goose", Severity::High), "{one:#?}");
        assert!(
            matches!(
                one.kind,
                AttackKind::Replay | AttackKind::ManInTheMiddle | AttackKind::FalseCommand
            ),
            "{one:#?}"
        );
        assert!(one.techniques.iter().any(|own| own.id == "T0856"), "{one:?}");
        assert!(one.title.contains(CONTROL), "{}", one.title);
        assert_eq!(one.first_at.as_micros(), start_of(LEARNED + 21));
        assert!(laws(&node).await.iter().all(|law| law["unjudged"] == 0));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_while_it_lasts_and_a_word_covers_only_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = start(folder.path(), &assets).await;
    feed(&node, 0..LEARNED + 30).await;
    assert_eq!(found(&node).await, vec![], "everyday messages");
    // The publisher is cut off; MMS goes on.
    for window in LEARNED + 30..LEARNED + 40 {
        accept(&node, window, true, |_| ()).await;
    }
    let silent = found(&node).await;
    assert_eq!(silent.len(), 1, "{silent:#?}");
    assert_eq!(silent[0].why[0].metric, "silence", "{silent:#?}");
    assert!(silent[0].techniques.iter().any(|own| own.id == "T0804"));
    let path = format!("/api/v1/findings/{}/feedback", silent[0].id);
    let body = json!({ "verdict": "normal", "reason": "the bay is maintained" });
    let (status, taken) =
        platform::testing::call(node.detection.router(), true, "POST", &path, &body).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert!(taken["suppressions"][0]["scope"].as_str().unwrap().contains("silence"), "{taken}");
    for window in LEARNED + 40..LEARNED + 50 {
        accept(&node, window, true, |_| ()).await;
    }
    assert_eq!(found(&node).await.len(), 1, "called normal");
    assert!(laws(&node).await[0]["suppressed"].as_i64().unwrap() > 3);
    // A question that was never asked, to the same device: another law of another protocol.
    accept(&node, LEARNED + 50, true, |gatherer| {
        gatherer.mms(&mms(start_of(LEARNED + 50) + 2 * SECOND_US, true, (pdu::REQUEST, 1), 9_999));
    })
    .await;
    for window in LEARNED + 51..LEARNED + 55 {
        accept(&node, window, true, |_| ()).await;
    }
    let all = found(&node).await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(all[1].detector, "mms");
    assert!(all[1].why.iter().any(|reason| reason.metric == "unknown_service"), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_shown_left_and_learned_again_by_those_who_may() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = start(folder.path(), &assets).await;
    feed(&node, 0..LEARNED + 5).await;
    let one = format!("{LAWS}/meter-gw/goose");
    let (status, shown) = node.call("GET", &one).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert_eq!(shown["speakers"][0]["name"], CONTROL);
    assert_eq!(shown["speakers"][0]["rest_ms"], 1_000.0);
    assert_eq!(
        (&shown["versions"][0]["state"], &shown["versions"][0]["signature_valid"]),
        (&json!("active"), &json!(true))
    );
    let (status, _) = node.call("GET", &format!("{LAWS}/meter-gw/modbus")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let reason = json!({ "reason": "a bay was added" });
    let post = async |path: String, allowed| {
        platform::testing::call(node.detection.router(), allowed, "POST", &path, &reason).await
    };
    for path in [format!("{one}/relearn"), format!("{one}/versions/1/activate")] {
        assert_eq!(post(path, false).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(node.call_as("GET", LAWS, false).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.call_as("GET", &one, false).await.0, StatusCode::FORBIDDEN);
    assert_eq!(post(format!("{one}/versions/1/activate"), true).await.0, StatusCode::CONFLICT);
    assert_eq!(post(format!("{one}/versions/7/activate"), true).await.0, StatusCode::NOT_FOUND);
    assert_eq!(post(format!("{one}/relearn"), true).await.0, StatusCode::ACCEPTED);
    let now = laws(&node).await;
    assert_eq!((&now[0]["state"]["state"], &now[0]["version"]), (&json!("learning"), &json!(0)));
    assert_eq!(now[1]["state"]["state"], "watching", "only the one that was asked for");
    assert_eq!(post(format!("{one}/versions/1/activate"), true).await.0, StatusCode::NO_CONTENT);
    assert_eq!(laws(&node).await[0]["state"]["state"], "watching");
    let mut connection = node.platform.db.read().await.unwrap();
    let facts = read_facts(&mut connection, 0, &[LawModelChanged::KIND], 100).await.unwrap();
    assert_eq!(facts.len(), 4, "learned twice, given up, activated");
    assert_eq!(facts[3].actor, "local administrator");
}

#[test]
fn a_model_that_is_not_what_was_signed_is_not_used_and_health_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    life(folder.path(), async {
        let node = start(folder.path(), &assets).await;
        feed(&node, 0..LEARNED + 5).await;
        let changed =
            "UPDATE detection_law_models SET messages = messages + 1 WHERE protocol = 'goose'";
        let done: Result<(), platform::db::DbError> = node
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(changed).execute(tx.sql()).await?;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    });
    life(folder.path(), async {
        let node = start(folder.path(), &assets).await;
        let now = laws(&node).await;
        assert_eq!(now[0]["state"]["state"], "unprotected", "{now:?}");
        assert!(now[0]["protection"].as_str().unwrap().contains("signature"), "{now:?}");
        let health = node.detection.health().await;
        let text = format!("{health:?}");
        assert!(
            text.contains("GOOSE behind meter-gw") && text.contains("relearn")
                || text.contains("learn again"),
            "{text}"
        );
        accept(&node, LEARNED + 6, false, |_| ()).await;
        assert_eq!(laws(&node).await[0]["unjudged"], 10, "counted");
    });
}
