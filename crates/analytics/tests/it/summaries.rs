//! Summaries of commands: learning and judging by them is learning and judging one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::sync::Arc;

use analytics::commands::{
    Command, CommandFinding, CommandJudge, CommandLearner, CommandModel, Deviation, MAX_ENTRIES,
    Summariser, Summary,
};
use proptest::prelude::*;
use protocols::app::{Role, Values};

use crate::commands::{WINDOW_US, command, commands, frames, operation, plant};

/// Pause, function, first point, values, refusal.
type Drawn = (i64, u16, u32, Vec<u16>, Option<u16>);
type Change = (&'static str, fn(&mut Summary));
type Play<'p> = &'p dyn Fn(&mut dyn FnMut(&Command<'_>));

/// Summaries as the node reads them: through JSON.
fn summaries(play: Play<'_>) -> Vec<Summary> {
    let mut summariser = Summariser::new(WINDOW_US);
    let mut told = Vec::new();
    play(&mut |command| {
        summariser.push(command);
        told.extend(summariser.close_before(command.ts_us));
    });
    told.extend(summariser.finish());
    assert_eq!(summariser.stats().late, 0);
    let text = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Summary>>(&text).unwrap(), told);
    told
}

fn learned(play: Play<'_>) -> [CommandModel; 2] {
    let (mut single, mut summed) = (CommandLearner::new(WINDOW_US), CommandLearner::new(WINDOW_US));
    play(&mut |command| single.push(command));
    for summary in summaries(play) {
        summed.take(&summary).unwrap();
    }
    [single.finish().unwrap(), summed.finish().unwrap()]
}

/// What distinguishes findings; times and repetitions apart. A rate is told by its window, with all
/// that came, and a step with the largest of the window; what an answer is about is not told.
type Told = (String, String, u16, String, Deviation, Option<u64>, String);

fn told(finding: &CommandFinding) -> Told {
    let of_window = [Deviation::Rate, Deviation::Step, Deviation::Order].contains(&finding.kind);
    let plain = of_window || finding.role == Role::Response;
    let value = finding.value.filter(|_| finding.kind == Deviation::Value);
    (
        finding.from.to_string(),
        finding.to.to_string(),
        finding.function,
        if plain { String::new() } else { finding.object.clone() },
        finding.kind,
        value.map(f64::to_bits),
        finding.expected.clone(),
    )
}

fn judged(model: &CommandModel, play: Play<'_>) -> [BTreeSet<Told>; 2] {
    let model = Arc::new(model.clone());
    let (mut single, mut summed) =
        (CommandJudge::new(Arc::clone(&model)), CommandJudge::new(model));
    let (mut one_by_one, mut by_window) = (BTreeSet::new(), BTreeSet::new());
    play(&mut |command| {
        single.push(command, &mut |finding| {
            one_by_one.insert(told(&finding));
        })
    });
    for summary in summaries(play) {
        summed
            .judge(&summary, &mut |finding| {
                by_window.insert(told(&finding));
            })
            .unwrap();
    }
    assert_eq!(single.stats().operations, summed.stats().operations);
    [one_by_one, by_window]
}

/// Equal apart from the late steps, of which a summary tells the largest.
fn assert_same([single, summed]: &[CommandModel; 2]) {
    assert_eq!(single.pairs, summed.pairs);
    assert_eq!(single.training.operations, summed.training.operations);
    assert_eq!(single.training.seconds, summed.training.seconds);
    assert_eq!(single.training.beyond, summed.training.beyond);
}

#[test]
fn a_model_of_summaries_is_the_model_of_operations() {
    for (train, test) in [
        ("modbus-cnc", "modbus-cnc"),
        ("modbus-moving-files", "modbus-moving-files"),
        ("modbus-cnc", "modbus-characterization"),
    ] {
        let (Some(benign), Some(tested)) = (frames(train, "train"), frames(test, "test")) else {
            return;
        };
        let models = learned(&|each: &mut dyn FnMut(&Command<'_>)| commands(&benign, 0, each));
        assert_same(&models);
        let play = |each: &mut dyn FnMut(&Command<'_>)| commands(&tested, 0, each);
        let [single, summed] = judged(&models[0], &play);
        let count: usize = summaries(&play).iter().map(|summary| summary.entries.len()).sum();
        eprintln!("{test}: {} different findings; {count} entries told", single.len());
        assert_eq!(single, summed, "{test}");
    }
}

#[test]
fn each_false_write_is_told_with_function_register_and_value() {
    let mut judge = CommandJudge::new(Arc::new(plant()));
    let mut summariser = Summariser::new(WINDOW_US);
    for second in 0..10_i64 {
        let at = |more| 2_000_000_000 + second * 1_000_000 + more;
        summariser.push(&command(at(0), operation(3, 0, Values::none())));
        let bytes = (700 + second as u16).to_be_bytes();
        summariser.push(&command(at(9), operation(6, 40, Values::u16_be(&bytes))));
    }
    let mut found = BTreeSet::new();
    for summary in summariser.finish() {
        judge
            .judge(&summary, &mut |finding| {
                if finding.kind == Deviation::Function {
                    found.insert((finding.ts_us, finding.object, finding.value.map(f64::to_bits)));
                }
            })
            .unwrap();
    }
    assert_eq!(found.len(), 10, "{found:?}");
    for (second, (ts_us, object, value)) in found.into_iter().enumerate() {
        assert_eq!(ts_us, 2_000_000_009 + second as i64 * 1_000_000);
        assert!(object.contains("point 40"), "{object}");
        assert_eq!(value.map(f64::from_bits), Some(700.0 + second as f64));
    }
}

#[test]
fn a_flood_of_reads_hides_no_write_and_is_counted() {
    let mut summariser = Summariser::new(WINDOW_US);
    for point in 0..2_000_u32 {
        summariser.push(&command(i64::from(point), operation(3, point, Values::none())));
    }
    summariser.push(&command(5_000, operation(6, 40, Values::u16_be(&[0, 7]))));
    let told = summariser.finish();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].operations(), 2_001);
    assert!(told[0].entries.len() <= MAX_ENTRIES);
    assert!(told[0].beyond > 1_000 && summariser.stats().beyond == told[0].beyond);
    assert!(told[0].entries.iter().any(|entry| entry.function == 6 && entry.values == [7.0]));
}

#[test]
fn what_comes_late_is_told_and_counted() {
    let mut summariser = Summariser::new(WINDOW_US);
    summariser.push(&command(5, operation(3, 0, Values::none())));
    assert!(summariser.has_ended(WINDOW_US) && !summariser.has_ended(WINDOW_US - 1));
    assert_eq!(summariser.close_before(WINDOW_US).len(), 1);
    summariser.push(&command(6, operation(6, 1, Values::u16_be(&[0, 1]))));
    assert_eq!(summariser.stats().late, 1);
    assert_eq!(summariser.finish()[0].entries[0].function, 6);
}

#[test]
fn a_summary_nobody_made_is_refused() {
    let mut summariser = Summariser::new(WINDOW_US);
    summariser.push(&command(5, operation(6, 1, Values::u16_be(&[0, 1]))));
    let good = summariser.finish().remove(0);
    let changes: [Change; 5] = [
        ("protocol", |summary| summary.protocol = "smoke".into()),
        ("role", |summary| summary.role = "king".into()),
        ("effect", |summary| summary.entries[0].effect = "none".into()),
        ("values", |summary| summary.entries[0].values = vec![0.0; 9_000]),
        ("ends before", |summary| summary.entries[0].count = 0),
    ];
    for (word, change) in changes {
        let mut wrong = good.clone();
        change(&mut wrong);
        let mut learner = CommandLearner::new(WINDOW_US);
        let error = learner.take(&wrong).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("192.168.1.1"), "{error}");
        assert!(learner.finish().is_none());
        let mut judge = CommandJudge::new(Arc::new(plant()));
        assert!(judge.judge(&wrong, &mut |_| panic!("{word}")).is_err());
    }
}

proptest! {
    #[test]
    fn summaries_lose_nothing_that_is_judged(
        train in operations(),
        test in operations(),
    ) {
        let play = |list: &[Drawn], each: &mut dyn FnMut(&Command<'_>)| {
            let mut at = 0;
            for (pause, function, start, values, refused) in list {
                at += pause * 100_000;
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
                let mut operation = operation(*function, *start, Values::u16_be(&bytes));
                operation.refused = *refused;
                each(&command(at, operation));
            }
        };
        let models = learned(&|each: &mut dyn FnMut(&Command<'_>)| play(&train, each));
        assert_same(&models);
        let [single, summed] = judged(&models[0], &|each: &mut dyn FnMut(&Command<'_>)| play(&test, each));
        prop_assert_eq!(single, summed);
    }
}

fn operations() -> impl Strategy<Value = Vec<Drawn>> {
    proptest::collection::vec(
        (
            0_i64..40,
            1_u16..8,
            0_u32..6,
            proptest::collection::vec(0_u16..50, 1..3),
            proptest::option::weighted(0.1, 1_u16..4),
        ),
        1..120,
    )
}
