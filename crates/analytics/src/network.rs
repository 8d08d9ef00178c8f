//! The hollow auto-associative random neural network.
//!
//! One hidden layer of dense clusters in groups. A group reads half of the metrics and predicts the
//! other half, so no output ever reads the metric it reproduces: an output that did would learn the
//! identity, and a single metric far out would be reproduced instead of missed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::draw::Draw;
use crate::metrics::{COUNTS, METRICS};
use crate::ridge::{cholesky, solve};
use crate::threshold::quantile;
use crate::zeta::DETECTOR_CLUSTER;

/// Groups of clusters, in pairs that read each other's complement.
pub const GROUPS: usize = 16;
/// Clusters of a group.
pub const CLUSTERS: usize = 8;
/// Hidden cells of the network.
pub const HIDDEN: usize = GROUPS * CLUSTERS;
const PAIRS: usize = GROUPS / 2;
/// Windows a fit uses at most; of more, evenly spread ones are taken. A group has eight weights for
/// each output: two thousand windows fit them as well as fifty thousand (measured), far sooner.
pub const MAX_FIT_WINDOWS: usize = 2_000;
/// Training quantile of a cluster's input that is brought to `0.2·u`.
const DRIVE_QUANTILE: f64 = 0.95;
const DRIVE: f64 = 0.2;
const SPREAD: (f64, f64) = (0.3, 3.0);
const RIDGE: f64 = 1e-4;
const RIDGE_FLOOR: f64 = 1e-9;

/// Scaled metrics of one window (`x`), single precision, order of [`crate::metrics::ALL`].
pub type Scaled = [f32; METRICS];

/// Random part of the network, drawn once per device: which metrics each cluster reads, how
/// strongly, and how far it is driven.
pub(crate) struct Plan {
    groups: Vec<GroupPlan>,
}

struct GroupPlan {
    reads: Vec<usize>,
    predicts: Vec<usize>,
    /// `reads.len() × CLUSTERS`, row-major.
    weights: Vec<f64>,
    drive: [f64; CLUSTERS],
}

impl Plan {
    /// Draws a plan over the metrics a model judges.
    pub(crate) fn draw(active: &[usize], draw: &mut Draw) -> Self {
        let mut groups = Vec::with_capacity(GROUPS);
        for _ in 0..PAIRS {
            let mut order = active.to_vec();
            draw.shuffle(&mut order);
            let (first, second) = order.split_at(order.len() / 2);
            for (reads, predicts) in [(first, second), (second, first)] {
                groups.push(GroupPlan::draw(reads, predicts, draw));
            }
        }
        Self { groups }
    }
}

impl GroupPlan {
    fn draw(reads: &[usize], predicts: &[usize], draw: &mut Draw) -> Self {
        let inputs = reads.len();
        let keep = (3.0 / inputs.max(1) as f64).clamp(0.3, 1.0);
        let mut weights = vec![0.0; inputs * CLUSTERS];
        for cluster in 0..CLUSTERS {
            let mut linked = false;
            for input in 0..inputs {
                let weight = draw.unit();
                if draw.unit() < keep {
                    weights[input * CLUSTERS + cluster] = weight;
                    linked = true;
                }
            }
            if !linked && inputs > 0 {
                weights[draw.below(inputs) * CLUSTERS + cluster] = draw.unit();
            }
        }
        let drive = std::array::from_fn(|_| DRIVE * draw.between(SPREAD.0, SPREAD.1));
        Self { reads: reads.to_vec(), predicts: predicts.to_vec(), weights, drive }
    }

    /// Inputs of the clusters in each row, as drawn.
    fn drives(&self, rows: &[&Scaled]) -> Vec<[f64; CLUSTERS]> {
        let (weights, _) = self.weights.as_chunks::<CLUSTERS>();
        let drive = |row: &&Scaled| {
            let mut drive = [0.0; CLUSTERS];
            for (metric, weights) in self.reads.iter().zip(weights) {
                let value = f64::from(row[*metric]);
                if value != 0.0 {
                    drive.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                }
            }
            drive
        };
        rows.iter().map(drive).collect()
    }

    /// Factor of each cluster that spreads its training input over the range of ζ.
    fn scales(&self, drives: &[[f64; CLUSTERS]]) -> [f64; CLUSTERS] {
        let mut column = vec![0.0; drives.len()];
        std::array::from_fn(|cluster| {
            column.iter_mut().zip(drives).for_each(|(own, drive)| *own = drive[cluster]);
            let (weights, _) = self.weights.as_chunks::<CLUSTERS>();
            let largest = weights.iter().map(|weights| weights[cluster]).fold(1e-6, f64::max);
            self.drive[cluster] / quantile(&mut column, DRIVE_QUANTILE).max(0.1 * largest)
        })
    }
}

