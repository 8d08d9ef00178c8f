//! Rows of unknown meaning: how many there are, how the numbers of each column lie, how many
//! different texts it holds and how many of them were never seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::threshold::{BLOCKS, block_of, limit};

/// Columns judged; further ones are left out.
pub const MAX_COLUMNS: usize = 64;
/// Different texts of a column that are known; beyond, a column's texts are not judged.
pub const MAX_VALUES: usize = 16_384;
/// Windows kept by a training or by a judge; further rows are counted.
const MAX_WINDOWS: usize = 1_000_000;
/// Share of numbers above which a column is one of numbers.
const NUMERIC_SHARE: f64 = 0.95;

/// One field of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// The digest of a text.
    Text(u64),
}

/// What is measured of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Rows.
    Rows,
    /// Mean of the numbers of a column.
    Mean(usize),
    /// Smallest number of a column.
    Smallest(usize),
    /// Largest number of a column.
    Largest(usize),
    /// Different texts of a column.
    Different(usize),
    /// Rows whose text in a column was never seen.
    New(usize),
}

/// Rows of one device, run and window.
#[derive(Clone, Debug, PartialEq)]
pub struct GenericWindow {
    /// The device.
    pub device: Host,
    /// The run.
    pub group: Option<Arc<str>>,
    /// Start, microseconds.
    pub start_us: i64,
    /// End (exclusive), microseconds.
    pub end_us: i64,
    rows: u64,
    columns: Vec<Column>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    numbers: u64,
    sum: f64,
    low: f64,
    high: f64,
    texts: BTreeMap<u64, u32>,
    beyond: u32,
}

impl Column {
    fn push(&mut self, cell: Cell) {
        match cell {
            Cell::Number(value) if value.is_finite() => {
                self.low = if self.numbers == 0 { value } else { self.low.min(value) };
                self.high = if self.numbers == 0 { value } else { self.high.max(value) };
                self.numbers += 1;
                self.sum += value;
                self.text(value.to_bits());
            }
            Cell::Text(digest) => self.text(digest),
            Cell::Empty | Cell::Number(_) => {}
        }
    }

    fn text(&mut self, digest: u64) {
        if self.texts.len() < MAX_VALUES || self.texts.contains_key(&digest) {
            *self.texts.entry(digest).or_default() += 1;
        } else {
            self.beyond = self.beyond.saturating_add(1);
        }
    }
}

/// Run, start and device of a window.
type Place = (Option<Arc<str>>, i64, Host);

/// Gathers rows into windows.
#[derive(Debug)]
struct Gatherer {
    window_us: i64,
    windows: BTreeMap<Place, (u64, Vec<Column>)>,
    beyond: u64,
}

impl Gatherer {
    const fn new(window_us: i64) -> Self {
        Self { window_us, windows: BTreeMap::new(), beyond: 0 }
    }

    fn push(&mut self, group: Option<&Arc<str>>, device: Host, ts_us: i64, cells: &[Cell]) {
        let start = ts_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        let key = (group.cloned(), start, device);
        if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let (rows, columns) = self.windows.entry(key).or_default();
        *rows += 1;
        let width = cells.len().min(MAX_COLUMNS);
        if columns.len() < width {
            columns.resize(width, Column::default());
        }
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.push(*cell);
        }
    }

    fn finish(self) -> Vec<GenericWindow> {
        let length = self.window_us;
        let window = |((group, start_us, device), (rows, columns))| GenericWindow {
            device,
            group,
            start_us,
            end_us: start_us + length,
            rows,
            columns,
        };
        let mut windows: Vec<GenericWindow> = self.windows.into_iter().map(window).collect();
        windows.sort_by_key(|window| (window.start_us, window.device));
        windows
    }
}

/// Range of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Range {
    feature: Feature,
    mean: f64,
    scale: f64,
    limit: f64,
}

/// What was learned of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenericModel {
    ranges: Vec<Range>,
    known: Vec<BTreeSet<u64>>,
    /// Windows of the training.
    pub windows: u64,
    /// Rows beyond the bounds.
    pub beyond: u64,
}

/// Why a window stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GenericReason {
    /// What was measured.
    pub feature: Feature,
    /// The value.
    pub measured: f64,
    /// The mean of training.
    pub expected: f64,
    /// Deviation over limit.
    pub ratio: f64,
}

