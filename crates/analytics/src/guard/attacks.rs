//! Each attack is run against a learner without guards and against one with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::learning::{Learning, Lesson, RefitRule, Seen};
use super::mimicry::hides_in_volumes;
use super::poison::{PoisonGuard, PoisonVerdict};
use crate::draw::Draw;
use crate::features::{ContextMemory, values_of};
use crate::host::Host;
use crate::metrics::{COUNTS, Metric};
use crate::model::{DeviceModel, Judgement};
use crate::novelty::Novelty;
use crate::record::{KeyCount, RECORD_VERSION, WindowRecord};
use crate::train::{TrainOptions, train_one};

const WINDOW_US: i64 = 10_000_000;
const REFIT: usize = 56;

fn host() -> Host {
    Host::v4([10, 0, 0, 7].into())
}

fn blank(place: i64) -> WindowRecord {
    serde_json::from_value(serde_json::json!({
        "version": RECORD_VERSION, "device": "10.0.0.7", "start_us": place * WINDOW_US,
        "end_us": (place + 1) * WINDOW_US, "counts": vec![0; COUNTS], "keys": [],
        "overflow_packets": 0,
    }))
    .unwrap()
}

/// A meter that reports to its server: about 20 packets and 4 kB out, half of it back.
fn window(place: i64, draw: &mut Draw, scale: f64, peer: u8) -> WindowRecord {
    let packets = (20.0 * draw.between(0.85, 1.15)).round();
    let bytes = (packets * 200.0 * scale).round();
    let mut record = blank(place);
    for (metric, value) in [
        (Metric::PacketsOut, packets),
        (Metric::PacketsIn, (packets / 2.0).round()),
        (Metric::BytesOut, bytes),
        (Metric::BytesIn, (packets * 60.0).round()),
        (Metric::Peers, 1.0),
        (Metric::ServicePorts, 1.0),
        (Metric::MeanSizeOut, (bytes / packets).round()),
        (Metric::MeanSizeIn, 120.0),
    ] {
        record.counts[metric.index()] = value as u64;
    }
    let peer = Host::v4([192, 0, 2, peer].into());
    record.keys = vec![KeyCount::new(peer, 6, 443, packets as u32)];
    record
}

fn fit(windows: &[WindowRecord]) -> DeviceModel {
    train_one(Some(host()), windows.iter().collect(), &TrainOptions::default()).unwrap()
}

fn judge(model: &DeviceModel, record: &WindowRecord) -> Judgement {
    let judged = model.metrics.iter().any(|metric| metric.metric.is_novelty());
    let novelty = if judged { model.known.compare(record) } else { Novelty::default() };
    let mut values = values_of(record, novelty);
    if model.has_context() {
        ContextMemory::default().complete(record, &mut values, |key| model.known.usual(key));
    }
    model.judges().judge(&values)
}

/// What the attacker sends in one round: as much as the model in use still lets pass, and in no
/// round more than the model would bear twice over.
fn teach(model: &DeviceModel, draw: &mut Draw, from: i64, wanted: f64) -> (Vec<WindowRecord>, f64) {
    let mut scale = wanted;
    loop {
        let round: Vec<WindowRecord> =
            (0..REFIT as i64).map(|step| window(from + step, draw, scale, 1)).collect();
        if scale <= 1.0 || round.iter().all(|record| !judge(model, record).alert()) {
            return (round, scale);
        }
        scale *= 0.985;
    }
}

#[test]
fn slow_poisoning_teaches_the_unguarded_learner_and_not_the_guarded_one() {
    let mut draw = Draw::new(11, "poison");
    let first: Vec<WindowRecord> =
        (0..REFIT as i64).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    let loot = window(1_000_000, &mut draw, 12.0, 1);
    assert!(judge(&fit(&first), &loot).alert(), "twelve times as much is an alert at first");

    // Without guards: every round is learned because no window of it alerted.
    let (mut model, mut rounds) = (fit(&first), 0);
    while judge(&model, &loot).alert() {
        rounds += 1;
        assert!(rounds < 200, "the attack should work against a learner without guards");
        let (round, _) = teach(&model, &mut draw, rounds * REFIT as i64, 12.0);
        model = fit(&round);
    }
    println!("unguarded: twelvefold traffic is normal after {rounds} refits");

    // With the guard: the same attacker, the same rounds.
    let mut guard = PoisonGuard::default();
    guard.anchor(&first.iter().collect::<Vec<_>>());
    let (mut model, mut found, mut reached) = (fit(&first), None, 1.0_f64);
    for turn in 1..=rounds {
        let (round, scale) = teach(&model, &mut draw, turn * REFIT as i64, 12.0);
        match guard.judge(&round.iter().collect::<Vec<_>>()) {
            PoisonVerdict::Sound => {
                model = fit(&round);
                reached = reached.max(scale);
            }
            PoisonVerdict::Ramp(growth) | PoisonVerdict::Beyond(growth) => {
                found.get_or_insert((turn, growth));
            }
        }
    }
    let (turn, growth) = found.expect("somebody is teaching me");
    println!("guarded: told after {turn} refits, {growth:?}; learned at most {reached:.2} times");
    assert!(turn < rounds);
    assert!([Metric::BytesOut, Metric::MeanSizeOut].contains(&growth.metric), "{growth:?}");
    assert!(reached < 1.8, "{reached}");
    assert!(judge(&model, &loot).alert(), "twelve times as much is still an alert");
}

