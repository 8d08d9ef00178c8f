//! Laws that every model keeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::drills::drills;
use super::*;
use crate::draw::Draw;

const ALPHA: f64 = 0.01;
const SCALE: [f64; METRICS] = [6.0; METRICS];

/// Rows in which most metrics follow from one hidden cause; some are rare, some never happen.
fn rows(count: usize, seed: u64) -> Vec<Scaled> {
    let mut draw = Draw::new(seed, "rows");
    (0..count)
        .map(|_| {
            let cause = draw.unit();
            std::array::from_fn(|metric| {
                let noise = 0.05 * draw.unit();
                let value = match metric % 4 {
                    0 => cause,
                    1 => 0.3 + 0.4 * cause,
                    2 if draw.unit() < 0.1 => 0.5 * cause,
                    _ => return 0.0,
                };
                (value + noise) as f32
            })
        })
        .collect()
}

fn active() -> Vec<usize> {
    (0..METRICS).collect()
}

fn lesson<'a>(rows: &'a [Scaled], active: &'a [usize], seed: u64) -> Lesson<'a> {
    Lesson { device: "d", rows, active, scale: Some(&SCALE), feedback: &[], seed, alpha: ALPHA }
}

fn alarms(model: &dyn Model, rows: &[Scaled]) -> usize {
    let mut scores = vec![0.0; rows.len()];
    model.score_batch(rows, &mut scores);
    scores.iter().filter(|score| **score > 1.0).count()
}

#[test]
fn the_list_is_sound() {
    let names: std::collections::BTreeSet<_> = all().iter().map(|model| model.name()).collect();
    assert_eq!(names.len(), all().len());
    for learner in all() {
        assert_eq!(by_name(learner.name()).unwrap().name(), learner.name());
        assert!(!learner.describe().is_empty());
    }
    assert!(by_name("oracle").is_none());
    assert!(open("oracle", &Value::Null).err().unwrap().contains("aarnn"));
}

#[test]
fn the_budget_holds_on_training_and_about_on_later_rows() {
    let (training, later, active) = (rows(1_500, 1), rows(1_500, 2), active());
    for learner in all() {
        let model = learner.learn(&lesson(&training, &active, 7)).unwrap();
        let (first, second) = (alarms(&*model, &training), alarms(&*model, &later));
        assert!(first <= 45, "{}: {first} of 1500 in training", learner.name());
        assert!(second <= 60, "{}: {second} of 1500 later", learner.name());
    }
}

#[test]
fn held_out_scores_alert_about_as_often_as_later_rows() {
    let (training, active) = (rows(1_000, 1), active());
    for learner in all() {
        let lesson = lesson(&training, &active, 7);
        let scores = held_out_scores(*learner, &lesson).unwrap();
        let alarms = scores.iter().filter(|score| **score > 1.0).count();
        assert_eq!(scores.len(), training.len());
        assert!(alarms <= 40, "{}: {alarms} of 1000", learner.name());
        assert!(held_out_scores(*learner, &Lesson { rows: &training[..3], ..lesson }).is_none());
    }
}

#[test]
fn a_flood_alerts_and_is_explained() {
    let (training, active) = (rows(600, 1), active());
    let mut flood = training[0];
    flood[3] = 4.0;
    for learner in all() {
        let model = learner.learn(&lesson(&training, &active, 7)).unwrap();
        assert_eq!(model.name(), learner.name());
        assert!(model.score(&flood).is_finite());
        // The classifier knows only what it was taught; a metric alone far out is no drill.
        if learner.name() != ddrnn::NAME {
            assert!(model.score(&flood) > 1.0, "{}: {}", learner.name(), model.score(&flood));
        }
        if !matches!(learner.name(), ddrnn::NAME | aarnn::NAME_24 | aarnn::NAME_8 | lasso::NAME) {
            let (place, expected) = model.why(&flood).unwrap();
            assert_eq!(place, 3, "{}", learner.name());
            assert!(expected < 1.0, "{}: {expected}", learner.name());
        }
    }
}

#[test]
fn the_seed_decides_everything() {
    let (training, active) = (rows(300, 1), active());
    for learner in all() {
        let stored = |seed| learner.learn(&lesson(&training, &active, seed)).unwrap().stored();
        assert_eq!(stored(3), stored(3), "{}", learner.name());
        assert_eq!(stored(3) != stored(4), learner.draws(), "{}", learner.name());
    }
}