/// Learns rows.
#[derive(Debug)]
pub struct GenericLearner(Gatherer);

impl GenericLearner {
    /// Windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self(Gatherer::new(window_us.max(1)))
    }

    /// Takes a row.
    pub fn push(&mut self, group: Option<&Arc<str>>, device: Host, ts_us: i64, cells: &[Cell]) {
        self.0.push(group, device, ts_us, cells);
    }

    /// Makes the model for a budget of false alarms; `None` without windows.
    #[must_use]
    pub fn finish(self, alpha: f64) -> Option<GenericModel> {
        let beyond = self.0.beyond;
        let windows = self.0.finish();
        let count = windows.len();
        let width = windows.iter().map(|window| window.columns.len()).max()?;
        let features = features_of(&windows, width);
        // Novelty runs forward: a block against those before it, the first against the others.
        let mut values = Vec::with_capacity(count);
        let mut known = vec![BTreeSet::new(); width];
        let later = (0..count).filter(|place| block_of(*place, count) > 0);
        let mut others = vec![BTreeSet::new(); width];
        later.for_each(|place| learn_texts(&windows[place], &mut others));
        for block in 0..BLOCKS {
            let inside = (0..count).filter(|place| block_of(*place, count) == block);
            for place in inside.clone() {
                let against = if block == 0 { &others } else { &known };
                values.push(measure(&windows[place], &features, against));
            }
            inside.for_each(|place| learn_texts(&windows[place], &mut known));
        }
        let each = alpha / features.len().max(1) as f64;
        let ranges = features.iter().enumerate().map(|(place, feature)| {
            let column: Vec<f64> = values.iter().map(|row: &Vec<f64>| row[place]).collect();
            range_of(*feature, &column, each)
        });
        let ranges = ranges.collect();
        Some(GenericModel { ranges, known, windows: count as u64, beyond })
    }
}

fn features_of(windows: &[GenericWindow], width: usize) -> Vec<Feature> {
    let mut features = vec![Feature::Rows];
    for place in 0..width {
        let columns = windows.iter().filter_map(|window| window.columns.get(place));
        let (numbers, filled) = columns.fold((0_u64, 0_u64), |(numbers, filled), column| {
            let texts: u64 = column.texts.values().map(|count| u64::from(*count)).sum();
            (numbers + column.numbers, filled + texts + u64::from(column.beyond))
        });
        if filled == 0 {
            continue;
        }
        if numbers as f64 >= NUMERIC_SHARE * filled as f64 {
            let measures: [fn(usize) -> Feature; 3] =
                [Feature::Mean, Feature::Smallest, Feature::Largest];
            features.extend(measures.map(|measure| measure(place)));
        } else {
            features.push(Feature::New(place));
        }
        features.push(Feature::Different(place));
    }
    features
}

fn learn_texts(window: &GenericWindow, known: &mut [BTreeSet<u64>]) {
    for (column, known) in window.columns.iter().zip(known) {
        for digest in column.texts.keys() {
            if known.len() < MAX_VALUES {
                known.insert(*digest);
            }
        }
    }
}

fn measure(window: &GenericWindow, features: &[Feature], known: &[BTreeSet<u64>]) -> Vec<f64> {
    let column = |place: usize| window.columns.get(place).filter(|column| column.numbers > 0);
    let texts = |place: usize| window.columns.get(place).map(|column| &column.texts);
    features
        .iter()
        .map(|feature| match *feature {
            Feature::Rows => window.rows as f64,
            Feature::Mean(place) => column(place).map_or(f64::NAN, |c| c.sum / c.numbers as f64),
            Feature::Smallest(place) => column(place).map_or(f64::NAN, |c| c.low),
            Feature::Largest(place) => column(place).map_or(f64::NAN, |c| c.high),
            Feature::Different(place) => texts(place).map_or(0.0, |texts| texts.len() as f64),
            Feature::New(place) => {
                // A column whose known texts are full says nothing about new ones.
                let Some(known) = known.get(place).filter(|known| known.len() < MAX_VALUES) else {
                    return 0.0;
                };
                texts(place).map_or(0.0, |texts| {
                    let new = texts.iter().filter(|(digest, _)| !known.contains(digest));
                    new.map(|(_, count)| f64::from(*count)).sum()
                })
            }
        })
        .collect()
}