#[test]
fn a_ramp_in_steps_too_small_to_see_is_found() {
    let mut draw = Draw::new(12, "ramp");
    let part = |draw: &mut Draw, scale: f64| -> Vec<WindowRecord> {
        (0..200).map(|place| window(place, draw, scale, 1)).collect()
    };
    let first = part(&mut draw, 1.0);
    let mut guard = PoisonGuard::default();
    guard.anchor(&first.iter().collect::<Vec<_>>());
    let mut found = None;
    for turn in 1..40 {
        let round = part(&mut draw, 1.02_f64.powi(turn));
        if guard.judge(&round.iter().collect::<Vec<_>>()) != PoisonVerdict::Sound {
            found = Some(turn);
            break;
        }
    }
    println!("two percent a refit: told after {found:?} refits");
    assert!(found.is_some_and(|turn| (3..=25).contains(&turn)), "{found:?}");
    // A person says that it may be so: the same is sound, and a further ramp is found again.
    guard.accept();
    let reached = 1.02_f64.powi(found.unwrap());
    let same = part(&mut draw, reached);
    assert_eq!(guard.judge(&same.iter().collect::<Vec<_>>()), PoisonVerdict::Sound);
    let more = part(&mut draw, reached * 2.5);
    assert!(matches!(guard.judge(&more.iter().collect::<Vec<_>>()), PoisonVerdict::Beyond(_)));
}

#[test]
fn a_device_that_only_lives_is_never_called_poisoned() {
    for seed in 0..20 {
        let mut draw = Draw::new(seed, "calm");
        let mut part = || -> Vec<WindowRecord> {
            (0..200).map(|place| window(place, &mut draw, 1.0, 1)).collect()
        };
        let mut guard = PoisonGuard::default();
        let first = part();
        guard.anchor(&first.iter().collect::<Vec<_>>());
        for turn in 0..60 {
            let round = part();
            let verdict = guard.judge(&round.iter().collect::<Vec<_>>());
            assert_eq!(verdict, PoisonVerdict::Sound, "seed {seed}, refit {turn}");
        }
    }
}

#[test]
fn traffic_in_normal_volumes_to_a_stranger_is_still_an_alert() {
    let mut draw = Draw::new(13, "mimicry");
    let benign: Vec<WindowRecord> =
        (0..120).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    // The same windows again, packet for packet, with somebody else.
    let attack: Vec<WindowRecord> = benign
        .iter()
        .map(|record| {
            let mut copy = record.clone();
            copy.keys[0].peer = Host::v4([203, 0, 113, 9].into());
            copy
        })
        .collect();
    // A learner that knows volumes alone: the pooled model has neither novelty nor context.
    let volumes = train_one(None, benign.iter().collect(), &TrainOptions::default()).unwrap();
    let unguarded = attack.iter().filter(|record| judge(&volumes, record).alert()).count();
    let model = fit(&benign);
    let guarded = attack.iter().filter(|record| judge(&model, record).alert()).count();
    println!("alerts of {}: volumes alone {unguarded}, with novelty {guarded}", attack.len());
    assert!(unguarded <= 3, "{unguarded}");
    assert_eq!(guarded, attack.len());
    let judgement = judge(&model, &attack[60]);
    let alerting: Vec<Metric> = judgement
        .reasons()
        .filter(|reason| reason.ratio > 1.0)
        .map(|reason| reason.metric)
        .collect();
    assert!(hides_in_volumes(&alerting), "{alerting:?}");
    assert!(!hides_in_volumes(&[Metric::BytesOut]) && !hides_in_volumes(&[]));
}

