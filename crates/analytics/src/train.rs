//! From the windows of a benign time to the models of its devices.
//!
//! Thresholds come from training data alone, and from all of it: the errors of each of five time
//! blocks are measured with a model fitted on the other four; then the model is fitted once on
//! everything. Novelty is computed forward in the same blocks, so that training sees about as much
//! new as later days do.

use std::collections::BTreeMap;

use crate::draw::Draw;
use crate::features::{CONTEXT_TRAINING_US, ContextMemory, Values, values_of};
use crate::host::Host;
use crate::metrics::{ALL, METRICS, Metric};
use crate::model::{DeviceModel, MetricModel, TrainingFacts};
use crate::network::{Network, Plan, Scaled};
use crate::novelty::{KnownKeys, Novelty};
use crate::preparation::{Prepared, Preparation};
use crate::record::WindowRecord;
use crate::threshold::{BLOCKS, DEFAULT_ALPHA, block_of, limit, quantile};

/// Windows of one training at most (about 115 days of one device); later ones are counted, not used.
pub const MAX_TRAINING_WINDOWS: usize = 1_000_000;
/// Devices of one model file at most.
pub const MAX_MODELS: usize = 4_096;
/// Windows below which no model is made, unless chosen otherwise.
pub const DEFAULT_MIN_WINDOWS: usize = 3;
/// Windows below which the network has no vote: its error estimate is too low there.
pub const VOTING_WINDOWS: usize = 300;
/// Windows below which there is no network, not even as an adviser.
pub const NETWORK_WINDOWS: usize = 60;
/// Quantile of `ln(1 + v)` in training that becomes `x = 1`.
const SCALE_QUANTILE: f64 = 0.999;

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// Seed of every random draw.
    pub seed: u64,
    /// Share of benign windows that may alert, `0 < alpha < 1`.
    pub alpha: f64,
    /// Windows below which a device gets no model of its own; at least 2.
    pub min_windows: usize,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { seed: 1, alpha: DEFAULT_ALPHA, min_windows: DEFAULT_MIN_WINDOWS }
    }
}

/// Why no model could be made.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum TrainError {
    /// Too few windows with traffic.
    #[error(
        "{windows} windows with traffic of a protected device, at least {needed} are needed: \
         capture a longer benign time, or check which devices are protected"
    )]
    TooFewWindows {
        /// Windows found.
        windows: usize,
        /// Windows needed.
        needed: usize,
    },
    /// The false-alarm budget is not a share.
    #[error(
        "false-alarm budget {0} is out of bounds: choose more than 0 and less than 1, for example 0.005"
    )]
    Alpha(f64),
}

/// Progress of a training, in models made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Models made.
    pub done: usize,
    /// Models to make.
    pub total: usize,
}

/// What a training made.
#[derive(Clone, Debug)]
pub struct Trained {
    /// One model per device with enough windows, by address.
    pub devices: Vec<DeviceModel>,
    /// One model over the windows of all devices, without novelty, for devices without their own.
    pub pooled: Option<DeviceModel>,
    /// Devices with too few windows, each with its windows: they fall to the pooled model.
    pub too_few: Vec<(Host, usize)>,
    /// Devices beyond [`MAX_MODELS`]: they fall to the pooled model.
    pub beyond_limit: usize,
}

