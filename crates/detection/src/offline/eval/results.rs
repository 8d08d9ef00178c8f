//! What the seeds of one detector gave, put together.

use analytics::windows::DEFAULT_WINDOW_US;

use super::CoursePoint;
use super::figures::Spread;
use super::measure::{Measured, course, curve, measure};
use super::report::{DetectorReport, SubjectReport};
use super::truth::{Judged, Truth};
use crate::offline::scenario::{Protected, Scenario};
use crate::offline::scored::ScoredWindow;

/// What the seeds of one detector gave.
#[derive(Default)]
pub(super) struct Results {
    pub(super) failed: Option<String>,
    pub(super) training_s: Vec<f64>,
    pub(super) window_us: Option<Spread>,
    /// Per subject (all together first, then each device): one entry per seed.
    measured: Vec<Vec<Measured>>,
    /// Per subject, of the first seed.
    curves: Vec<(Vec<[f64; 2]>, Vec<CoursePoint>)>,
}

impl Results {
    pub(super) fn add(&mut self, scenario: &Scenario, truth: &Truth, scored: &[ScoredWindow]) {
        let judged = truth.judge(scored);
        let first = self.measured.is_empty();
        for (place, subject) in subjects(scenario).into_iter().enumerate() {
            let of_subject: Vec<&Judged> = judged
                .iter()
                .filter(|one| subject.is_none_or(|device| one.key.device as usize == device))
                .collect();
            let measured = measure(&of_subject, DEFAULT_WINDOW_US, subject.is_none());
            if first {
                self.measured.push(vec![measured]);
                self.curves.push((curve(&of_subject), course(&of_subject)));
            } else if let Some(seeds) = self.measured.get_mut(place) {
                seeds.push(measured);
            }
        }
    }

    pub(super) fn report(
        self,
        (name, about): (&str, String),
        scenario: &Scenario,
        seeds: u64,
    ) -> DetectorReport {
        let subjects = subjects(scenario)
            .into_iter()
            .zip(self.measured)
            .zip(self.curves)
            .map(|((subject, measured), curves)| {
                let device = subject.and_then(|place| scenario.devices.get(place));
                subject_report(device, &measured, curves)
            })
            .collect();
        DetectorReport {
            detector: name.to_owned(),
            about,
            seeds,
            failed: self.failed,
            training_s: Spread::of(self.training_s),
            window_us: self.window_us,
            subjects,
        }
    }
}

/// All protected devices together (where there are several), then each by its number.
fn subjects(scenario: &Scenario) -> Vec<Option<usize>> {
    let each = (0..scenario.devices.len()).map(Some);
    if scenario.devices.len() > 1 {
        std::iter::once(None).chain(each).collect()
    } else {
        each.collect()
    }
}

fn subject_report(
    device: Option<&Protected>,
    seeds: &[Measured],
    (roc, course): (Vec<[f64; 2]>, Vec<CoursePoint>),
) -> SubjectReport {
    let first = seeds.first().cloned().unwrap_or_default();
    let over =
        |value: &dyn Fn(&Measured) -> Option<f64>| Spread::of(seeds.iter().filter_map(value));
    let delays = |pick: fn(&(f64, f64)) -> f64| {
        Spread::of(seeds.iter().flat_map(|seed| seed.delays.iter().map(pick)))
    };
    let positive = first.counts.true_positives + first.counts.false_negatives;
    SubjectReport {
        device: device.map(|device| device.name.to_string()),
        role: device.map(|device| device.role.clone()).unwrap_or_default(),
        positive,
        negative: first.counts.false_positives + first.counts.true_negatives,
        unscored: first.unscored,
        silent: first.silent,
        counts: first.counts,
        auc: over(&|seed| seed.area),
        tpr: over(&|seed| seed.counts.true_positive_rate()),
        fpr: over(&|seed| seed.counts.false_positive_rate()),
        balanced_accuracy: over(&|seed| seed.counts.balanced_accuracy()),
        precision: over(&|seed| seed.counts.precision()),
        delay_windows: delays(|delay| delay.0),
        delay_s: delays(|delay| delay.1),
        missed: over(&|seed| (positive > 0).then_some(seed.missed as f64)),
        false_alarms: over(&|seed| Some(seed.counts.false_positives as f64)),
        false_alarms_correlated: over(&|seed| Some(seed.false_alarms_correlated as f64)),
        benign_days: first.benign_days,
        roc,
        course,
    }
}
