//! The hollow auto-associative random neural network.
//!
//! One hidden layer of dense clusters in groups. A group reads half of the metrics and predicts the
//! other half, so no output ever reads the metric it reproduces: an output that did would learn the
//! identity, and a single metric far out would be reproduced instead of missed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::draw::Draw;
use crate::metrics::METRICS;
use crate::ridge::{cholesky, solve};
use crate::threshold::quantile;
use crate::zeta::DETECTOR_CLUSTER;

/// Groups of clusters, in pairs that read each other's complement.
pub const GROUPS: usize = 16;
/// Clusters of a group.
pub const CLUSTERS: usize = 8;
/// Hidden cells of the folded network.
pub const HIDDEN: usize = GROUPS * CLUSTERS;
/// Windows a fit uses at most; of more, evenly spread ones are taken.
pub const MAX_FIT_WINDOWS: usize = 50_000;
/// Training quantile of a cluster's input that is brought to `0.2·u`.
const DRIVE_QUANTILE: f64 = 0.95;
const DRIVE: f64 = 0.2;
const SPREAD: (f64, f64) = (0.3, 3.0);
const RIDGE: f64 = 1e-4;
const RIDGE_FLOOR: f64 = 1e-9;
/// Width of an output row, padded so that whole vector registers are used.
const ROW: usize = 32;

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
        for _ in 0..GROUPS / 2 {
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

    /// Scales each cluster so that its training input is spread over the range of ζ.
    fn drive_clusters(&self, rows: &[&Scaled]) -> Vec<f64> {
        let mut weights = self.weights.clone();
        let mut drives = Vec::with_capacity(rows.len());
        for cluster in 0..CLUSTERS {
            let column = |input: usize| self.weights[input * CLUSTERS + cluster];
            drives.clear();
            drives.extend(rows.iter().map(|row| {
                let links = self.reads.iter().enumerate();
                links.map(|(input, metric)| f64::from(row[*metric]) * column(input)).sum::<f64>()
            }));
            let largest = (0..self.reads.len()).map(column).fold(1e-6, f64::max);
            let scale =
                self.drive[cluster] / quantile(&mut drives, DRIVE_QUANTILE).max(0.1 * largest);
            for input in 0..self.reads.len() {
                weights[input * CLUSTERS + cluster] *= scale;
            }
        }
        weights
    }
}

/// The trained network, folded into one matrix each way: `y = ζ(x·W₁)·W₂ + b`.
#[derive(Clone, PartialEq)]
pub struct Network {
    /// `METRICS × HIDDEN`, row-major: a metric that is 0 costs nothing.
    input: Vec<f32>,
    /// `HIDDEN × ROW`, row-major, the columns beyond `METRICS` are 0.
    output: Vec<f32>,
    bias: [f32; METRICS],
}

impl Network {
    /// Fits the outputs of a plan to benign rows.
    pub(crate) fn fit(plan: &Plan, rows: &[&Scaled]) -> Self {
        let step = rows.len().div_ceil(MAX_FIT_WINDOWS).max(1);
        let rows: Vec<&Scaled> = rows.iter().step_by(step).copied().collect();
        let mut network = Self {
            input: vec![0.0; METRICS * HIDDEN],
            output: vec![0.0; HIDDEN * ROW],
            bias: [0.0; METRICS],
        };
        let mut predictors = [0_u32; METRICS];
        for group in &plan.groups {
            group.predicts.iter().for_each(|metric| predictors[*metric] += 1);
        }
        for (place, group) in plan.groups.iter().enumerate() {
            network.fit_group(place, group, &rows, &predictors);
        }
        network
    }

