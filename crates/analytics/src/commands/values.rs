//! Values written to one point.

use serde::{Deserialize, Serialize};

/// Different values above which a point is a quantity and not a choice.
const MAX_CHOICES: usize = 8;
/// Writes that each choice needs on average before the choices count as complete.
const WRITES_PER_CHOICE: u64 = 4;
/// Share of its range by which a quantity may leave it.
const MARGIN: f64 = 0.1;
/// Share of the largest step by which a step may exceed it.
const STEP_MARGIN: f64 = 0.5;
/// Writes before the steps of a quantity are judged.
const WRITES_FOR_STEPS: u64 = 20;

/// How a value fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As learned.
    Usual,
    /// Not one of the values, or out of their range.
    Value,
    /// In range, but far from the value before.
    Step,
}

/// What was written to one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointValues {
    /// Address space.
    pub space: u32,
    /// The point.
    pub point: u32,
    /// Writes learned from.
    pub writes: u64,
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
    /// Largest change between two writes.
    pub step: f64,
    /// The only values, while they are few; empty for a quantity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<f64>,
}

impl PointValues {
    /// A point after its first write.
    #[must_use]
    pub fn new(space: u32, point: u32, value: f64) -> Self {
        Self { space, point, writes: 1, low: value, high: value, step: 0.0, only: vec![value] }
    }

    /// Takes in a write; `before` is the value written last.
    pub fn learn(&mut self, value: f64, before: Option<f64>) {
        self.writes += 1;
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        if let Some(before) = before {
            self.step = self.step.max((value - before).abs());
        }
        if !self.only.is_empty() && !self.only.contains(&value) {
            if self.only.len() >= MAX_CHOICES {
                self.only.clear();
            } else {
                self.only.push(value);
                self.only.sort_by(f64::total_cmp);
            }
        }
    }

    /// Whether the values are a closed choice.
    #[must_use]
    pub const fn is_choice(&self) -> bool {
        !self.only.is_empty() && self.writes >= self.only.len() as u64 * WRITES_PER_CHOICE
    }

    /// Judges a write.
    #[must_use]
    pub fn judge(&self, value: f64, before: Option<f64>) -> Verdict {
        if self.is_choice() {
            return if self.only.contains(&value) { Verdict::Usual } else { Verdict::Value };
        }
        let margin = (self.high - self.low) * MARGIN;
        if !(self.low - margin..=self.high + margin).contains(&value) {
            return Verdict::Value;
        }
        let limit = self.step * (1.0 + STEP_MARGIN);
        let far = before.is_some_and(|before| (value - before).abs() > limit);
        if far && self.writes >= WRITES_FOR_STEPS { Verdict::Step } else { Verdict::Usual }
    }

    /// What is expected, in plain words.
    #[must_use]
    pub fn expected(&self) -> String {
        if self.is_choice() {
            let all: Vec<String> = self.only.iter().map(f64::to_string).collect();
            return match all.as_slice() {
                [one] => format!("always {one} ({} writes)", self.writes),
                _ => format!("one of {} ({} writes)", all.join(", "), self.writes),
            };
        }
        format!("{} to {}, steps up to {} ({} writes)", self.low, self.high, self.step, self.writes)
    }

    /// Whether the numbers make sense.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.low.is_finite()
            && self.high.is_finite()
            && self.low <= self.high
            && self.step >= 0.0
            && self.step.is_finite()
            && self.only.iter().all(|value| value.is_finite())
            && self.only.len() <= MAX_CHOICES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_choices_and_quantities() {
        let mut constant = PointValues::new(4, 1, 7.0);
        (0..5).for_each(|_| constant.learn(7.0, Some(7.0)));
        assert_eq!(constant.judge(7.0, None), Verdict::Usual);
        assert_eq!(constant.judge(8.0, None), Verdict::Value);
        assert!(constant.expected().contains("always 7"));

        let mut quantity = PointValues::new(4, 2, 0.0);
        (1..=100).for_each(|value| quantity.learn(f64::from(value), Some(f64::from(value - 1))));
        assert_eq!(quantity.judge(105.0, Some(104.0)), Verdict::Usual);
        assert_eq!(quantity.judge(150.0, None), Verdict::Value);
        assert_eq!(quantity.judge(50.0, Some(10.0)), Verdict::Step);
        assert!(quantity.only.is_empty());
    }
}
