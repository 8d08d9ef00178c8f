//! Figures of a binary judgement: what it found, what it cried wolf at, how well it orders.

use serde::{Deserialize, Serialize};

/// One judged window with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Score; larger is more suspicious.
    pub score: f64,
    /// Whether the detector alerts.
    pub alert: bool,
    /// Whether the window holds an attack.
    pub positive: bool,
}

/// Windows by judgement and truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Attack, alert.
    pub true_positives: u64,
    /// Attack, no alert.
    pub false_negatives: u64,
    /// No attack, alert.
    pub false_positives: u64,
    /// No attack, no alert.
    pub true_negatives: u64,
}

impl Counts {
    /// Counts outcomes.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *match (outcome.positive, outcome.alert) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_negatives,
                (false, true) => &mut counts.false_positives,
                (false, false) => &mut counts.true_negatives,
            } += 1;
        }
        counts
    }

    /// Share of the attack windows that alert; `None` without any.
    #[must_use]
    pub fn true_positive_rate(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of the benign windows that alert; `None` without any.
    #[must_use]
    pub fn false_positive_rate(&self) -> Option<f64> {
        share(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// Mean of the shares judged rightly among attack and among benign windows.
    #[must_use]
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(f64::midpoint(self.true_positive_rate()?, 1.0 - self.false_positive_rate()?))
    }

    /// Share of the alerts that are right; `None` without alerts.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Area under the ROC curve: the share of pairs of an attack and a benign window in which the
/// attack scores higher, ties counted half (Mann and Whitney, by midranks). `None` without a pair.
#[must_use]
pub fn area(outcomes: &[Outcome]) -> Option<f64> {
    let (mut below, mut wins, mut positives) = (0.0_f64, 0.0_f64, 0.0_f64);
    for tied in ascending(outcomes).chunk_by(|a, b| a.score == b.score) {
        let positive = tied.iter().filter(|outcome| outcome.positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins = positive.mul_add(below + negative / 2.0, wins);
        below += negative;
        positives += positive;
    }
    (positives > 0.0 && below > 0.0).then(|| wins / (positives * below))
}

/// Points `[false positive rate, true positive rate]` of the ROC curve from `[0, 0]` to `[1, 1]`,
/// reduced to about `limit`; empty without a pair.
#[must_use]
pub fn roc(outcomes: &[Outcome], limit: usize) -> Vec<[f64; 2]> {
    let counts = Counts::of(outcomes);
    let positives = (counts.true_positives + counts.false_negatives) as f64;
    let negatives = (counts.false_positives + counts.true_negatives) as f64;
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let (mut found, mut wrong) = (0.0, 0.0);
    let mut points = vec![[0.0, 0.0]];
    let sorted = ascending(outcomes);
    for tied in sorted.chunk_by(|a, b| a.score == b.score).rev() {
        let positive = tied.iter().filter(|outcome| outcome.positive).count() as f64;
        found += positive;
        wrong += tied.len() as f64 - positive;
        points.push([wrong / negatives, found / positives]);
    }
    reduce(&points, limit.max(2))
}

fn ascending(outcomes: &[Outcome]) -> Vec<Outcome> {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    sorted
}

/// Leaves out points that lie closer to the last kept one than a step of the curve's length.
fn reduce(points: &[[f64; 2]], limit: usize) -> Vec<[f64; 2]> {
    let step = 2.0 / (limit - 1) as f64;
    let mut kept: Vec<[f64; 2]> = Vec::with_capacity(limit.min(points.len()));
    for (place, point) in points.iter().enumerate() {
        let far =
            kept.last().is_none_or(|last| (point[0] - last[0]) + (point[1] - last[1]) >= step);
        // A corner is where the curve turns: without it a steep curve would be drawn as a slope.
        let corner = place > 0
            && points.get(place + 1).is_some_and(|next| {
                let turn = (point[0] - points[place - 1][0]) * (next[1] - point[1])
                    - (point[1] - points[place - 1][1]) * (next[0] - point[0]);
                turn.abs() > step * step / 4.0
            });
        if far || corner || place + 1 == points.len() {
            kept.push(*point);
        }
    }
    kept
}

/// Smallest, middle and largest of the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// Median.
    pub median: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of some values; `None` for none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { min, median, max })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
        let one = (0_u8..12, any::<bool>(), any::<bool>()).prop_map(|(score, alert, positive)| {
            Outcome { score: f64::from(score) / 4.0, alert, positive }
        });
        proptest::collection::vec(one, 0..60)
    }

    /// Every pair, one by one.
    fn area_by_pairs(outcomes: &[Outcome]) -> Option<f64> {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for positive in outcomes.iter().filter(|outcome| outcome.positive) {
            for negative in outcomes.iter().filter(|outcome| !outcome.positive) {
                pairs += 1.0;
                wins += if positive.score > negative.score {
                    1.0
                } else if positive.score == negative.score {
                    0.5
                } else {
                    0.0
                };
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }

    proptest! {
        #[test]
        fn area_is_the_share_of_pairs_won(outcomes in outcomes()) {
            match (area(&outcomes), area_by_pairs(&outcomes)) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-12, "{a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }

        #[test]
        fn the_other_way_round_is_the_complement(outcomes in outcomes()) {
            let turned: Vec<Outcome> =
                outcomes.iter().map(|one| Outcome { score: -one.score, ..*one }).collect();
            if let (Some(a), Some(b)) = (area(&outcomes), area(&turned)) {
                prop_assert!((a + b - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn counts_add_up(outcomes in outcomes()) {
            let counts = Counts::of(&outcomes);
            let all = counts.true_positives + counts.false_negatives
                + counts.false_positives + counts.true_negatives;
            prop_assert_eq!(all as usize, outcomes.len());
            for rate in [counts.true_positive_rate(), counts.false_positive_rate(),
                counts.precision(), counts.balanced_accuracy()].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&rate));
            }
        }

        #[test]
        fn the_whole_curve_has_the_area(outcomes in outcomes()) {
            let points = roc(&outcomes, 1_000_000);
            let curve: f64 = points
                .windows(2)
                .map(|pair| (pair[1][0] - pair[0][0]) * f64::midpoint(pair[0][1], pair[1][1]))
                .sum();
            match area(&outcomes) {
                Some(area) => prop_assert!((curve - area).abs() < 1e-9, "{curve} {area}"),
                None => prop_assert!(points.is_empty()),
            }
        }

        #[test]
        fn reduced_curves_keep_their_ends(outcomes in outcomes(), limit in 2_usize..20) {
            let points = roc(&outcomes, limit);
            if let (Some(first), Some(last)) = (points.first(), points.last()) {
                prop_assert_eq!((*first, *last), ([0.0, 0.0], [1.0, 1.0]));
            }
        }
    }

    #[test]
    fn spreads_of_few_values() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([2.0]), Some(Spread { min: 2.0, median: 2.0, max: 2.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
    }
}
