//! Findings make their device a suspect, where that is switched on.

use std::time::Duration;

use model::event::{FindingRaised, FindingUpdated};
use model::id::TypedId;
use model::{AttackKind, DeviceId, Finding, FindingId, Severity, Timestamp};
use ports::edge::{ToEdge, Verb};

use crate::stand_in::{Edge, MAC, Node};

fn finding(lasting_s: i64) -> Finding {
    let first_at = Timestamp::from_secs(1_533_047_000);
    Finding {
        id: FindingId::mint(first_at, [7; 10]),
        device: DeviceId::mint(first_at, [8; 10]),
        device_name: "camera".into(),
        device_address: "10.0.0.7".into(),
        device_mac: Some(MAC.to_uppercase()),
        detector: "aarnn".into(),
        model: "m".into(),
        title: "camera behaves unusually ".repeat(40),
        kind: AttackKind::CommandAndControl,
        severity: Severity::High,
        score: 2.0,
        why: vec![],
        evidence: vec![],
        techniques: vec![],
        first_at,
        last_at: first_at.plus_secs(lasting_s),
        windows: 1,
        recorded_at: Timestamp::from_secs(1_800_000_000),
    }
}

async fn raise(node: &Node, finding: Finding) {
    let fact = FindingRaised { finding };
    let told: Result<i64, platform::db::DbError> = node
        .platform
        .db
        .write(move |tx| Box::pin(async move { tx.publish("test", &fact).await }))
        .await;
    told.unwrap();
}

async fn goes_on(node: &Node, finding: Finding) {
    let fact = FindingUpdated { finding };
    let told: Result<i64, platform::db::DbError> = node
        .platform
        .db
        .write(move |tx| Box::pin(async move { tx.publish("test", &fact).await }))
        .await;
    told.unwrap();
}

async fn ordered(edge: &mut Edge) -> Option<ports::edge::Order> {
    let heard = tokio::time::timeout(Duration::from_secs(5), edge.hear()).await;
    match heard.ok()? {
        Some(ToEdge::Order(order)) => Some(order),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_finding_makes_its_device_a_suspect_for_as_long_as_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::suspecting(folder.path(), 600).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    raise(&node, finding(10)).await;
    let first = ordered(&mut edge).await.unwrap();
    assert_eq!(first.verb, Verb::Suspect { timeout_s: 600 });
    assert_eq!(first.target.mac.as_deref(), Some(MAC));
    assert!(first.why.starts_with("finding: camera behaves unusually") && first.why.len() <= 400);
    // The same finding within half of the time is the same order; later it is prolonged.
    goes_on(&node, finding(200)).await;
    goes_on(&node, finding(310)).await;
    let second = ordered(&mut edge).await.unwrap();
    assert_eq!((&second.verb, &second.target), (&first.verb, &first.target));
    assert_ne!(second.key, first.key);
    node.close().await;
}

#[tokio::test]
async fn from_the_start_findings_order_nothing_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::suspecting(folder.path(), 0).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    raise(&node, finding(10)).await;
    let heard = tokio::time::timeout(Duration::from_millis(800), edge.hear()).await;
    assert!(heard.is_err(), "{heard:?}");
    node.close().await;
}