fn observe(learning: &mut Learning, record: &WindowRecord, score: f64) -> Lesson {
    let known = |key: &KeyCount| key.peer == Host::v4([192, 0, 2, 1].into());
    let seen = Seen {
        record,
        score,
        range: score,
        network: None,
        incident_open: false,
        alert: score > 1.0,
        known: &known,
    };
    learning.observe(&seen, &RefitRule { every_us: 86_400_000_000, min_lessons: 100 })
}

#[test]
fn a_beacon_in_normal_volumes_is_told_by_its_rhythm_and_never_learned() {
    let mut draw = Draw::new(14, "beacon");
    let benign: Vec<WindowRecord> = (0..60).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    let mut learning = Learning::default();
    learning.begin(&benign.iter().collect::<Vec<_>>(), 60 * WINDOW_US);
    let (mut rhythm, mut learned) = (None, 0);
    for place in 60..600 {
        let mut record = window(place, &mut draw, 1.0, 1);
        let beacon = place % 6 == 0;
        if beacon {
            let peer = Host::v4([203, 0, 113, 9].into());
            record.keys.push(KeyCount::new(peer, 6, 8_080, 2));
        }
        // The window alerts by novelty: an alert, so nothing is learned for ten minutes.
        let lesson = observe(&mut learning, &record, if beacon { 3.0 } else { 0.4 });
        rhythm = rhythm.or(lesson.rhythm);
        learned += lesson.learned.len();
    }
    let rhythm = rhythm.expect("a clock");
    assert!((rhythm.period_s - 60.0).abs() < 1.0 && rhythm.variation < 0.05, "{rhythm:?}");
    assert_eq!(learned, 0);
}

#[test]
fn nothing_is_learned_during_and_shortly_after_an_alert() {
    let mut draw = Draw::new(15, "quiet");
    let mut learning = Learning::default();
    let benign: Vec<WindowRecord> = (0..60).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    learning.begin(&benign.iter().collect::<Vec<_>>(), 0);
    for place in 60..600 {
        let alert = (100..110).contains(&place);
        let record = window(place, &mut draw, 1.0, 1);
        let lesson = observe(&mut learning, &record, if alert { 5.0 } else { 0.3 });
        // Forbidden for ten minutes; after that the trust comes back slowly.
        if (100..169).contains(&place) {
            assert_eq!(lesson.trust.value, 0.0, "window {place}: {:?}", lesson.trust);
        } else if !(100..=400).contains(&place) {
            assert!(lesson.teaches(), "window {place}: {:?}", lesson.trust);
        }
    }
}

#[test]
fn a_jump_stops_the_learning_until_somebody_accepts_it() {
    let mut draw = Draw::new(16, "jump");
    let mut learning = Learning::default();
    let benign: Vec<WindowRecord> = (0..60).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    learning.begin(&benign.iter().collect::<Vec<_>>(), 0);
    let mut changed = 0;
    for place in 60..1_500 {
        let record = window(place, &mut draw, 1.0, 1);
        // All windows stay below the threshold: an unguarded learner would follow.
        let score = if place < 600 { 0.2 } else { 0.85 } + draw.between(0.0, 0.1);
        let lesson = observe(&mut learning, &record, score);
        changed += u32::from(lesson.drift.is_some());
        assert!(!(learning.is_drifting() && lesson.teaches()));
        assert!(!(learning.is_drifting() && lesson.refit));
    }
    assert_eq!((changed, learning.is_drifting()), (1, true));
    learning.release();
    assert!(!learning.is_drifting());
}

#[test]
fn the_memory_of_the_guards_is_small_and_survives_a_restart() {
    let mut draw = Draw::new(17, "memory");
    let mut learning = Learning::default();
    let benign: Vec<WindowRecord> = (0..60).map(|place| window(place, &mut draw, 1.0, 1)).collect();
    learning.begin(&benign.iter().collect::<Vec<_>>(), 0);
    for place in 60..2_000 {
        let mut record = window(place, &mut draw, 1.0, 1);
        for peer in 0..200_u8 {
            let peer = Host::v4([198, 51, (place % 251) as u8, peer].into());
            record.keys.push(KeyCount::new(peer, 6, 80, 1));
        }
        let mut again: Learning =
            serde_json::from_str(&serde_json::to_string(&learning).unwrap()).unwrap();
        let (one, other) =
            (observe(&mut learning, &record, 0.3), observe(&mut again, &record, 0.3));
        if place % 100 == 0 {
            assert_eq!(one, other);
            assert_eq!(learning, again);
        }
    }
    let bytes = serde_json::to_string(&learning).unwrap().len();
    assert!(bytes < 32_768, "{bytes}");
}
