use std::sync::Arc;
use std::time::Duration;

use model::event::{EnforcementChanged, Fact, Payload};
use model::id::TypedId;
use model::{Outcome, RunId, Timestamp};
use platform::db::{FactFilter, find_facts};
use ports::edge::{FromEdge, Order, ToEdge, Verb};
use ports::{Actuator, ActuatorCommand, Enforcer, PortError, WindowBatch};

use crate::stand_in::{Edge, MAC, Node, done, target};

fn batch(seq: u64) -> FromEdge {
    FromEdge::Windows(WindowBatch {
        edge: "somebody else".into(),
        epoch: 7,
        seq,
        complete_to: Timestamp::from_secs(1),
        records: serde_json::json!([]),
        devices: serde_json::Value::Null,
        operations: serde_json::Value::Null,
    })
}

#[tokio::test]
async fn windows_are_acknowledged_and_a_returning_edge_hears_where_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (mut edge, last) = Edge::welcome(folder.path(), 7).await;
    assert_eq!(last, None);
    for seq in 0..3 {
        edge.say(&batch(seq)).await;
        assert_eq!(edge.hear().await, Some(ToEdge::Ack { epoch: 7, seq }));
    }
    assert_eq!(node.sink.0.lock().unwrap()[0].edge, "gw", "the name is what was proven");
    drop(edge);
    let (_, last) = Edge::welcome(folder.path(), 7).await;
    assert_eq!(last, Some(2));
    let (_, last) = Edge::welcome(folder.path(), 8).await;
    assert_eq!(last, None, "another epoch begins anew");
}

#[tokio::test]
async fn strangers_and_nonsense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _node = Node::open(folder.path()).await;
    let mut stranger = Edge::connect(folder.path(), "wrong", 1).await;
    assert!(
        matches!(stranger.hear().await, Some(ToEdge::Refused { reason }) if reason.contains("token"))
    );
    assert_eq!(stranger.hear().await, None);
    let token = std::fs::read_to_string(folder.path().join("keys/edge.token")).unwrap();
    let mut old = Edge::of_version(folder.path(), &token, 1, 1).await;
    assert!(
        matches!(old.hear().await, Some(ToEdge::Refused { reason }) if reason.contains("the same release")),
        "an edge of before is told so, not misunderstood"
    );
    let (mut liar, _) = Edge::welcome(folder.path(), 1).await;
    liar.raw(&u32::MAX.to_be_bytes()).await;
    assert_eq!(liar.hear().await, None, "the connection is closed");
    let (mut babbler, _) = Edge::welcome(folder.path(), 1).await;
    babbler.raw(&[0, 0, 0, 3, b'{', b'{', b'{']).await;
    assert_eq!(babbler.hear().await, None);
}

#[tokio::test]
async fn an_order_survives_absence_and_restart_and_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (edge, _) = Edge::welcome(folder.path(), 1).await;
    drop(edge);
    tokio::time::sleep(Duration::from_millis(50)).await;
    // The gateway is away: the order waits, the caller is told to ask again with the same key.
    let waiting = node.room.block("run/step", &target(), 60).await;
    assert!(matches!(waiting, Err(PortError::Unavailable(_))), "{waiting:?}");
    node.close().await;

    let node = Node::open_with(folder.path(), Arc::default(), 5_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let Some(ToEdge::Order(order)) = edge.hear().await else { panic!("no order") };
    assert_eq!(order.verb, Verb::Block { timeout_s: 60 });
    for _ in 0..2 {
        edge.say(&FromEdge::OrderDone { key: order.key.clone(), outcome: done() }).await;
    }
    let outcome = node.room.block("run/step", &target(), 60).await.unwrap();
    assert_eq!(outcome, done());
    assert_eq!(node.facts("gateway.enforcement_changed").await.len(), 1);
    node.close().await;

    // A second run of the same command gives the same answer without asking the gateway again.
    let node = Node::open(folder.path()).await;
    let (_edge, _) = Edge::welcome(folder.path(), 1).await;
    assert_eq!(node.room.block("run/step", &target(), 60).await.unwrap(), done());
}

