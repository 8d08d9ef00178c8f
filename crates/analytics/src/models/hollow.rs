//! The hollow network of the ensemble, judged alone: one threshold per metric, no range check.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::held_out::held_out;
use super::range::limits;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, Model, largest};
use crate::draw::Draw;
use crate::network::{Network, Plan, Scaled};

pub(super) const NAME: &str = "hollow";

/// Learns hollow networks.
pub(super) struct Hollow;

/// A network and the mean of what it leaves over.
struct Fit {
    network: Network,
    offset: Vec<f64>,
}

struct HollowModel {
    active: Vec<usize>,
    fit: Fit,
    limit: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    network: Network,
    offset: Numbers,
    limit: Numbers,
}

impl Fit {
    fn new(plan: &Plan, rows: &[&Scaled], active: &[usize]) -> Self {
        let network = Network::fit(plan, rows);
        let mut offset = vec![0.0; active.len()];
        for row in rows {
            let expected = network.predict(row);
            for (sum, place) in offset.iter_mut().zip(active) {
                *sum += f64::from(row[*place] - expected[*place]);
            }
        }
        let count = rows.len().max(1) as f64;
        offset.iter_mut().for_each(|sum| *sum /= count);
        Self { network, offset }
    }

    fn errors(&self, active: &[usize], row: &Scaled) -> impl Iterator<Item = f64> {
        let expected = self.network.predict(row);
        active.iter().zip(&self.offset).map(move |(place, offset)| {
            (f64::from(row[*place]) - f64::from(expected[*place]) - offset).abs()
        })
    }
}

impl Learner for Hollow {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "random neural network whose outputs never read their own metric, one threshold per metric"
    }

    fn draws(&self) -> bool {
        true
    }

    fn refusal(&self, lesson: &Lesson<'_>) -> Option<String> {
        let single = || (lesson.active.len() < 2).then(|| "two metrics are needed".to_owned());
        lesson.refusal().or_else(single)
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let plan = Plan::draw(active, &mut Draw::new(lesson.seed, lesson.device));
        let mut columns = vec![Vec::with_capacity(rows.len()); active.len()];
        held_out(
            &rows,
            |others| Fit::new(&plan, others, active),
            |fit, row| {
                for (column, error) in columns.iter_mut().zip(fit.errors(active, row)) {
                    column.push(error);
                }
            },
        );
        Some(Box::new(HollowModel {
            active: active.to_vec(),
            fit: Fit::new(&plan, &rows.iter().collect::<Vec<_>>(), active),
            limit: limits(columns, lesson.alpha),
        }))
    }
}

impl HollowModel {
    fn ratios(&self, row: &Scaled) -> impl Iterator<Item = (usize, f64)> {
        let errors = self.fit.errors(&self.active, row).zip(&self.limit);
        errors.enumerate().map(|(column, (error, limit))| (column, error / limit))
    }
}

impl Model for HollowModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        self.ratios(row).fold(0.0, |best, (_, ratio)| best.max(ratio))
    }

    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        let (column, _) = largest(self.ratios(row))?;
        let place = self.active[column];
        Some((place, f64::from(self.fit.network.predict(row)[place]) + self.fit.offset[column]))
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            network: self.fit.network.clone(),
            offset: Numbers(self.fit.offset.clone()),
            limit: Numbers(self.limit.clone()),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    Ok(Box::new(HollowModel {
        fit: Fit { network: stored.network, offset: stored.offset.exactly(count, "offset")? },
        limit: stored.limit.positive(count, "limit")?,
        active: stored.head.active,
    }))
}