/// The trained network, folded into one pass each way: `y = ζ(x·W₁)·W₂ + b`.
///
/// Of the two groups of a pair one predicts a metric and the other reads it, so of each matrix only
/// half can differ from 0, and only that half is kept.
#[derive(Clone, PartialEq)]
pub struct Network {
    /// For each metric and pair, which of the two groups predicts the metric (0 or 1).
    sides: Box<[[u8; PAIRS]; METRICS]>,
    /// Weights from a metric into the reading group of each pair.
    input: Box<Weights>,
    /// Weights from the predicting group of each pair to a metric.
    output: Box<Weights>,
    bias: Scaled,
    /// The most of each metric in training.
    most: Scaled,
    /// Metrics with an output; those that never moved in training have none, and cost nothing.
    predicted: [bool; METRICS],
}

type Weights = [[[f32; CLUSTERS]; PAIRS]; METRICS];

impl Network {
    fn empty() -> Self {
        Self {
            sides: Box::new([[0; PAIRS]; METRICS]),
            input: Box::new([[[0.0; CLUSTERS]; PAIRS]; METRICS]),
            output: Box::new([[[0.0; CLUSTERS]; PAIRS]; METRICS]),
            bias: [0.0; METRICS],
            most: [0.0; METRICS],
            predicted: [false; METRICS],
        }
    }

    /// Notes which metrics have an output.
    fn with_outputs_noted(mut self) -> Self {
        let outputs = self.output.iter().zip(&self.bias);
        self.predicted.iter_mut().zip(outputs).for_each(|(predicted, (weights, bias))| {
            *predicted = *bias != 0.0 || weights.as_flattened().iter().any(|weight| *weight != 0.0);
        });
        self
    }

    /// Fits the outputs of a plan to benign rows.
    pub(crate) fn fit(plan: &Plan, rows: &[&Scaled]) -> Self {
        let rows: Vec<&Scaled> = rows.iter().step_by(fit_step(rows.len())).copied().collect();
        let mut network = Self::empty();
        for row in &rows {
            let most = network.most.iter_mut().zip(row.iter());
            most.for_each(|(most, value)| *most = most.max(*value));
        }
        for (place, group) in plan.groups.iter().enumerate() {
            network.fit_group(place / 2, (place % 2) as u8, group, &rows);
        }
        network.with_outputs_noted()
    }

    fn fit_group(&mut self, pair: usize, side: u8, group: &GroupPlan, rows: &[&Scaled]) {
        let mut hidden = group.drives(rows);
        let scales = group.scales(&hidden);
        let (weights, _) = group.weights.as_chunks::<CLUSTERS>();
        for (metric, weights) in group.reads.iter().zip(weights) {
            self.input[*metric][pair] =
                std::array::from_fn(|cluster| (weights[cluster] * scales[cluster]) as f32);
        }
        for cells in &mut hidden {
            for (cell, scale) in cells.iter_mut().zip(scales) {
                *cell = f64::from(DETECTOR_CLUSTER.activate_f32((*cell * scale) as f32));
            }
        }
        let count = rows.len().max(1) as f64;
        let mut mean = [0.0; CLUSTERS];
        for cells in &hidden {
            mean.iter_mut().zip(cells).for_each(|(mean, cell)| *mean += cell / count);
        }
        let lower = factor(&hidden, &mean, count);
        for metric in &group.predicts {
            let target = rows.iter().map(|row| f64::from(row[*metric])).sum::<f64>() / count;
            let mut weight = [0.0; CLUSTERS];
            // Without a factor (which a finite input never gives) the mean is still right.
            if let Some(lower) = &lower {
                for (row, cells) in rows.iter().zip(&hidden) {
                    let centred = (f64::from(row[*metric]) - target) / count;
                    for ((sum, cell), mean) in weight.iter_mut().zip(cells).zip(mean) {
                        *sum += (cell - mean) * centred;
                    }
                }
                solve(lower, CLUSTERS, &mut weight);
            }
            let offset = target - weight.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>();
            self.sides[*metric][pair] = side;
            self.bias[*metric] += (offset / PAIRS as f64) as f32;
            self.output[*metric][pair] = weight.map(|weight| (weight / PAIRS as f64) as f32);
        }
    }

    /// Whether nothing in a row is more than in training. Of what is, the network knows nothing: its
    /// cells would be driven where no training has been, and the range judge speaks of it.
    #[inline]
    #[must_use]
    pub fn knows(&self, x: &Scaled) -> bool {
        x.iter().zip(&self.most).all(|(value, most)| value <= most)
    }

