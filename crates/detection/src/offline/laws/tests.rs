//! A capture gives the verdicts of operation on the same messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use analytics::goose::{Entry, GooseMessage};
use analytics::laws::Breaks;
use analytics::mms::{MmsMessage, pdu};
use analytics::windows::DEFAULT_WINDOW_US;
use proptest::prelude::*;

use super::*;
use crate::laws::learn::learn;
use crate::laws::memory::Protocol;

const WINDOW_US: i64 = DEFAULT_WINDOW_US;
const SECOND_US: i64 = 1_000_000;
/// Windows of training, and of what is judged behind it.
const LEARNED: i64 = 60;
const JUDGED: i64 = 40;

/// A state of the breaker, told once a second; it changes every 47 seconds.
fn goose(second: i64) -> GooseMessage<'static> {
    let (state, sequence) = (second.div_euclid(47), second.rem_euclid(47));
    GooseMessage {
        ts_us: second * SECOND_US + 1_000,
        src: Host::mac([2, 0, 0, 0, 7, 1]),
        dst: Host::mac([1, 0x0c, 0xcd, 1, 0, 1]),
        app_id: 1,
        length: 0,
        control: "BAY1/LLN0$GO$Trip",
        ttl_ms: 2_000,
        data_set: "BAY1/LLN0$DS",
        go_id: "trip",
        t_us: state * 47 * SECOND_US,
        state: u32::try_from(state).unwrap() + 1,
        sequence: u32::try_from(sequence).unwrap(),
        simulation: false,
        conf_rev: 1,
        needs_commissioning: false,
        entries: 1,
        data: if state % 2 == 0 { &[Entry::Bool(false)] } else { &[Entry::Bool(true)] },
    }
}

fn mms(second: i64, forth: bool) -> MmsMessage<'static> {
    let (client, server) = (Host::v4([10, 0, 0, 9].into()), Host::v4([10, 0, 0, 1].into()));
    MmsMessage {
        ts_us: second * SECOND_US + if forth { 2_000 } else { 3_000 },
        from: if forth { client } else { server },
        to: if forth { server } else { client },
        channel: 7,
        pdu: if forth { pdu::REQUEST } else { pdu::RESPONSE },
        service: Some(4),
        invoke: u32::try_from(second).ok(),
        class: None,
        domain: "BAY1",
        item: "MMXU1$MX",
    }
}

/// What somebody does to a message of a second.
#[derive(Clone, Copy, Debug)]
enum Deed {
    TakenOut,
    Twice,
    Flipped,
    AnotherState,
    Unasked,
}

fn told(second: i64, deed: Option<Deed>, take: &mut dyn FnMut(GooseMessage<'_>)) {
    let message = goose(second);
    match deed {
        Some(Deed::TakenOut) => return,
        Some(Deed::Twice) => take(message),
        Some(Deed::Flipped) => {
            let flipped = message.data != [Entry::Bool(true)];
            return take(GooseMessage { data: &[Entry::Bool(flipped)], ..message });
        }
        Some(Deed::AnotherState) => take(GooseMessage {
            ts_us: message.ts_us - 500,
            state: message.state + 1,
            sequence: 0,
            t_us: message.ts_us - 600,
            ..message
        }),
        Some(Deed::Unasked) | None => {}
    }
    take(message);
}

/// The reports of one window.
fn heard(gatherer: &mut Gatherer, window: i64, deeds: &BTreeMap<i64, Deed>) {
    for second in window * 10..window * 10 + 10 {
        let deed = deeds.get(&second).copied();
        told(second, deed, &mut |message| gatherer.goose(&message));
        if second % 5 == 0 {
            gatherer.mms(&mms(second, true));
        }
        if second % 5 == 0 || matches!(deed, Some(Deed::Unasked)) {
            gatherer.mms(&mms(second, false));
        }
    }
}

fn models() -> Vec<LawModel> {
    let mut gatherer = Gatherer::new(WINDOW_US);
    (0..LEARNED).for_each(|window| heard(&mut gatherer, window, &BTreeMap::new()));
    let reports = gatherer.finish();
    let model = |protocol| learn(protocol, vec![reports.clone()], WINDOW_US).unwrap();
    Protocol::ALL.map(model).into()
}

type Verdicts = BTreeMap<(Protocol, i64, Host), Breaks>;

fn note(verdicts: &mut Verdicts, model: &LawModel, window: &LawWindow) {
    if window.breaks.iter().all(|count| *count == 0) {
        return;
    }
    let key = (model.protocol(), window.start_us, window.device);
    let known = verdicts.entry(key).or_default();
    known.iter_mut().zip(window.breaks).for_each(|(sum, count)| *sum += count);
}

/// As a node judges: a batch a window, windows told as soon as they are complete.
fn in_operation(models: &[LawModel], deeds: &BTreeMap<i64, Deed>) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for model in models {
        let mut memory = LawMemory::new(model.protocol());
        for window in LEARNED..LEARNED + JUDGED + 30 {
            let mut gatherer = Gatherer::new(WINDOW_US);
            if window < LEARNED + JUDGED {
                heard(&mut gatherer, window, deeds);
            }
            let turn = Turn::of_batch(false, (window + 1) * WINDOW_US);
            let (windows, after) = judge(model, memory, &gatherer.finish(), turn);
            memory = after;
            windows.iter().for_each(|window| note(&mut verdicts, model, window));
        }
    }
    verdicts
}

