//! Laws of the judge on a made-up publisher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::laws::LawWindow;

const WINDOW_US: i64 = 10_000_000;
const REST_US: i64 = 915_000;

/// The `sequence`-th repetition of the state that stands from the beginning on.
fn repetition(sequence: u32) -> GooseMessage<'static> {
    GooseMessage {
        ts_us: i64::from(sequence) * REST_US,
        src: Host::mac([2, 0, 0, 0, 7, 1]),
        dst: Host::mac([1, 0x0c, 0xcd, 1, 0, 1]),
        app_id: 1,
        length: 0,
        control: "BAY1/LLN0$GO$Trip",
        ttl_ms: 2_000,
        data_set: "BAY1/LLN0$DS",
        go_id: "trip",
        t_us: 0,
        state: 1,
        sequence,
        simulation: false,
        conf_rev: 1,
        needs_commissioning: false,
        entries: 1,
        data: &[Entry::Bool(false)],
    }
}

fn learned() -> Arc<GooseModel> {
    let mut learner = GooseLearner::new(WINDOW_US);
    for sequence in 0..400 {
        learner.push(Some(if sequence < 200 { "a" } else { "b" }), &repetition(sequence));
    }
    Arc::new(learner.finish().unwrap())
}

fn broken(model: &Arc<GooseModel>, mut messages: Vec<GooseMessage<'_>>) -> Vec<LawWindow> {
    messages.sort_by_key(|message| message.ts_us);
    let mut judge = GooseJudge::new(Arc::clone(model), WINDOW_US, None);
    messages.iter().for_each(|message| judge.push(message));
    let alerts = |window: &LawWindow| {
        let reasons = model.limits.judge(&window.breaks, &WEAK_LAWS);
        reasons.first().is_some_and(|reason| reason.ratio > 1.0)
    };
    judge.finish().into_iter().filter(alerts).collect()
}

proptest! {
    /// Messages that are held back until later ones have overtaken them are told where they come;
    /// once all have come, nothing is missing, and what follows is lawful.
    #[test]
    fn what_was_overtaken_is_told_once(first in 250_u32..300, held in 4_u32..40, late_us in 2_000_000..9_000_000_i64) {
        let model = learned();
        let is_held = |sequence: u32| (first..first + held).contains(&sequence);
        let messages = (200..500).map(|sequence| {
            let message = repetition(sequence);
            let later = if is_held(sequence) { late_us } else { 0 };
            GooseMessage { ts_us: message.ts_us + later, ..message }
        });
        let broken = broken(&model, messages.collect());
        let begin = i64::from(first) * REST_US;
        let end = i64::from(first + held - 1) * REST_US + late_us;
        prop_assert!(!broken.is_empty());
        for window in broken {
            prop_assert!(window.end_us > begin, "before it: {window:?}");
            prop_assert!(window.start_us <= end, "after it: {window:?}");
        }
    }

    /// Numbers used ahead of time are told, and so is the publisher's own use of them: two speak.
    #[test]
    fn numbers_used_ahead_of_time_never_pass_for_the_publishers(first in 250_u32..300, ahead in 3_u32..20) {
        let model = learned();
        let mut messages: Vec<_> = (200..500).map(repetition).collect();
        let at = i64::from(first) * REST_US + 100_000;
        messages.extend((0..60).map(|place| GooseMessage {
            ts_us: at + i64::from(place) * REST_US,
            ..repetition(first + ahead + place)
        }));
        let broken = broken(&model, messages);
        let windows = |from: i64, to: i64| (to - 1).div_euclid(WINDOW_US) - from.div_euclid(WINDOW_US) + 1;
        let expected = windows(at, at + 59 * REST_US);
        prop_assert!(broken.len() as i64 >= expected, "{} of {expected}: {broken:?}", broken.len());
    }
}

#[test]
fn everyday_repetitions_break_nothing() {
    assert_eq!(broken(&learned(), (200..500).map(repetition).collect()), vec![]);
}

#[test]
fn laws_stand_in_the_order_of_their_numbers() {
    for (place, law) in GooseLaw::ALL.into_iter().enumerate() {
        assert_eq!(law as usize, place);
    }
    assert!(GooseLaw::ALL.len() <= crate::laws::MAX_LAWS);
}