    /// What the network expects each metric to be, given the others. Scaled units.
    #[must_use]
    pub fn predict(&self, x: &Scaled) -> Scaled {
        let mut hidden = [[[0.0_f32; CLUSTERS]; 2]; PAIRS];
        for ((value, sides), weights) in x.iter().zip(self.sides.iter()).zip(self.input.iter()) {
            if *value != 0.0 {
                for ((pair, side), weights) in hidden.iter_mut().zip(sides).zip(weights) {
                    let reader = &mut pair[usize::from(1 - (side & 1))];
                    for (cell, weight) in reader.iter_mut().zip(weights) {
                        *cell += value * weight;
                    }
                }
            }
        }
        for cell in hidden.as_flattened_mut().as_flattened_mut() {
            *cell = DETECTOR_CLUSTER.activate_f32(*cell);
        }
        let mut y = self.bias;
        let outputs = self.predicted.iter().zip(self.sides.iter()).zip(self.output.iter());
        for (y, ((predicted, sides), weights)) in y.iter_mut().zip(outputs) {
            if !predicted {
                continue;
            }
            let mut sums = [0.0_f32; CLUSTERS];
            for ((pair, side), weights) in hidden.iter().zip(sides).zip(weights) {
                let predictor = &pair[usize::from(side & 1)];
                for ((sum, cell), weight) in sums.iter_mut().zip(predictor).zip(weights) {
                    *sum += cell * weight;
                }
            }
            *y += sums.iter().sum::<f32>();
        }
        y
    }

    fn is_finite(&self) -> bool {
        let weights = self.input.iter().chain(self.output.iter()).flatten().flatten();
        weights.chain(&self.bias).chain(&self.most).all(|value| value.is_finite())
    }
}

/// Every how many rows a fit takes one.
pub(crate) fn fit_step(rows: usize) -> usize {
    rows.div_ceil(MAX_FIT_WINDOWS).max(1)
}

/// Factor of the regularised covariance of the hidden cells.
fn factor(hidden: &[[f64; CLUSTERS]], mean: &[f64; CLUSTERS], count: f64) -> Option<Vec<f64>> {
    let mut gram = vec![0.0; CLUSTERS * CLUSTERS];
    for cells in hidden {
        for a in 0..CLUSTERS {
            for b in 0..=a {
                gram[a * CLUSTERS + b] += (cells[a] - mean[a]) * (cells[b] - mean[b]) / count;
            }
        }
    }
    let trace: f64 = (0..CLUSTERS).map(|cell| gram[cell * CLUSTERS + cell]).sum();
    for a in 0..CLUSTERS {
        gram[a * CLUSTERS + a] += RIDGE * trace / CLUSTERS as f64 + RIDGE_FLOOR;
        for b in 0..a {
            gram[b * CLUSTERS + a] = gram[a * CLUSTERS + b];
        }
    }
    cholesky(&gram, CLUSTERS)
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Network({METRICS} metrics, {HIDDEN} clusters)")
    }
}

/// The stored form: sides as bytes and little-endian single-precision numbers, in base64.
#[derive(Serialize, Deserialize)]
struct Stored {
    groups: usize,
    clusters: usize,
    sides: String,
    input: String,
    output: String,
    bias: String,
    #[serde(default)]
    most: String,
}

fn encode(values: &[f32]) -> String {
    STANDARD.encode(values.iter().copied().flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
}

fn decode_bytes(text: &str, target: &mut [u8], name: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(text).map_err(|error| format!("network {name}: {error}"))?;
    if bytes.len() != target.len() {
        return Err(format!(
            "network {name} holds {} bytes instead of {}",
            bytes.len(),
            target.len()
        ));
    }
    target.copy_from_slice(&bytes);
    Ok(())
}

fn decode(text: &str, target: &mut [f32], name: &str) -> Result<(), String> {
    let mut bytes = vec![0_u8; target.len() * 4];
    decode_bytes(text, &mut bytes, name)?;
    let (words, _) = bytes.as_chunks::<4>();
    target.iter_mut().zip(words).for_each(|(value, word)| *value = f32::from_le_bytes(*word));
    Ok(())
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            groups: GROUPS,
            clusters: CLUSTERS,
            sides: STANDARD.encode(self.sides.as_flattened()),
            input: encode(self.input.as_flattened().as_flattened()),
            output: encode(self.output.as_flattened().as_flattened()),
            bias: encode(&self.bias),
            most: encode(&self.most),
        }
        .serialize(serializer)
    }
}