    fn fit_group(
        &mut self,
        place: usize,
        group: &GroupPlan,
        rows: &[&Scaled],
        predictors: &[u32; METRICS],
    ) {
        let weights = group.drive_clusters(rows);
        for (input, metric) in group.reads.iter().enumerate() {
            for cluster in 0..CLUSTERS {
                self.input[metric * HIDDEN + place * CLUSTERS + cluster] =
                    weights[input * CLUSTERS + cluster] as f32;
            }
        }
        let hidden: Vec<[f64; CLUSTERS]> = rows
            .iter()
            .map(|row| {
                std::array::from_fn(|cluster| {
                    let links = group.reads.iter().enumerate();
                    let drive: f64 = links
                        .map(|(input, metric)| {
                            f64::from(row[*metric]) * weights[input * CLUSTERS + cluster]
                        })
                        .sum();
                    DETECTOR_CLUSTER.activate(drive)
                })
            })
            .collect();
        let count = rows.len().max(1) as f64;
        let mean: [f64; CLUSTERS] = std::array::from_fn(|cluster| {
            hidden.iter().map(|row| row[cluster]).sum::<f64>() / count
        });
        let Some(lower) = factor(&hidden, &mean, count) else {
            // Cannot happen with a finite input: the diagonal is lifted. The mean is still right.
            self.predict_means(group, rows, predictors);
            return;
        };
        for metric in &group.predicts {
            let share = f64::from(predictors[*metric].max(1));
            let target = rows.iter().map(|row| f64::from(row[*metric])).sum::<f64>() / count;
            let mut weight = [0.0; CLUSTERS];
            for (row, cells) in rows.iter().zip(&hidden) {
                let centred = f64::from(row[*metric]) - target;
                for cluster in 0..CLUSTERS {
                    weight[cluster] += (cells[cluster] - mean[cluster]) * centred / count;
                }
            }
            solve(&lower, CLUSTERS, &mut weight);
            let offset = target - weight.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>();
            self.bias[*metric] += (offset / share) as f32;
            for cluster in 0..CLUSTERS {
                self.output[(place * CLUSTERS + cluster) * ROW + metric] =
                    (weight[cluster] / share) as f32;
            }
        }
    }

    fn predict_means(&mut self, group: &GroupPlan, rows: &[&Scaled], predictors: &[u32; METRICS]) {
        for metric in &group.predicts {
            let mean = rows.iter().map(|row| f64::from(row[*metric])).sum::<f64>()
                / rows.len().max(1) as f64;
            self.bias[*metric] += (mean / f64::from(predictors[*metric].max(1))) as f32;
        }
    }

    /// What the network expects each metric to be, given the others. Scaled units.
    #[must_use]
    pub fn predict(&self, x: &Scaled) -> Scaled {
        let mut hidden = [0.0_f32; HIDDEN];
        for (value, weights) in x.iter().zip(self.input.chunks_exact(HIDDEN)) {
            if *value != 0.0 {
                for (cell, weight) in hidden.iter_mut().zip(weights) {
                    *cell += value * weight;
                }
            }
        }
        for cell in &mut hidden {
            *cell = DETECTOR_CLUSTER.activate_f32(*cell);
        }
        let mut padded = [0.0_f32; ROW];
        for (cell, weights) in hidden.iter().zip(self.output.chunks_exact(ROW)) {
            for (sum, weight) in padded.iter_mut().zip(weights) {
                *sum += cell * weight;
            }
        }
        std::array::from_fn(|metric| padded[metric] + self.bias[metric])
    }

    fn is_finite(&self) -> bool {
        self.input.iter().chain(&self.output).chain(&self.bias).all(|value| value.is_finite())
    }
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

/// The stored form: little-endian single-precision numbers in base64.
#[derive(Serialize, Deserialize)]
struct Stored {
    groups: usize,
    clusters: usize,
    input: String,
    output: String,
    bias: String,
}

fn encode(values: impl Iterator<Item = f32>) -> String {
    STANDARD.encode(values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
}

fn decode(text: &str, count: usize, name: &str) -> Result<Vec<f32>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| format!("network {name}: {error}"))?;
    if bytes.len() != count * 4 {
        return Err(format!("network {name} holds {} bytes instead of {}", bytes.len(), count * 4));
    }
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.output.chunks_exact(ROW).flat_map(|row| row[..METRICS].iter().copied());
        Stored {
            groups: GROUPS,
            clusters: CLUSTERS,
            input: encode(self.input.iter().copied()),
            output: encode(rows),
            bias: encode(self.bias.iter().copied()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let stored = Stored::deserialize(deserializer)?;
        if (stored.groups, stored.clusters) != (GROUPS, CLUSTERS) {
            return Err(D::Error::custom(format!(
                "network of {} groups of {} clusters: this build runs {GROUPS} of {CLUSTERS}",
                stored.groups, stored.clusters
            )));
        }
        let input = decode(&stored.input, METRICS * HIDDEN, "input").map_err(D::Error::custom)?;
        let rows = decode(&stored.output, HIDDEN * METRICS, "output").map_err(D::Error::custom)?;
        let bias = decode(&stored.bias, METRICS, "bias").map_err(D::Error::custom)?;
        let mut output = vec![0.0; HIDDEN * ROW];
        for (to, from) in output.chunks_exact_mut(ROW).zip(rows.chunks_exact(METRICS)) {
            to[..METRICS].copy_from_slice(from);
        }
        let network = Self { input, output, bias: std::array::from_fn(|metric| bias[metric]) };
        if network.is_finite() {
            Ok(network)
        } else {
            Err(D::Error::custom("network holds numbers that are not finite"))
        }
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