/// As a capture is judged: one pass, windows told when nothing can change them.
fn of_a_capture(models: &[LawModel], deeds: &BTreeMap<i64, Deed>) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let mut watch = LawWatch::new(models.to_vec(), WINDOW_US);
    let mut put = |model: &LawModel, window: &LawWindow| note(&mut verdicts, model, window);
    for window in LEARNED..LEARNED + JUDGED + 30 {
        // Frames of others go on when the publisher is over.
        watch.time(window * WINDOW_US + 5 * SECOND_US, &mut put);
        if window < LEARNED + JUDGED {
            heard(&mut watch.gatherer, window, deeds);
        }
    }
    watch.finish(&mut put);
    assert_eq!((watch.late(), watch.untold()), (0, 0));
    verdicts
}

fn deeds() -> impl Strategy<Value = BTreeMap<i64, Deed>> {
    let deed = prop_oneof![
        Just(Deed::TakenOut),
        Just(Deed::Twice),
        Just(Deed::Flipped),
        Just(Deed::AnotherState),
        Just(Deed::Unasked),
    ];
    let seconds = (LEARNED + 8) * 10..(LEARNED + JUDGED) * 10;
    proptest::collection::btree_map(seconds, deed, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn captures_and_operation_agree_on_every_break(deeds in deeds()) {
        let models = models();
        // The end of a capture is the end of looking; in operation time goes on.
        let end_us = (LEARNED + JUDGED + 25) * WINDOW_US;
        let until = |verdicts: Verdicts| -> Verdicts {
            verdicts.into_iter().filter(|((_, start_us, _), _)| *start_us < end_us).collect()
        };
        let (own, theirs) = (of_a_capture(&models, &deeds), in_operation(&models, &deeds));
        prop_assert_eq!(until(own), until(theirs));
    }
}

#[test]
fn lawful_messages_break_nothing_and_silence_is_told_where_it_is_known() {
    let models = models();
    let verdicts = of_a_capture(&models, &BTreeMap::new());
    let silent: Vec<i64> = verdicts
        .keys()
        .map(|(protocol, start_us, _)| {
            assert_eq!(*protocol, Protocol::Goose);
            *start_us / WINDOW_US
        })
        .collect();
    // The publisher ends with the last second of a window: the next one is the first without it.
    let expected: Vec<i64> = (LEARNED + JUDGED..LEARNED + JUDGED + 30).collect();
    assert_eq!(silent, expected);
}

#[test]
fn a_clock_that_is_set_back_loses_no_window_and_invents_no_silence() {
    let models = models();
    let mut watch = LawWatch::new(models, WINDOW_US);
    let mut windows = Vec::new();
    let mut put = |model: &LawModel, window: &LawWindow| {
        let broken = model.judge(window).iter().any(|reason| reason.ratio > 1.0);
        windows.push((model.protocol(), window.start_us / WINDOW_US, broken));
    };
    for window in (LEARNED + 20..LEARNED + 40).chain(LEARNED..LEARNED + 20) {
        watch.time(window * WINDOW_US, &mut put);
        heard(&mut watch.gatherer, window, &BTreeMap::new());
    }
    watch.finish(&mut put);
    let mut goose: Vec<i64> =
        windows.iter().filter(|one| one.0 == Protocol::Goose).map(|one| one.1).collect();
    goose.sort_unstable();
    assert_eq!(goose, (LEARNED..LEARNED + 40).collect::<Vec<_>>());
    assert!(windows.iter().all(|(_, _, broken)| !broken), "{windows:?}");
}

#[test]
fn a_publisher_is_named_as_its_windows_are() {
    let (mac, ip) = (Host::mac([2, 0, 0, 0, 7, 1]), Host::v4([10, 0, 0, 1].into()));
    let record = |device: Host, start_us: i64| WindowRecord {
        version: analytics::record::RECORD_VERSION,
        device,
        mac: Some(mac),
        start_us,
        end_us: start_us + WINDOW_US,
        counts: [0; analytics::metrics::COUNTS],
        keys: Vec::new(),
        overflow_packets: 0,
        pace: analytics::pace::Pace::default(),
        talk: None,
    };
    let mut links = Speakers::new(DevicePolicy::Local);
    assert_eq!(links.device(mac), mac, "it speaks GOOSE alone");
    links.see(&record(ip, 0));
    assert_eq!(links.device(mac), ip);
    let other = Host::v4([10, 0, 0, 2].into());
    links.see(&record(other, WINDOW_US));
    assert_eq!(links.device(mac), other, "it has another address now");
    links.see(&record(ip, WINDOW_US));
    assert_eq!(links.device(mac), mac, "a router: it stands for many");
}