#[tokio::test]
async fn a_command_is_taken_back_at_its_gateway_once_and_the_device_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), Arc::default(), 5_000).await;
    let room: &dyn Actuator = &node.room;
    assert!(room.undoes("block") && !room.undoes("release") && !room.undoes("undo"));
    let command = command("run/3/0");
    // Nothing was written down: nothing is to be ended, and no gateway is asked.
    let nothing = room.undo(&command).await.unwrap();
    assert!(matches!(nothing, Some(Outcome::Done { .. })), "{nothing:?}");

    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let (blocked, order) = tokio::join!(room.perform(&command), answer(&mut edge));
    assert_eq!(blocked.unwrap(), done());
    let (back, undo) = tokio::join!(room.undo(&command), answer(&mut edge));
    assert_eq!(back.unwrap(), Some(done()));
    assert_eq!(undo.verb, Verb::Undo { order: order.key });
    // Asked again: the same answer, and the gateway hears nothing.
    assert_eq!(room.undo(&command).await.unwrap(), Some(done()));
    let more = tokio::time::timeout(Duration::from_millis(100), edge.hear()).await;
    assert!(more.is_err(), "{more:?}");
    // The block contained the device; that it ended is told of the same device.
    let mut connection = node.platform.db.read().await.unwrap();
    let filter =
        FactFilter { kind: Some(EnforcementChanged::KIND.into()), ..FactFilter::default() };
    let facts = find_facts(&mut connection, &filter, 10).await.unwrap();
    let told = |fact: &Fact| fact.read::<EnforcementChanged>().unwrap().unwrap();
    let told: Vec<_> = facts.iter().map(told).map(|it| (it.verb, it.target)).collect();
    assert_eq!(told, [("release".into(), MAC.into()), ("block".to_owned(), MAC.to_owned())]);
}

fn command(key: &str) -> ActuatorCommand {
    ActuatorCommand {
        key: key.into(),
        verb: "block".into(),
        arguments: [("mac".to_owned(), MAC.into())].into(),
        run: RunId::mint(Timestamp::from_secs(1), [1; 10]),
        incident: None,
    }
}

/// Carries the next order out and gives it.
async fn answer(edge: &mut Edge) -> Order {
    let Some(ToEdge::Order(order)) = edge.hear().await else { panic!("no order") };
    edge.say(&FromEdge::OrderDone { key: order.key.clone(), outcome: done() }).await;
    order
}

#[tokio::test]
async fn without_any_gateway_nothing_is_enforced_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let outcome = node.room.block("k", &target(), 60).await.unwrap();
    assert!(
        matches!(outcome, Outcome::NotEnforced { reason, .. } if reason.contains("no gateway"))
    );
}

#[tokio::test]
async fn a_block_is_seen_to_work_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), Arc::default(), 5_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    edge.count(10, 0, false).await;
    let room = node.room.clone();
    #[allow(clippy::disallowed_methods)] // a test may
    let asked = tokio::spawn(async move { room.block("k", &target(), 1).await });
    assert!(matches!(edge.hear().await, Some(ToEdge::Order(_))));
    edge.say(&FromEdge::OrderDone { key: "k".into(), outcome: done() }).await;
    asked.await.unwrap().unwrap();
    edge.count(12, 0, true).await;
    edge.count(12, 5, true).await;
    let seen = loop {
        let mut connection = node.platform.db.read().await.unwrap();
        let row: (Option<i64>, Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT forwarded_before, forwarded_after, dropped_after FROM gateway_orders",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        if row.2 == Some(5) {
            break row;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(seen, (Some(12), Some(12), Some(5)));
    // After its second the block has ended, and that is a fact.
    let ended = loop {
        let facts = node.facts("gateway.enforcement_changed").await;
        if facts.len() == 2 {
            break facts;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(ended[1].contains(MAC) && ended[1].contains("ended by itself"), "{ended:?}");
}

#[tokio::test]
async fn a_block_that_the_gateway_no_longer_shows_is_said_to_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), Arc::default(), 5_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let room = node.room.clone();
    #[allow(clippy::disallowed_methods)] // a test may
    let asked = tokio::spawn(async move { room.block("k", &target(), 600).await });
    assert!(matches!(edge.hear().await, Some(ToEdge::Order(_))));
    edge.say(&FromEdge::OrderDone { key: "k".into(), outcome: done() }).await;
    asked.await.unwrap().unwrap();
    edge.count(1, 0, true).await;
    // The source starts again: the table no longer holds the device.
    let facts = loop {
        edge.count(9, 0, false).await;
        let facts = node.facts("gateway.enforcement_changed").await;
        if facts.len() == 2 {
            break facts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(facts[1].contains("is gone"), "{facts:?}");
}

#[tokio::test]
async fn an_order_that_failed_for_now_is_sent_again_under_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), Arc::default(), 20_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let room = node.room.clone();
    #[allow(clippy::disallowed_methods)] // a test may
    let asked = tokio::spawn(async move { room.block("k", &target(), 600).await });
    let Some(ToEdge::Order(first)) = edge.hear().await else { panic!("no order") };
    let failed = Outcome::Failed { reason: "busy".into(), retry: true };
    edge.say(&FromEdge::OrderDone { key: "k".into(), outcome: failed }).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    edge.count(1, 0, false).await;
    assert_eq!(edge.hear().await, Some(ToEdge::Order(first)));
    edge.say(&FromEdge::OrderDone { key: "k".into(), outcome: done() }).await;
    assert_eq!(asked.await.unwrap().unwrap(), done());
}