/// Counts are judged on a logarithmic scale, measurements as they are.
fn scaled(feature: Feature, value: f64) -> f64 {
    match feature {
        Feature::Rows | Feature::Different(_) | Feature::New(_) => value.max(0.0).ln_1p(),
        Feature::Mean(_) | Feature::Smallest(_) | Feature::Largest(_) => value,
    }
}

fn range_of(feature: Feature, values: &[f64], alpha: f64) -> Range {
    let scaled_values: Vec<f64> = values
        .iter()
        .map(|value| scaled(feature, *value))
        .filter(|value| value.is_finite())
        .collect();
    let count = scaled_values.len().max(1) as f64;
    let mean = scaled_values.iter().sum::<f64>() / count;
    let spread = scaled_values.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    let floor = match feature {
        Feature::Rows | Feature::Different(_) | Feature::New(_) => std::f64::consts::LN_2,
        // A constant measurement has no range of its own: a hundredth of it is a difference.
        _ => (mean.abs() * 0.01).max(1e-9),
    };
    let scale = spread.max(floor);
    let mut errors: Vec<f64> =
        scaled_values.iter().map(|value| (value - mean).abs() / scale).collect();
    Range { feature, mean, scale, limit: limit(&mut errors, alpha) }
}

/// Judges rows.
#[derive(Debug)]
pub struct GenericJudge(Gatherer);

impl GenericJudge {
    /// Windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self(Gatherer::new(window_us.max(1)))
    }

    /// Takes a row.
    pub fn push(&mut self, group: Option<&Arc<str>>, device: Host, ts_us: i64, cells: &[Cell]) {
        self.0.push(group, device, ts_us, cells);
    }

    /// Every window with its reasons, strongest first; the first ratio is the score.
    #[must_use]
    pub fn finish(self, model: &GenericModel) -> Vec<(GenericWindow, Vec<GenericReason>)> {
        let judge = |window: GenericWindow| {
            let reasons = model.judge(&window);
            (window, reasons)
        };
        self.0.finish().into_iter().map(judge).collect()
    }
}

impl GenericModel {
    fn judge(&self, window: &GenericWindow) -> Vec<GenericReason> {
        let features: Vec<Feature> = self.ranges.iter().map(|range| range.feature).collect();
        let values = measure(window, &features, &self.known);
        let reason = |(range, measured): (&Range, f64)| {
            let value = scaled(range.feature, measured);
            let ratio = (value - range.mean).abs() / range.scale / range.limit;
            let expected = match range.feature {
                Feature::Rows | Feature::Different(_) | Feature::New(_) => range.mean.exp_m1(),
                _ => range.mean,
            };
            GenericReason { feature: range.feature, measured, expected, ratio }
        };
        let mut reasons: Vec<GenericReason> = self
            .ranges
            .iter()
            .zip(values)
            .filter(|(_, value)| value.is_finite())
            .map(reason)
            .collect();
        reasons.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
        reasons
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn numbers_out_of_range_and_new_texts_stand_out() {
        let device = Host::v4([10, 0, 0, 1].into());
        let mut learner = GenericLearner::new(10);
        for second in 0..1_000_i64 {
            let cells = [Cell::Number(20.0 + (second % 7) as f64), Cell::Text(second as u64 % 3)];
            learner.push(None, device, second, &cells);
        }
        let model = learner.finish(0.005).unwrap();
        let score = |cells: [Cell; 2]| {
            let mut judge = GenericJudge::new(10);
            (0..10).for_each(|second| {
                let usual =
                    [Cell::Number(20.0 + (second % 7) as f64), Cell::Text(second as u64 % 3)];
                judge.push(None, device, second, if second == 5 { &cells } else { &usual });
            });
            judge.finish(&model)[0].1[0].ratio
        };
        // What second 5 always says.
        assert!(score([Cell::Number(25.0), Cell::Text(2)]) <= 1.0);
        assert!(score([Cell::Number(90.0), Cell::Text(2)]) > 1.0);
        assert!(score([Cell::Number(23.0), Cell::Text(77)]) > 1.0);
    }
}