#[test]
fn stored_models_score_alike_and_damage_is_refused() {
    let (training, later, active) = (rows(300, 1), rows(100, 2), active());
    for learner in all() {
        let name = learner.name();
        let model = learner.learn(&lesson(&training, &active, 5)).unwrap();
        let text = model.stored().to_string();
        let value: Value = serde_json::from_str(&text).unwrap();
        let again = open(name, &value).unwrap();
        assert_eq!(again.name(), name);
        for row in &later {
            assert_eq!(model.score(row), again.score(row), "{name}");
            assert_eq!(model.why(row), again.why(row), "{name}");
        }
        assert_eq!(again.stored(), value);
        let refused = |change: &dyn Fn(&mut Value), word: &str| {
            let mut damaged = value.clone();
            change(&mut damaged);
            let error = open(name, &damaged).err().unwrap();
            assert!(error.contains(name) && error.contains(word), "{error}");
        };
        refused(&|value| value["head"]["version"] = 2.into(), "version 2");
        refused(&|value| value["head"]["metrics"] = 7.into(), "7 metrics");
        refused(&|value| value["head"]["active"] = vec![METRICS].into(), "do not exist");
        refused(&|value| value["head"]["active"] = vec![0].into(), "");
        refused(&|value| *value = Value::Null, "damaged");
        for field in value.as_object().unwrap().keys().filter(|field| *field != "head") {
            refused(&|value| value[field] = "AAAAAAAA+H8=".into(), "");
            refused(&|value| value[field] = "!".into(), "");
        }
    }
}

#[test]
fn constant_metrics_divide_by_nothing() {
    let (still, active) = (vec![[0.5_f32; METRICS]; 40], active());
    let mut moved = still[0];
    moved[1] = 9.0;
    for learner in all() {
        let model = learner.learn(&lesson(&still, &active, 1)).unwrap();
        assert!(model.score(&still[0]) <= 1.0, "{}: {}", learner.name(), model.score(&still[0]));
        assert!(model.score(&moved).is_finite());
        model.why(&moved);
    }
}

#[test]
fn too_little_is_refused_with_a_reason() {
    let active = active();
    for learner in all() {
        let enough = if learner.name() == ddrnn::NAME { 30 } else { LEAST_ROWS };
        let few = rows(enough, 1);
        let reason = |lesson: &Lesson<'_>| {
            let reason = learner.refusal(lesson);
            assert_eq!(reason.is_none(), learner.learn(lesson).is_some(), "{}", learner.name());
            reason.unwrap_or_default()
        };
        assert_eq!(reason(&lesson(&few, &active, 1)), "");
        assert!(reason(&lesson(&few[..1], &active, 1)).contains("1 windows"));
        assert!(!reason(&lesson(&few[..enough - 1], &active, 1)).is_empty());
        assert!(reason(&lesson(&few, &[], 1)).contains("no metric"));
        assert!(reason(&lesson(&few, &[METRICS], 1)).contains("exist"));
        assert!(reason(&Lesson { alpha: 0.0, ..lesson(&few, &active, 1) }).contains("budget"));
        let broken = vec![[f32::NAN; METRICS]; enough];
        assert!(reason(&lesson(&broken, &active, 1)).contains("finite"));
    }
    let many = rows(40, 1);
    let scaleless = Lesson { scale: None, ..lesson(&many, &active, 1) };
    assert!(ddrnn::Ddrnn.refusal(&scaleless).unwrap().contains("scales"));
}

#[test]
fn the_classifier_separates_drills_it_never_saw() {
    let (training, later, active) = (rows(1_000, 1), rows(1_000, 2), active());
    let unseen = drills(&later, &SCALE, 1_000, 99, "other");
    assert_eq!(unseen.len(), 1_000);
    for seed in 1..=3 {
        let model = ddrnn::Ddrnn.learn(&lesson(&training, &active, seed)).unwrap();
        let found = alarms(&*model, &unseen);
        assert!(found >= 700, "seed {seed}: {found} of 1000 drills");
    }
}

#[test]
fn feedback_teaches_the_classifier() {
    let (training, active) = (rows(500, 1), active());
    // A storm of broadcasts: no drill is like it.
    let odd: Vec<Scaled> = rows(200, 5)
        .into_iter()
        .map(|mut row| {
            row[crate::metrics::Metric::BroadcastOut.index()] = 0.8;
            row
        })
        .collect();
    let feedback: Vec<Labelled> = odd.iter().map(|row| (*row, true)).collect();
    let found = |feedback: &[Labelled]| {
        let lesson = Lesson { feedback, ..lesson(&training, &active, 1) };
        alarms(&*ddrnn::Ddrnn.learn(&lesson).unwrap(), &odd)
    };
    let (without, with) = (found(&[]), found(&feedback));
    assert!(with > without, "{without} before, {with} after feedback");
}

#[test]
fn drills_are_seeded_finite_and_leave_what_is_not_judged() {
    let benign = rows(50, 1);
    let mut scale = SCALE;
    scale[5] = 0.0;
    let made = drills(&benign, &scale, 500, 1, "d");
    assert_eq!(made, drills(&benign, &scale, 500, 1, "d"));
    assert_ne!(made, drills(&benign, &scale, 500, 2, "d"));
    assert!(made.iter().flatten().all(|value| value.is_finite() && *value >= 0.0));
    assert!(made.iter().all(|row| row[5] == 0.0));
    assert!(drills(&[], &scale, 10, 1, "d").is_empty());
}
