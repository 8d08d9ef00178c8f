//! The model of one device and its judgement of a window.

use serde::{Deserialize, Serialize};

use crate::features::Values;
use crate::host::Host;
use crate::metrics::{METRICS, Metric};
use crate::network::{Network, Scaled};
use crate::novelty::KnownKeys;
use crate::preparation::{Preparation, scale_values};

/// Which judge measured an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// Distance of one metric from its mean in training.
    Range,
    /// Distance of one metric from what the random neural network expects, given the others.
    Network,
}

impl Judge {
    /// Name in explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Network => "network",
        }
    }
}

/// One reason of a judgement: a metric, what was measured and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The metric.
    pub metric: Metric,
    /// Its value in the window, in its own unit.
    pub measured: f64,
    /// What training (or the network, given the other metrics) leads to expect, in the same unit.
    pub expected: f64,
    /// The judge that measured the error.
    pub judge: Judge,
    /// Error divided by its threshold: above 1 is an alert. Comparable between devices.
    pub ratio: f64,
}

/// Judged numbers of one metric; only metrics the model judges have one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricModel {
    /// The metric.
    pub metric: Metric,
    /// `x = ln(1 + v) / scale`.
    pub scale: f64,
    /// Mean of `x` in training.
    pub mean: f64,
    /// Threshold of `|x − mean|`.
    pub range_limit: f64,
    /// Mean of `x − y` in training, `y` the network's expectation.
    pub residual_mean: f64,
    /// Threshold of `|x − y − residual_mean|`; absent without network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network_limit: Option<f64>,
}

/// What is known of the training of a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// Windows with traffic.
    pub windows: u64,
    /// Start of the first window, microseconds since the Unix epoch.
    pub first_us: i64,
    /// End of the last window, microseconds since the Unix epoch.
    pub last_us: i64,
    /// Share of benign windows that may alert, as asked for.
    pub alpha: f64,
    /// Measured beside it: windows of a held-out time block (of five) that alert under thresholds
    /// from the other blocks. The honest estimate of the false-alarm rate is this over `windows`.
    pub held_out_alarms: u64,
}

/// Below so many training windows no method has a useful false-alarm rate.
pub const RELIABLE_WINDOWS: u64 = 100;

/// The model of one device (or of all devices together).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceModel {
    /// The device; `None` for the pooled model.
    pub device: Option<Host>,
    /// Last MAC address seen in training.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<Host>,
    /// Facts of the training.
    pub training: TrainingFacts,
    /// The judged metrics.
    pub metrics: Vec<MetricModel>,
    /// Keys seen in training; empty where novelty is not judged.
    pub known: KnownKeys,
    /// The network; absent after a very short training.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
    /// Whether the network may raise an alert. After a short training it only advises: its error
    /// is measured and told beside the range's, but does not count.
    pub network_votes: bool,
}

/// Reasons a judgement keeps, the strongest first.
pub const MAX_REASONS: usize = 5;

/// What a model says about one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// Largest error over its threshold, of the judges that vote; above 1 is an alert.
    pub score: f64,
    /// Largest error over its threshold of the range judge.
    pub range: f64,
    /// Largest error over its threshold of the network, voting or not; `None` without network.
    pub network: Option<f64>,
    reasons: [Option<Reason>; MAX_REASONS],
}

impl Judgement {
    /// Whether the window deviates.
    #[inline]
    #[must_use]
    pub fn alert(&self) -> bool {
        self.score > 1.0
    }

    /// The strongest reasons, strongest first: all that alert (at most [`MAX_REASONS`]), or the
    /// single strongest of a quiet window.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().flatten()
    }

    /// The judgement where there is no model.
    #[must_use]
    pub const fn none() -> Self {
        Self { score: 0.0, range: 0.0, network: None, reasons: [None; MAX_REASONS] }
    }
}

/// A model made ready for judging: numbers in the order of the metric vectors.
#[derive(Clone, Debug)]
pub struct Judges {
    inverse_scale: Scaled,
    mean: Scaled,
    inverse_range_limit: Scaled,
    network: Option<NetworkJudge>,
}

#[derive(Clone, Debug)]
struct NetworkJudge {
    network: Network,
    residual_mean: Scaled,
    inverse_limit: Scaled,
    votes: bool,
}

