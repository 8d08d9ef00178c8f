//! From the windows of a benign time to the rows that every model of a device learns.

use hashbrown::HashMap;

use crate::features::{CONTEXT_TRAINING_US, ContextMemory, LONG_TRAINING_US, Values, values_of};
use crate::host::Host;
use crate::lately::Lately;
use crate::metrics::{ALL, METRICS, Metric, SAID};
use crate::minute::MINUTE_US;
use crate::novelty::{KnownKeys, MAX_KNOWN_KEYS, Novelty, Usual};
use crate::preparation::{Preparation, Prepared};
use crate::record::WindowRecord;
use crate::threshold::{BLOCKS, block_of, quantile};
use crate::train::{TrainError, TrainOptions};

/// Quantile of `ln(1 + v)` in training that becomes `x = 1`.
const SCALE_QUANTILE: f64 = 0.999;

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
    let span_us = last_us.saturating_sub(first_us);
    let window_us = windows[0].end_us.saturating_sub(windows[0].start_us);
    let heard = windows.iter().any(|record| record.talk.is_some());
    let active = active_metrics(device.is_some(), span_us, window_us, heard);
    let (known, values) = if device.is_some() {
        training_values(&windows)
    } else {
        let values = windows.iter().map(|record| values_of(record, Novelty::default()));
        (KnownKeys::default(), values.collect())
    };
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

/// The metrics a model judges: without a device neither novelty nor context, after a short training
/// no context, and the metrics that look back an hour only after many. A window that is no shorter
/// than a minute has none beside it. Where no message was `heard` (flow export, cut payloads) none will
/// be, and what is said in messages takes no share of the budget.
fn active_metrics(device: bool, span_us: i64, window_us: i64, heard: bool) -> Vec<Metric> {
    let judged = |metric: &Metric| {
        let needed_us = match (metric.is_long(), metric.is_context()) {
            (true, _) => LONG_TRAINING_US,
            (false, true) => CONTEXT_TRAINING_US,
            (false, false) => 0,
        };
        metric.is_judged()
            && (device || !(metric.is_novelty() || metric.is_context()))
            && span_us >= needed_us
            && (window_us < MINUTE_US || !metric.is_minute())
            && (heard || !SAID.contains(metric))
    };
    ALL.into_iter().filter(judged).collect()
}

fn learn_all(windows: &[&WindowRecord]) -> KnownKeys {
    let mut known = KnownKeys::default();
    windows.iter().for_each(|record| known.learn(record));
    known
}

/// The most of each conversation in each time block.
type BlockUsual = HashMap<(Host, u8, u16), [Usual; BLOCKS]>;

fn usual_of_blocks(windows: &[&WindowRecord]) -> BlockUsual {
    let mut lately = Lately::default();
    let mut usual = BlockUsual::new();
    for (place, record) in windows.iter().enumerate() {
        let block = block_of(place, windows.len());
        lately.follow(record, |key, now| {
            let name = (key.peer, key.protocol, key.port);
            if usual.len() < MAX_KNOWN_KEYS || usual.contains_key(&name) {
                let most = &mut usual.entry(name).or_default()[block];
                *most = most.max(now);
            }
        });
    }
    usual
}

/// The known keys of all windows, and the values of each window: block `b` is compared with the keys
/// of the blocks before it (the first block with those of all others), and its traffic with the most
/// of all other blocks.
fn training_values(windows: &[&WindowRecord]) -> (KnownKeys, Vec<Values>) {
    let total = windows.len();
    let usual = usual_of_blocks(windows);
    let mut known = KnownKeys::default();
    let later = windows.iter().enumerate().filter(|(place, _)| block_of(*place, total) > 0);
    later.for_each(|(_, record)| known.learn(record));
    let mut memory = ContextMemory::default();
    let mut values = Vec::with_capacity(total);
    let mut block = 0;
    for (place, record) in windows.iter().enumerate() {
        if block_of(place, total) != block {
            block = block_of(place, total);
            known = learn_all(&windows[..place]);
        }
        let mut window = values_of(record, known.compare(record));
        memory.complete(record, &mut window, |key| {
            known.contains(key).then(|| {
                let blocks = usual.get(&(key.peer, key.protocol, key.port));
                let others = blocks.into_iter().flat_map(|blocks| blocks.iter().enumerate());
                others
                    .filter(|(other, _)| *other != block)
                    .fold(Usual::default(), |most, (_, usual)| most.max(*usual))
            })
        });
        values.push(window);
    }
    let mut known = learn_all(windows);
    for (key, blocks) in usual {
        known.set_usual(key, blocks.into_iter().fold(Usual::default(), Usual::max));
    }
    (known, values)
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
