//! Robust z-score: distance from the median in median absolute deviations, one threshold for all.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::held_out::held_out;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, Model, largest};
use crate::network::Scaled;
use crate::threshold::{ERROR_FLOOR, limit, quantile};

pub(super) const NAME: &str = "zscore";
/// Deviations of a normal distribution in one median absolute deviation.
const NORMAL: f64 = 1.4826;

/// Learns robust z-scores.
pub(super) struct ZScore;

/// Median and spread of each active metric.
#[derive(Debug)]
struct Centre {
    median: Vec<f64>,
    spread: Vec<f64>,
}

#[derive(Debug)]
struct ZScoreModel {
    active: Vec<usize>,
    centre: Centre,
    threshold: f64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    median: Numbers,
    spread: Numbers,
    threshold: Numbers,
}

impl Centre {
    fn fit(rows: &[&Scaled], active: &[usize]) -> Self {
        let mut column = Vec::with_capacity(rows.len());
        let mut fit = Self { median: Vec::new(), spread: Vec::new() };
        for place in active {
            column.clear();
            column.extend(rows.iter().map(|row| f64::from(row[*place])));
            let median = quantile(&mut column, 0.5);
            column.iter_mut().for_each(|value| *value = (*value - median).abs());
            // Most metrics are the same in more than half of the windows: their deviation is 0.
            fit.spread.push((NORMAL * quantile(&mut column, 0.5)).max(ERROR_FLOOR));
            fit.median.push(median);
        }
        fit
    }

    fn deviations(&self, active: &[usize], row: &Scaled) -> impl Iterator<Item = (usize, f64)> {
        let metrics = active.iter().zip(&self.median).zip(&self.spread);
        metrics.map(|((place, median), spread)| {
            (*place, (f64::from(row[*place]) - median).abs() / spread)
        })
    }

    fn error(&self, active: &[usize], row: &Scaled) -> f64 {
        self.deviations(active, row).fold(0.0, |best, (_, ratio)| best.max(ratio))
    }
}

impl Learner for ZScore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "largest distance from the median in median absolute deviations"
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let mut errors = Vec::with_capacity(rows.len());
        held_out(
            &rows,
            |others| Centre::fit(others, active),
            |centre, row| errors.push(centre.error(active, row)),
        );
        Some(Box::new(ZScoreModel {
            active: active.to_vec(),
            centre: Centre::fit(&rows.iter().collect::<Vec<_>>(), active),
            threshold: limit(&mut errors, lesson.alpha),
        }))
    }
}

impl Model for ZScoreModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        self.centre.error(&self.active, row) / self.threshold
    }

    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        let (place, _) = largest(self.centre.deviations(&self.active, row))?;
        let column = self.active.iter().position(|active| *active == place)?;
        Some((place, self.centre.median[column]))
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            median: Numbers(self.centre.median.clone()),
            spread: Numbers(self.centre.spread.clone()),
            threshold: Numbers(vec![self.threshold]),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    Ok(Box::new(ZScoreModel {
        centre: Centre {
            median: stored.median.exactly(count, "median")?,
            spread: stored.spread.positive(count, "spread")?,
        },
        threshold: stored.threshold.positive(1, "threshold")?[0],
        active: stored.head.active,
    }))
}