impl DeviceModel {
    /// Whether context counts are judged.
    #[must_use]
    pub fn has_context(&self) -> bool {
        self.metrics.iter().any(|metric| metric.metric.is_context())
    }

    /// Whether so few windows were seen that false alarms must be expected.
    #[must_use]
    pub fn is_unreliable(&self) -> bool {
        self.training.windows < RELIABLE_WINDOWS
    }

    /// Name of the detector in the output contract: what is shipped is one ensemble, whichever of its
    /// judges have a vote (see [`Self::network_votes`]).
    #[must_use]
    pub fn detector(&self) -> &'static str {
        "ensemble"
    }

    /// What turns a later window of the device into a row, as in training.
    #[must_use]
    pub fn preparation(&self) -> Preparation {
        let scales = self.metrics.iter().map(|metric| (metric.metric, metric.scale));
        Preparation::new(scales, self.known.clone())
    }

    /// Makes the model ready for judging.
    #[must_use]
    pub fn judges(&self) -> Judges {
        let fill = |value: &dyn Fn(&MetricModel) -> f64| {
            let mut filled = [0.0_f32; METRICS];
            for metric in &self.metrics {
                filled[metric.metric.index()] = value(metric) as f32;
            }
            filled
        };
        Judges {
            inverse_scale: fill(&|metric| 1.0 / metric.scale),
            mean: fill(&|metric| metric.mean),
            inverse_range_limit: fill(&|metric| 1.0 / metric.range_limit),
            network: self.network.clone().map(|network| NetworkJudge {
                network,
                residual_mean: fill(&|metric| metric.residual_mean),
                inverse_limit: fill(&|metric| {
                    metric.network_limit.map_or(0.0, |limit| 1.0 / limit)
                }),
                votes: self.network_votes,
            }),
        }
    }
}

impl Judges {
    /// Whether there is a network that may raise an alert.
    #[inline]
    #[must_use]
    pub fn network_votes(&self) -> bool {
        self.network.as_ref().is_some_and(|judge| judge.votes)
    }

    /// Judges the values of one window.
    #[must_use]
    pub fn judge(&self, values: &Values) -> Judgement {
        self.judge_by(values, self.network.as_ref())
    }

    /// Judges the values of one window without asking a network that has no vote: the same score for
    /// less work.
    #[must_use]
    pub fn judge_by_votes(&self, values: &Values) -> Judgement {
        self.judge_by(values, self.network.as_ref().filter(|judge| judge.votes))
    }

    fn judge_by(&self, values: &Values, network: Option<&NetworkJudge>) -> Judgement {
        let x = scale_values(values, &self.inverse_scale);
        let range: Scaled = std::array::from_fn(|metric| {
            (x[metric] - self.mean[metric]).abs() * self.inverse_range_limit[metric]
        });
        let network = network.filter(|judge| judge.network.knows(&x));
        let expected = network.map(|judge| {
            let y = judge.network.predict(&x);
            let ratio: Scaled = std::array::from_fn(|metric| {
                (x[metric] - y[metric] - judge.residual_mean[metric]).abs()
                    * judge.inverse_limit[metric]
            });
            (y, ratio)
        });
        let largest = |ratios: &Scaled| ratios.iter().copied().fold(0.0_f32, f32::max);
        let range_score = largest(&range);
        let network_score = expected.as_ref().map(|(_, ratios)| largest(ratios));
        let votes = self.network_votes();
        let score =
            network_score.filter(|_| votes).map_or(range_score, |network| network.max(range_score));
        let mut strongest = Strongest { floor: score.min(1.0), ..Strongest::default() };
        for (place, ratio) in range.iter().enumerate() {
            strongest.offer(Judge::Range, place, *ratio, self.mean[place]);
        }
        if let (Some((y, ratios)), Some(judge), true) = (&expected, network, votes) {
            for (place, ratio) in ratios.iter().enumerate() {
                strongest.offer(
                    Judge::Network,
                    place,
                    *ratio,
                    y[place] + judge.residual_mean[place],
                );
            }
        }
        Judgement {
            score: f64::from(score),
            range: f64::from(range_score),
            network: network_score.map(f64::from),
            reasons: strongest.kept.map(|kept| kept.and_then(|kept| self.explain(&kept, values))),
        }
    }

