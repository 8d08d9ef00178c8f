#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use model::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn batch(number: u64) -> WindowBatch {
    WindowBatch {
        edge: "e".into(),
        epoch: 0,
        seq: 0,
        complete_to: Timestamp::from_secs(0),
        records: json!([number]),
        devices: serde_json::Value::Null,
        operations: serde_json::Value::Null,
    }
}

fn said(outbox: &Outbox) -> Vec<(u64, u64, u64)> {
    let mut all = Vec::new();
    while let Some(mut frame) = outbox.next(Duration::ZERO) {
        if let Some(FromEdge::Windows(batch)) = edge::decode(&mut frame).unwrap() {
            all.push((batch.epoch, batch.seq, batch.records[0].as_u64().unwrap()));
        }
    }
    all
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Write,
    TakeAndAck,
    TakeButCrashBeforeAck,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Push),
        3 => Just(Step::Write),
        3 => Just(Step::TakeAndAck),
        1 => Just(Step::TakeButCrashBeforeAck),
        1 => Just(Step::Reconnect),
    ]
}

proptest! {
    /// However often the node dies, and wherever between commit and acknowledgement: it ends up
    /// with every batch exactly once and in order.
    #[test]
    fn the_node_gets_every_batch_once_and_in_order(steps in proptest::collection::vec(step(), 1..200)) {
        let outbox = Outbox::default();
        outbox.start_epoch(7);
        outbox.welcome(7, None);
        let mut wire: VecDeque<(u64, u64)> = VecDeque::new();
        let mut durable: Vec<u64> = Vec::new();
        let mut pushed = 0;
        let take = |wire: &mut VecDeque<(u64, u64)>, durable: &mut Vec<u64>| {
            let (seq, number) = wire.pop_front()?;
            if seq as usize == durable.len() {
                durable.push(number);
            }
            Some(seq)
        };
        let back = |wire: &mut VecDeque<(u64, u64)>, durable: &Vec<u64>| {
            wire.clear();
            outbox.disconnected();
            outbox.welcome(7, (durable.len() as u64).checked_sub(1));
        };
        for step in steps {
            match step {
                Step::Push => {
                    if outbox.push(batch(pushed), 1, false) == Pushed::Kept {
                        pushed += 1;
                    }
                }
                Step::Write => wire.extend(said(&outbox).into_iter().map(|(_, seq, number)| (seq, number))),
                Step::TakeAndAck => {
                    if let Some(seq) = take(&mut wire, &mut durable) {
                        outbox.ack(7, seq);
                    }
                }
                Step::TakeButCrashBeforeAck => {
                    let _ = take(&mut wire, &mut durable);
                    back(&mut wire, &durable);
                }
                Step::Reconnect => back(&mut wire, &durable),
            }
        }
        wire.extend(said(&outbox).into_iter().map(|(_, seq, number)| (seq, number)));
        while let Some(seq) = take(&mut wire, &mut durable) {
            outbox.ack(7, seq);
        }
        prop_assert_eq!(durable, (0..pushed).collect::<Vec<_>>());
        prop_assert_eq!(outbox.unacked().0, 0);
    }
}

#[test]
fn beyond_the_bound_batches_are_refused_and_counted_and_acks_make_room() {
    let outbox = Outbox::default();
    for number in 0..MAX_UNACKED_BATCHES as u64 {
        assert_eq!(outbox.push(batch(number), 3, false), Pushed::Kept);
    }
    assert!(outbox.full());
    assert_eq!(outbox.push(batch(999), 3, false), Pushed::Refused);
    assert_eq!(outbox.refused_packets(), 3);
    assert_eq!(outbox.push(batch(1_000), 3, true), Pushed::Kept);
    outbox.ack(0, 9);
    assert!(!outbox.full());
}

#[test]
fn nothing_is_said_before_the_welcome_and_a_new_start_forgets_the_old() {
    let outbox = Outbox::default();
    outbox.start_epoch(1);
    outbox.push(batch(0), 1, false);
    assert!(said(&outbox).is_empty());
    outbox.welcome(1, None);
    assert_eq!(said(&outbox), [(1, 0, 0)]);
    outbox.start_epoch(2);
    outbox.push(batch(5), 1, false);
    outbox.ack(1, 100);
    assert_eq!(said(&outbox), [(2, 0, 5)]);
    assert_eq!(outbox.unacked(), (1, 1));
}
