//! From the windows of a benign time to the models of its devices.
//!
//! Thresholds come from training data alone, and from all of it: the errors of each of five time
//! blocks are measured with a model fitted on the other four; then the model is fitted once on
//! everything. Novelty is computed forward in the same blocks, so that training sees about as much
//! new as later days do.

use std::collections::BTreeMap;

use crate::draw::Draw;
use crate::host::Host;
use crate::metrics::METRICS;
use crate::model::{DeviceModel, MetricModel, TrainingFacts};
use crate::network::{Network, Plan, Scaled, fit_step};
use crate::record::WindowRecord;
use crate::tails::Tails;
use crate::threshold::{BLOCKS, DEFAULT_ALPHA, block_of};

pub use crate::lesson::prepare;

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
#[derive(Clone, Debug, Default)]
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

    let plan = (rows.len() >= NETWORK_WINDOWS)
        .then(|| Plan::draw(&lesson.moving(), &mut Draw::new(options.seed, &lesson.name)));
    let errors = held_out_errors(rows, plan.as_ref());
    let votes = rows.len() >= VOTING_WINDOWS;
    let tails = Tails::new(&lesson, options.alpha / active.len().max(1) as f64);
    let held_out_alarms = tails.held_out_alarms(&errors, votes);
    let fitted = Fit::new(&rows.iter().collect::<Vec<_>>(), plan.as_ref());
    let metrics = active
        .iter()
        .map(|metric| {
            let place = metric.index();
            let (range_limit, network_limit) = tails.limits(&errors, *metric, |_| true);
            MetricModel {
                metric: *metric,
                scale: lesson.scale[place],
                mean: f64::from(fitted.mean[place]),
                range_limit,
                residual_mean: f64::from(fitted.residual_mean[place]),
                network_limit: network_limit.filter(|_| plan.is_some()),
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
            sum.iter_mut().zip(**row).for_each(|(sum, value)| *sum += f64::from(value));
        }
        let sampled = rows.iter().step_by(fit_step(rows.len()));
        let sampled_count = sampled.len().max(1) as f64;
        if let Some(network) = &network {
            for row in sampled {
                let y = network.predict(row);
                let left = row.iter().zip(y).map(|(value, y)| f64::from(value - y));
                residual.iter_mut().zip(left).for_each(|(sum, left)| *sum += left);
            }
        }
        let count = rows.len().max(1) as f64;
        Self {
            mean: sum.map(|sum| (sum / count) as f32),
            residual_mean: residual.map(|sum| (sum / sampled_count) as f32),
            network,
        }
    }

    /// Errors of the range judge and of the network.
    fn errors(&self, row: &Scaled) -> [Scaled; 2] {
        let range = std::array::from_fn(|metric| (row[metric] - self.mean[metric]).abs());
        let network = self.network.as_ref().filter(|network| network.knows(row));
        let network = network.map_or([0.0; METRICS], |network| {
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