    fn explain(&self, candidate: &Candidate, values: &Values) -> Option<Reason> {
        let place = candidate.place;
        let expected = f64::from(candidate.expected / self.inverse_scale[place]);
        Some(Reason {
            metric: Metric::from_index(place)?,
            measured: values[place],
            expected: if expected > 0.0 { expected.exp() - 1.0 } else { 0.0 },
            judge: candidate.judge,
            ratio: f64::from(candidate.ratio),
        })
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    place: usize,
    judge: Judge,
    ratio: f32,
    /// In scaled units.
    expected: f32,
}

/// The strongest errors so far, strongest first, at most one a metric.
#[derive(Default)]
struct Strongest {
    /// Ratios below this are no reason: 1, or the score of a quiet window.
    floor: f32,
    kept: [Option<Candidate>; MAX_REASONS],
}

impl Strongest {
    #[inline]
    fn offer(&mut self, judge: Judge, place: usize, ratio: f32, expected: f32) {
        if ratio >= self.floor && ratio > 0.0 {
            self.insert(Candidate { place, judge, ratio, expected });
        }
    }

    fn insert(&mut self, candidate: Candidate) {
        let mut new = Some(candidate);
        for kept in &mut self.kept {
            let weaker = kept.is_none_or(|kept| new.is_some_and(|new| new.ratio > kept.ratio));
            if !weaker {
                if kept.is_some_and(|kept| kept.place == candidate.place) {
                    return;
                }
                continue;
            }
            std::mem::swap(kept, &mut new);
            // The displaced error moves down, unless it is the same metric by the other judge.
            if new.is_none_or(|displaced| displaced.place == candidate.place) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn model() -> DeviceModel {
        let metric = |metric, mean| MetricModel {
            metric,
            scale: 2.0,
            mean,
            range_limit: 0.5,
            residual_mean: 0.0,
            network_limit: None,
        };
        DeviceModel {
            device: None,
            mac: None,
            training: TrainingFacts {
                windows: 40,
                first_us: 0,
                last_us: 1,
                alpha: 0.005,
                held_out_alarms: 0,
            },
            metrics: vec![metric(Metric::PacketsOut, 1.0), metric(Metric::SynOut, 0.0)],
            known: KnownKeys::default(),
            network: None,
            network_votes: false,
        }
    }

    #[test]
    fn the_largest_ratio_decides_and_explains() {
        let mut values = [0.0; METRICS];
        values[Metric::PacketsOut.index()] = 2.0_f64.exp() - 1.0;
        values[Metric::SynOut.index()] = 99.0;
        values[Metric::BytesOut.index()] = 1e12;
        let judgement = model().judges().judge(&values);
        assert!((judgement.score - 100.0_f64.ln()).abs() < 1e-4, "{judgement:?}");
        assert!(judgement.alert());
        let reasons: Vec<_> = judgement.reasons().collect();
        assert_eq!(reasons.len(), 1);
        assert_eq!((reasons[0].metric, reasons[0].judge), (Metric::SynOut, Judge::Range));
        assert_eq!((reasons[0].measured, reasons[0].expected), (99.0, 0.0));
    }

    #[test]
    fn a_quiet_window_names_its_strongest_metric() {
        let mut values = [0.0; METRICS];
        values[Metric::PacketsOut.index()] = 4.0;
        let judgement = model().judges().judge(&values);
        assert!(!judgement.alert());
        let reasons: Vec<_> = judgement.reasons().collect();
        assert_eq!(reasons.len(), 1);
        assert!((reasons[0].expected - (2.0_f64.exp() - 1.0)).abs() < 1e-4);
    }

    proptest! {
        #[test]
        fn reasons_are_ordered_and_distinct(raw in proptest::collection::vec(0.0..1e6_f64, METRICS)) {
            let mut all = model();
            all.metrics = crate::metrics::ALL[..METRICS]
                .iter()
                .map(|&metric| MetricModel { metric, scale: 1.0, mean: 0.0, range_limit: 1.0, residual_mean: 0.0, network_limit: None })
                .collect();
            let values: Values = std::array::from_fn(|metric| raw[metric]);
            let judgement = all.judges().judge(&values);
            let reasons: Vec<_> = judgement.reasons().collect();
            prop_assert!(reasons.windows(2).all(|pair| pair[0].ratio >= pair[1].ratio && pair[0].metric != pair[1].metric));
            prop_assert_eq!(reasons.first().map_or(0.0, |reason| reason.ratio), judgement.score);
        }
    }
}
