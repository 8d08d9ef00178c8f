//! The range judge alone: distance of each metric from its mean, one threshold per metric.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::held_out::held_out;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, Model, largest};
use crate::network::Scaled;
use crate::threshold::limit;

pub(super) const NAME: &str = "range";

/// Learns range models.
pub(super) struct Range;

#[derive(Debug)]
struct RangeModel {
    active: Vec<usize>,
    mean: Vec<f64>,
    limit: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    mean: Numbers,
    limit: Numbers,
}

/// Mean of each active metric.
pub(super) fn means(rows: &[&Scaled], active: &[usize]) -> Vec<f64> {
    let count = rows.len().max(1) as f64;
    let sum = |place: usize| rows.iter().map(|row| f64::from(row[place])).sum::<f64>();
    active.iter().map(|place| sum(*place) / count).collect()
}

/// One threshold per column of errors, the budget shared evenly.
pub(super) fn limits(mut columns: Vec<Vec<f64>>, alpha: f64) -> Vec<f64> {
    let each = alpha / columns.len().max(1) as f64;
    columns.iter_mut().map(|errors| limit(errors, each)).collect()
}

impl Learner for Range {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "distance of each metric from its mean, one threshold per metric"
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let mut columns = vec![Vec::with_capacity(rows.len()); active.len()];
        held_out(
            &rows,
            |others| means(others, active),
            |mean, row| {
                for ((column, place), mean) in columns.iter_mut().zip(active).zip(mean) {
                    column.push((f64::from(row[*place]) - mean).abs());
                }
            },
        );
        Some(Box::new(RangeModel {
            active: active.to_vec(),
            mean: means(&rows.iter().collect::<Vec<_>>(), active),
            limit: limits(columns, lesson.alpha),
        }))
    }
}

impl RangeModel {
    fn ratios(&self, row: &Scaled) -> impl Iterator<Item = (usize, f64)> {
        let judged = self.active.iter().zip(&self.mean).zip(&self.limit);
        judged.map(|((place, mean), limit)| (*place, (f64::from(row[*place]) - mean).abs() / limit))
    }
}

impl Model for RangeModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        self.ratios(row).fold(0.0, |best, (_, ratio)| best.max(ratio))
    }

    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        let (place, _) = largest(self.ratios(row))?;
        let column = self.active.iter().position(|active| *active == place)?;
        Some((place, self.mean[column]))
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            mean: Numbers(self.mean.clone()),
            limit: Numbers(self.limit.clone()),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    Ok(Box::new(RangeModel {
        mean: stored.mean.exactly(count, "mean")?,
        limit: stored.limit.positive(count, "limit")?,
        active: stored.head.active,
    }))
}