impl Stored {
    fn open(&self) -> Result<Network, String> {
        if (self.groups, self.clusters) != (GROUPS, CLUSTERS) {
            return Err(format!(
                "network of {} groups of {} clusters: this build runs {GROUPS} of {CLUSTERS}",
                self.groups, self.clusters
            ));
        }
        let mut network = Network::empty();
        let sides =
            STANDARD.decode(&self.sides).map_err(|error| format!("network sides: {error}"))?;
        // A network of before may know fewer metrics; the weights of the others stay 0.
        let rows = (sides.len() / PAIRS).clamp(COUNTS, METRICS);
        let weights = rows * PAIRS * CLUSTERS;
        decode_bytes(&self.sides, &mut network.sides.as_flattened_mut()[..rows * PAIRS], "sides")?;
        for (text, target, name) in [
            (&self.input, &mut network.input, "input"),
            (&self.output, &mut network.output, "output"),
        ] {
            decode(text, &mut target.as_flattened_mut().as_flattened_mut()[..weights], name)?;
        }
        decode(&self.bias, &mut network.bias[..rows], "bias")?;
        if self.most.is_empty() {
            // A network of before was asked about everything.
            network.most = [f32::MAX; METRICS];
        } else {
            decode(&self.most, &mut network.most[..rows], "most")?;
        }
        if network.sides.as_flattened().iter().any(|side| *side > 1) {
            return Err("network names a group that does not exist".to_owned());
        }
        if !network.is_finite() {
            return Err("network holds numbers that are not finite".to_owned());
        }
        Ok(network.with_outputs_noted())
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer)?.open().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Rows in which every metric follows from one hidden cause.
    fn rows(count: usize) -> Vec<Scaled> {
        let mut draw = Draw::new(1, "rows");
        (0..count)
            .map(|_| {
                let cause = draw.unit();
                std::array::from_fn(|metric| (cause * (0.5 + metric as f64 / 40.0)) as f32)
            })
            .collect()
    }

    fn fit(seed: u64) -> (Network, Vec<Scaled>) {
        let rows = rows(500);
        let active: Vec<usize> = (0..METRICS).collect();
        let plan = Plan::draw(&active, &mut Draw::new(seed, "device"));
        (Network::fit(&plan, &rows.iter().collect::<Vec<_>>()), rows)
    }

    #[test]
    fn related_metrics_are_reproduced() {
        let (network, rows) = fit(7);
        let errors = rows.iter().flat_map(|row| {
            let y = network.predict(row);
            (0..METRICS).map(move |metric| (row[metric] - y[metric]).abs())
        });
        let worst = errors.fold(0.0, f32::max);
        assert!(worst < 0.08, "{worst}");
    }

    #[test]
    fn outputs_never_read_their_own_input() {
        let (network, rows) = fit(7);
        for metric in 0..METRICS {
            let mut changed = rows[0];
            changed[metric] += 5.0;
            let (before, after) = (network.predict(&rows[0]), network.predict(&changed));
            assert_eq!(before[metric], after[metric], "metric {metric}");
            assert!(before.iter().zip(after).any(|(a, b)| (a - b).abs() > 1e-3));
        }
    }

    #[test]
    fn what_training_never_saw_is_not_known() {
        let (network, mut rows) = fit(7);
        assert!(rows.iter().all(|row| network.knows(row)));
        rows[0][3] += 1.0;
        assert!(!network.knows(&rows[0]));
        let json = serde_json::to_value(&network).unwrap();
        let again: Network = serde_json::from_value(json.clone()).unwrap();
        assert!(!again.knows(&rows[0]));
        let mut before = json;
        before.as_object_mut().unwrap().remove("most");
        assert!(serde_json::from_value::<Network>(before).unwrap().knows(&rows[0]));
    }

    #[test]
    fn the_seed_decides_everything() {
        let json = |seed| serde_json::to_string(&fit(seed).0).unwrap();
        assert_eq!(json(3), json(3));
        assert_ne!(json(3), json(4));
    }

    #[test]
    fn stored_form_round_trips_and_refuses_damage() {
        let (network, _) = fit(9);
        let json = serde_json::to_string(&network).unwrap();
        assert!(serde_json::from_str::<Network>(&json).unwrap() == network);
        let shorter = json.replacen("\"bias\":\"", "\"bias\":\"AAAA", 1);
        assert!(serde_json::from_str::<Network>(&shorter).is_err());
        let other = json.replacen("\"groups\":16", "\"groups\":2", 1);
        assert!(
            serde_json::from_str::<Network>(&other).unwrap_err().to_string().contains("2 groups")
        );
    }

    #[test]
    fn constant_metrics_divide_by_nothing() {
        let rows = vec![[0.0_f32; METRICS]; 400];
        let active: Vec<usize> = (0..METRICS).collect();
        let plan = Plan::draw(&active, &mut Draw::new(1, "still"));
        let network = Network::fit(&plan, &rows.iter().collect::<Vec<_>>());
        assert!(network.is_finite());
        assert!(network.predict(&rows[0]).iter().all(|y| y.abs() < 1e-6));
    }
}
