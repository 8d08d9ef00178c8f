//! Judges of laws in operation: stored and gone on with, and told of time that passed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use analytics::goose::{
    Entry, GooseJudge, GooseLaw, GooseLearner, GooseMemory, GooseMessage, GooseModel,
};
use analytics::host::Host;
use analytics::laws::LawWindow;
use analytics::mms::{MmsJudge, MmsLearner, MmsMemory, MmsMessage, MmsModel, pdu};
use proptest::prelude::*;

const WINDOW_US: i64 = 10_000_000;
const SECOND_US: i64 = 1_000_000;
const CONTROLS: [&str; 2] = ["IED1/LLN0$GO$A", "IED2/LLN0$GO$B"];

fn device(control: usize) -> Host {
    Host::mac([2, 0, 0, 0, 0, control as u8 + 1])
}

fn goose<'a>(
    control: usize,
    second: i64,
    (state, sequence): (u32, u32),
    data: &'a [Entry],
) -> GooseMessage<'a> {
    let ts_us = second * SECOND_US;
    GooseMessage {
        ts_us,
        src: device(control),
        dst: Host::mac([1, 0x0c, 0xcd, 1, 0, control as u8]),
        app_id: control as u32,
        length: 0,
        control: CONTROLS[control],
        ttl_ms: 2_000,
        data_set: "DS",
        go_id: "ID",
        t_us: ts_us - i64::from(sequence) * SECOND_US - 1_000,
        state,
        sequence,
        simulation: false,
        conf_rev: 1,
        needs_commissioning: false,
        entries: 1,
        data,
    }
}

/// Two publishers that repeat one state every second.
fn goose_model() -> Arc<GooseModel> {
    let mut learner = GooseLearner::new(WINDOW_US);
    let data = [Entry::Bool(false)];
    for part in 0..4 {
        let group = part.to_string();
        for second in part * 100..part * 100 + 100 {
            for control in 0..2 {
                learner.push(Some(&group), &goose(control, second, (1, second as u32), &data));
            }
        }
    }
    Arc::new(learner.finish().unwrap())
}

fn stored(judge: GooseJudge, model: &Arc<GooseModel>) -> GooseJudge {
    let text = serde_json::to_string(&judge.into_memory()).unwrap();
    GooseJudge::resume(Arc::clone(model), serde_json::from_str::<GooseMemory>(&text).unwrap())
}

proptest! {
    #[test]
    fn a_goose_judge_that_is_stored_goes_on_as_if_it_were_not(
        drawn in proptest::collection::vec((0_usize..2, 0_i64..3, 0_u32..3, 0_u32..60, any::<bool>()), 1..120),
        every in 1_usize..9,
    ) {
        let model = goose_model();
        let (mut whole, mut second) = (GooseJudge::new(Arc::clone(&model), WINDOW_US, None), 1_000_i64);
        let mut cut = GooseJudge::new(Arc::clone(&model), WINDOW_US, None);
        let (mut a, mut b): (Vec<LawWindow>, Vec<LawWindow>) = (vec![], vec![]);
        for (place, (control, pause, state, sequence, bit)) in drawn.into_iter().enumerate() {
            second += pause;
            let data = [Entry::Bool(bit)];
            let message = goose(control, second, (state, sequence), &data);
            for judge in [&mut whole, &mut cut] {
                judge.push(&message);
                judge.advance((second - 20) * SECOND_US);
            }
            if place % every == 0 {
                cut = stored(cut, &model);
            }
            a.extend(whole.ready(WINDOW_US));
            b.extend(cut.ready(WINDOW_US));
        }
        a.extend(whole.finish());
        b.extend(cut.finish());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn an_mms_judge_that_is_stored_goes_on_as_if_it_were_not(
        drawn in proptest::collection::vec((0_i64..40, any::<bool>(), 0_u8..12, 0_u32..9, 0_u32..4), 1..120),
        every in 1_usize..9,
    ) {
        let model = mms_model();
        let (mut whole, mut cut) = (MmsJudge::new(Arc::clone(&model), WINDOW_US, None), MmsJudge::new(Arc::clone(&model), WINDOW_US, None));
        let (mut a, mut b): (Vec<LawWindow>, Vec<LawWindow>) = (vec![], vec![]);
        let mut second = 1_000;
        for (place, (pause, forth, pdu, invoke, service)) in drawn.into_iter().enumerate() {
            second += pause;
            let message = mms(second, forth, (pdu, service), invoke);
            whole.push(&message);
            cut.push(&message);
            if place % every == 0 {
                let text = serde_json::to_string(&cut.into_memory()).unwrap();
                let memory: MmsMemory = serde_json::from_str(&text).unwrap();
                cut = MmsJudge::resume(Arc::clone(&model), memory);
            }
            a.extend(whole.ready(0));
            b.extend(cut.ready(0));
        }
        a.extend(whole.finish());
        b.extend(cut.finish());
        prop_assert_eq!(a, b);
    }
}

fn mms(second: i64, forth: bool, (pdu, service): (u8, u32), invoke: u32) -> MmsMessage<'static> {
    let (a, b) = (Host::v4([10, 0, 0, 1].into()), Host::v4([10, 0, 0, 2].into()));
    MmsMessage {
        ts_us: second * SECOND_US,
        from: if forth { a } else { b },
        to: if forth { b } else { a },
        channel: 7,
        pdu,
        service: (pdu < 3).then_some(service),
        invoke: (pdu < 3).then_some(invoke),
        class: None,
        domain: "",
        item: "",
    }
}