/// Makes the models of every device in the records.
///
/// # Errors
/// When the budget is no share, or no device and not all of them together have enough windows.
pub fn train(
    records: &[WindowRecord],
    options: &TrainOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Trained, TrainError> {
    if !(options.alpha > 0.0 && options.alpha < 1.0) {
        return Err(TrainError::Alpha(options.alpha));
    }
    let needed = options.min_windows.max(2);
    let mut by_device: BTreeMap<Host, Vec<&WindowRecord>> = BTreeMap::new();
    for record in records {
        by_device.entry(record.device).or_default().push(record);
    }
    let total =
        by_device.values().filter(|windows| windows.len() >= needed).count().min(MAX_MODELS) + 1;
    let (mut devices, mut too_few, mut beyond_limit) = (Vec::new(), Vec::new(), 0);
    progress(Progress { done: 0, total });
    for (device, windows) in by_device {
        if windows.len() < needed {
            too_few.push((device, windows.len()));
        } else if devices.len() >= MAX_MODELS {
            beyond_limit += 1;
        } else {
            devices.push(train_one(Some(device), windows, options)?);
            progress(Progress { done: devices.len(), total });
        }
    }
    let all: Vec<&WindowRecord> = records.iter().collect();
    let pooled = match train_one(None, all, options) {
        Ok(model) => Some(model),
        Err(error) if devices.is_empty() => return Err(error),
        Err(_) => None,
    };
    progress(Progress { done: total, total });
    Ok(Trained { devices, pooled, too_few, beyond_limit })
}

/// Prepares the windows of one device for learning: the rows every model of the device learns.
/// `device` is `None` for the pooled model, which judges neither novelty (the keys of one device say
/// nothing about another) nor context (its windows are not one sequence).
///
/// Novelty in the rows is computed forward in time blocks, so it is about as frequent as later.
///
/// # Errors
/// When there are too few windows.
pub fn prepare(
    device: Option<Host>,
    mut windows: Vec<&WindowRecord>,
    options: &TrainOptions,
) -> Result<Prepared, TrainError> {
    let needed = options.min_windows.max(2);
    if windows.len() < needed {
        return Err(TrainError::TooFewWindows { windows: windows.len(), needed });
    }
    windows.sort_by_key(|record| (record.start_us, record.device));
    let (first_us, last_us) =
        (windows[0].start_us, windows.iter().map(|record| record.end_us).max().unwrap_or_default());
    let context = device.is_some() && last_us.saturating_sub(first_us) >= CONTEXT_TRAINING_US;
    let active = active_metrics(device.is_some(), context);
    let known = if device.is_some() { learn_all(&windows) } else { KnownKeys::default() };
    let values = training_values(&windows, device.is_some(), context);
    let scale = scales(&values, &active);
    let preparation =
        Preparation::new(active.iter().map(|metric| (*metric, scale[metric.index()])), known);
    Ok(Prepared {
        device,
        name: device.map_or_else(|| "pooled".to_owned(), |device| device.to_string()),
        mac: device.and(windows.iter().rev().find_map(|record| record.mac)),
        rows: values.iter().map(|values| preparation.scale(values)).collect(),
        active,
        scale,
        preparation,
        first_us,
        last_us,
    })
}

/// Makes one model from the prepared windows (see [`prepare`]).
///
/// # Errors
/// When there are too few windows.
pub fn train_one(
    device: Option<Host>,
    windows: Vec<&WindowRecord>,
    options: &TrainOptions,
) -> Result<DeviceModel, TrainError> {
    let lesson = prepare(device, windows, options)?;
    let (rows, active) = (&lesson.rows, &lesson.active);

    let plan = (rows.len() >= NETWORK_WINDOWS).then(|| {
        Plan::draw(&lesson.places(), &mut Draw::new(options.seed, &lesson.name))
    });
    let errors = held_out_errors(rows, plan.as_ref());
    let votes = rows.len() >= VOTING_WINDOWS;
    let budget = options.alpha / (active.len() * if votes { 2 } else { 1 }) as f64;
    let held_out_alarms = held_out_alarms(&errors, active, votes, budget);
    let fitted = Fit::new(&rows.iter().collect::<Vec<_>>(), plan.as_ref());
    let metrics = active
        .iter()
        .map(|metric| {
            let place = metric.index();
            let held_out = |judge: usize| {
                let mut column: Vec<f64> =
                    errors.iter().map(|error| f64::from(error[judge][place])).collect();
                limit(&mut column, budget)
            };
            MetricModel {
                metric: *metric,
                scale: lesson.scale[place],
                mean: f64::from(fitted.mean[place]),
                range_limit: held_out(0),
                residual_mean: f64::from(fitted.residual_mean[place]),
                network_limit: plan.is_some().then(|| held_out(1)),
            }
        })
        .collect();
    Ok(DeviceModel {
        device,
        mac: lesson.mac,
        training: TrainingFacts {
            windows: rows.len() as u64,
            first_us: lesson.first_us,
            last_us: lesson.last_us,
            alpha: options.alpha,
            held_out_alarms,
        },
        metrics,
        known: lesson.preparation.known().clone(),
        network: fitted.network,
        network_votes: votes,
    })
}

/// The metrics a model judges: without a device no novelty, after a short training no context.
fn active_metrics(novelty: bool, context: bool) -> Vec<Metric> {
    let judged =
        |metric: &Metric| (novelty || !metric.is_novelty()) && (context || !metric.is_context());
    ALL.into_iter().filter(judged).collect()
}

fn learn_all(windows: &[&WindowRecord]) -> KnownKeys {
    let mut known = KnownKeys::default();
    windows.iter().for_each(|record| known.learn(record));
    known
}

/// Values of the training windows: block `b` is compared with the keys of the blocks before it,
/// the first block with those of all others.
fn training_values(windows: &[&WindowRecord], novelty: bool, context: bool) -> Vec<Values> {
    let total = windows.len();
    let mut known = KnownKeys::default();
    if novelty {
        windows
            .iter()
            .enumerate()
            .filter(|(place, _)| block_of(*place, total) > 0)
            .for_each(|(_, record)| known.learn(record));
    }
    let mut memory = ContextMemory::default();
    let mut values = Vec::with_capacity(total);
    let mut block = 0;
    for (place, record) in windows.iter().enumerate() {
        if novelty && block_of(place, total) != block {
            block = block_of(place, total);
            known = learn_all(&windows[..place]);
        }
        let new = if novelty { known.compare(record) } else { Novelty::default() };
        let mut window = values_of(record, new);
        if context {
            memory.complete(record.start_us, record.end_us, &mut window);
        }
        values.push(window);
    }
    values
}

/// `s = max(99.9 % quantile of ln(1 + v), ln 2)`: one event of a metric never seen is `x = 1`.
fn scales(values: &[Values], active: &[Metric]) -> [f64; METRICS] {
    let mut scale = [0.0; METRICS];
    for metric in active {
        let mut logs: Vec<f64> =
            values.iter().map(|values| values[metric.index()].ln_1p()).collect();
        scale[metric.index()] = quantile(&mut logs, SCALE_QUANTILE).max(std::f64::consts::LN_2);
    }
    scale
}

/// Means and network of one fit.
struct Fit {
    mean: Scaled,
    residual_mean: Scaled,
    network: Option<Network>,
}

impl Fit {
    fn new(rows: &[&Scaled], plan: Option<&Plan>) -> Self {
        let network = plan.map(|plan| Network::fit(plan, rows));
        let (mut sum, mut residual) = ([0.0_f64; METRICS], [0.0_f64; METRICS]);
        for row in rows {
            let y = network.as_ref().map(|network| network.predict(row));
            for metric in 0..METRICS {
                sum[metric] += f64::from(row[metric]);
                if let Some(y) = &y {
                    residual[metric] += f64::from(row[metric] - y[metric]);
                }
            }
        }
        let count = rows.len().max(1) as f64;
        Self {
            mean: sum.map(|sum| (sum / count) as f32),
            residual_mean: residual.map(|sum| (sum / count) as f32),
            network,
        }
    }

    /// Errors of the range judge and of the network.
    fn errors(&self, row: &Scaled) -> [Scaled; 2] {
        let range = std::array::from_fn(|metric| (row[metric] - self.mean[metric]).abs());
        let network = self.network.as_ref().map_or([0.0; METRICS], |network| {
            let y = network.predict(row);
            std::array::from_fn(|metric| {
                (row[metric] - y[metric] - self.residual_mean[metric]).abs()
            })
        });
        [range, network]
    }
}

/// Errors of every window, each measured by a fit on the other time blocks.
fn held_out_errors(rows: &[Scaled], plan: Option<&Plan>) -> Vec<[Scaled; 2]> {
    let total = rows.len();
    let mut errors = Vec::with_capacity(total);
    for block in 0..BLOCKS.min(total) {
        let others: Vec<&Scaled> = rows
            .iter()
            .enumerate()
            .filter(|(place, _)| block_of(*place, total) != block)
            .map(|(_, row)| row)
            .collect();
        let fit = Fit::new(&others, plan);
        let inside = rows.iter().enumerate().filter(|(place, _)| block_of(*place, total) == block);
        errors.extend(inside.map(|(_, row)| fit.errors(row)));
    }
    errors
}

/// Windows that alert under thresholds from the other blocks: the measured false-alarm count.
fn held_out_alarms(errors: &[[Scaled; 2]], active: &[Metric], network: bool, budget: f64) -> u64 {
    let total = errors.len();
    let mut alarms = vec![false; total];
    for block in 0..BLOCKS.min(total) {
        for metric in active {
            for judge in 0..if network { 2 } else { 1 } {
                let mut others: Vec<f64> = errors
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| block_of(*place, total) != block)
                    .map(|(_, error)| f64::from(error[judge][metric.index()]))
                    .collect();
                let threshold = limit(&mut others, budget);
                for (place, error) in errors.iter().enumerate() {
                    if block_of(place, total) == block
                        && f64::from(error[judge][metric.index()]) > threshold
                    {
                        alarms[place] = true;
                    }
                }
            }
        }
    }
    alarms.iter().filter(|alarm| **alarm).count() as u64
}
