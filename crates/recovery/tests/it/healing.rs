//! A block lifts by itself where the device is well, and people are called where it is not.

use model::event::{Payload, RecoveryMoved};
use ports::recovery::Fresh;
use recovery::{Config, WithoutChecks};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::room::{Ground, MAC};

fn quick() -> Config {
    Config { hold_s: 1, trial_s: 1, max_failures: 2, check_timeout_s: 2, ..Config::default() }
}

/// A Modbus device whose register holds 42.
async fn modbus() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 12];
            if stream.read_exact(&mut question).await.is_ok() {
                let answer = [question[0], question[1], 0, 0, 0, 5, question[6], 3, 2, 0, 42];
                let _ = stream.write_all(&answer).await;
            }
        }
    });
    address
}

/// A page, served to everybody.
async fn page() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 1_024];
            let _ = stream.read(&mut question).await;
            let _ = stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nall well\n",
                )
                .await;
        }
    });
    address
}

async fn declare(ground: &Ground, check: Value) {
    let body = json!({ "target": MAC.to_uppercase(), "check": check });
    let (status, answer) = ground.call("POST", "/checks", body).await;
    assert_eq!(status, 201, "{answer}");
}

fn fresh(windows: u64, alerts: u64) -> Option<Fresh> {
    Some(Fresh { windows, alerts, highest: Some(0.4), newest: None })
}

#[tokio::test]
async fn a_device_that_is_well_is_released_in_two_watched_steps() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), quick()).await;
    *ground.fresh.0.lock().unwrap() = fresh(6, 0);
    declare(
        &ground,
        json!({ "kind": "modbus", "address": modbus().await, "register": 3, "min": 40, "max": 45 }),
    )
    .await;
    declare(&ground, json!({ "kind": "http", "url": format!("http://{}/", page().await), "contains": "all well" })).await;
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    let incident = ground.contain().await;
    let cases = ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    let detail = cases["items"][0]["detail"].as_str().unwrap();
    for part in [
        "register 3 is 42",
        "with the text looked for",
        "takes connections",
        "0 of 6 fresh windows",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert_eq!(ground.verbs(), ["release", "release"]);
    let moved: Vec<String> = ground
        .facts(RecoveryMoved::KIND)
        .await
        .iter()
        .map(|fact| fact.read::<RecoveryMoved>().unwrap().unwrap())
        .inspect(|moved| assert_eq!(moved.incident, incident))
        .map(|moved| moved.stage)
        .collect();
    assert_eq!(moved, ["holding", "trial", "trial", "recovered"]);
    assert!(ground.notifier.0.lock().unwrap().is_empty());
    ground.close().await;
}

#[tokio::test]
async fn a_gateway_that_can_limit_lets_little_pass_at_first() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open_with(folder.path(), quick(), true).await;
    *ground.fresh.0.lock().unwrap() = fresh(6, 0);
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    ground.contain().await;
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    assert_eq!(ground.verbs(), ["release", "rate_limit", "release"]);
    let limit = ground.gateway.performed.lock().unwrap()[1].clone();
    assert_eq!(
        (limit.arguments["packets_s"].as_u64(), limit.arguments["timeout_s"].as_u64()),
        (Some(20), Some(2))
    );
    assert_eq!(limit.arguments["mac"], MAC);
    ground.close().await;
}

#[tokio::test]
async fn a_device_that_is_not_well_is_blocked_again_and_people_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), quick()).await;
    // The service answers, but the detector still sees the attack.
    *ground.fresh.0.lock().unwrap() = fresh(6, 2);
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    let incident = ground.contain().await;
    let cases = ground.until("/cases", |cases| cases["items"][0]["stage"] == "escalated").await;
    let detail = cases["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("2 of 6 fresh windows above the threshold"), "{detail}");
    assert_eq!(ground.verbs(), ["release", "block", "release", "block"]);
    let notices = ground.notifier.0.lock().unwrap().clone();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].1.link, Some(format!("/incidents/{incident}")));
    // A person mends the device and begins anew.
    *ground.fresh.0.lock().unwrap() = fresh(6, 0);
    let (status, _) =
        ground.call("POST", &format!("/cases/{incident}"), json!({ "action": "again" })).await;
    assert_eq!(status, 200);
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    ground.close().await;
}

#[tokio::test]
async fn a_device_that_nothing_checks_goes_to_people_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), quick()).await;
    *ground.fresh.0.lock().unwrap() = fresh(6, 0);
    let incident = ground.contain().await;
    let cases = ground.until("/cases", |cases| cases["items"][0]["stage"] == "escalated").await;
    let detail = cases["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("declare a health check"), "{detail}");
    let notices = ground.notifier.0.lock().unwrap().clone();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].1.link, Some(format!("/incidents/{incident}")));
    assert!(ground.verbs().is_empty(), "the block stays");
    // Somebody declares a check and begins anew.
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    let (status, _) =
        ground.call("POST", &format!("/cases/{incident}"), json!({ "action": "again" })).await;
    assert_eq!(status, 200);
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    ground.close().await;
}

#[tokio::test]
async fn the_detector_alone_decides_only_where_it_is_let_and_has_judged_the_device() {
    let alone = || Config { without_checks: WithoutChecks::Detector, ..quick() };
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), alone()).await;
    *ground.fresh.0.lock().unwrap() = fresh(6, 0);
    ground.contain().await;
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    assert_eq!(ground.verbs(), ["release", "release"]);
    ground.close().await;

    // Another node's life: the detector still sees the attack.
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config { max_failures: 1, ..alone() }).await;
    *ground.fresh.0.lock().unwrap() = fresh(6, 2);
    ground.contain().await;
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "escalated").await;
    assert_eq!(ground.verbs(), ["release", "block"]);
    ground.close().await;

    // And one in which no detector ever judged it.
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), alone()).await;
    *ground.fresh.0.lock().unwrap() = None;
    ground.contain().await;
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "escalated").await;
    assert!(ground.verbs().is_empty());
    ground.close().await;
}

#[tokio::test]
async fn silence_is_no_health() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config { max_failures: 1, ..quick() }).await;
    *ground.fresh.0.lock().unwrap() = fresh(0, 0);
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    ground.contain().await;
    let cases = ground.until("/cases", |cases| cases["items"][0]["stage"] == "escalated").await;
    assert!(cases["items"][0]["detail"].as_str().unwrap().contains("no probe has told of it"));
    ground.close().await;
}

#[tokio::test]
async fn a_trial_goes_on_after_the_node_died_and_repeats_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config { trial_s: 2, ..quick() }).await;
    *ground.fresh.0.lock().unwrap() = fresh(3, 0);
    declare(&ground, json!({ "kind": "tcp", "address": page().await })).await;
    ground.contain().await;
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "trial").await;
    let (report, gateway) = (crate::room::report(), ground.verbs());
    assert_eq!(gateway, ["release"]);
    ground.close().await;
    let ground = Ground::open(folder.path(), Config { trial_s: 2, ..quick() }).await;
    *ground.fresh.0.lock().unwrap() = fresh(3, 0);
    ground.incidents.0.lock().unwrap().insert(report.incident.id, report);
    ground.until("/cases", |cases| cases["items"][0]["stage"] == "recovered").await;
    assert_eq!(ground.verbs(), ["release"], "the second trial's release and no other");
    ground.close().await;
}