fn mms_model() -> Arc<MmsModel> {
    let mut learner = MmsLearner::new(WINDOW_US);
    learner.push(&mms(0, true, (pdu::INITIATE, 0), 0));
    for second in 1..200 {
        learner.push(&mms(second, true, (pdu::REQUEST, 1), second as u32));
        learner.push(&mms(second, false, (pdu::RESPONSE, 1), second as u32));
    }
    Arc::new(learner.finish().unwrap())
}

fn breaks(windows: &[LawWindow], law: GooseLaw) -> Vec<(i64, Host, u32)> {
    let broken = windows.iter().filter(|window| window.breaks[law as usize] > 0);
    broken.map(|it| (it.start_us / SECOND_US, it.device, it.breaks[law as usize])).collect()
}

#[test]
fn a_publisher_that_stays_away_is_noted_while_it_does_and_once_in_each_window() {
    let model = goose_model();
    let mut judge = GooseJudge::new(Arc::clone(&model), WINDOW_US, None);
    let data = [Entry::Bool(false)];
    let mut windows = vec![];
    for second in 1_000_i64..1_100 {
        judge.push(&goose(0, second, (1, second as u32), &data));
        // The other one is silent from 1,020 to 1,060.
        if !(1_020..1_060).contains(&second) {
            judge.push(&goose(1, second, (1, second as u32), &data));
        }
        judge.advance((second - 20) * SECOND_US);
        windows.extend(judge.ready(WINDOW_US));
        if second == 1_050 {
            let early = breaks(&windows, GooseLaw::Silence);
            assert_eq!(early, [(1_020, device(1), 1)], "told while it is silent");
        }
    }
    windows.extend(judge.finish());
    let silence: Vec<_> =
        [1_020, 1_030, 1_040, 1_050].into_iter().map(|start| (start, device(1), 1)).collect();
    assert_eq!(breaks(&windows, GooseLaw::Silence), silence);
}

#[test]
fn who_was_blind_does_not_speak_of_silence_and_a_clock_set_back_begins_anew() {
    let model = goose_model();
    let mut judge = GooseJudge::new(Arc::clone(&model), WINDOW_US, None);
    let data = [Entry::Bool(false)];
    let mut windows = vec![];
    for second in (1_000..1_050).chain(9_000..9_050).chain(2_000..2_050) {
        judge.push(&goose(0, second, (1, second as u32), &data));
        judge.push(&goose(1, second, (1, second as u32), &data));
        judge.advance(second * SECOND_US);
        windows.extend(judge.ready(WINDOW_US));
        if second == 1_049 {
            judge.advance(8_990 * SECOND_US);
        }
    }
    windows.extend(judge.begin_anew());
    let broken = windows.iter().filter(|window| window.breaks.iter().any(|count| *count > 0));
    assert_eq!(broken.collect::<Vec<_>>(), Vec::<&LawWindow>::new());
    assert_eq!(windows.iter().map(|window| window.messages).sum::<u64>(), 300);
}
