//! Layers of dense clusters, trained one by one as published, and a linear output.
//!
//! Both users (auto-associative and classifying) fit the same network to several overlapping sets of
//! rows: all but one block of time, and all. What the fits need of the rows are sums (Gram matrices),
//! so the first layer's are taken once per block and added up.

use serde::{Deserialize, Serialize};

use super::matrix::{Matrix, least_squares, sparse_reconstruction};
use super::stored::Numbers;
use crate::draw::Draw;
use crate::metrics::METRICS;
use crate::zeta::DETECTOR_CLUSTER;

/// Weight of the sparsity in the reconstruction.
const SPARSITY: f64 = 1e-3;
/// Largest drive of a layer after scaling.
const LARGEST_DRIVE: f64 = 0.1;
/// Variance of a hidden cell, relative to its mean square, below which it is constant: what the sums
/// leave there is rounding.
const CONSTANT: f64 = 1e-13;
/// Inputs, cells of a layer and outputs of a network at most.
pub(crate) const MAX_WIDTH: usize = if METRICS < 63 { 64 } else { METRICS + 1 };
/// Layers of a network at most.
const MAX_LAYERS: usize = 8;

/// Rows of one block of time: inputs with a constant column at the end, and what to make of them.
pub(crate) struct Block {
    pub(crate) inputs: Matrix,
    pub(crate) targets: Matrix,
}

impl Block {
    /// Inputs complete with the constant column `ζ(0)`.
    pub(crate) fn new(
        rows: usize,
        width: usize,
        value: impl Fn(usize, usize) -> f64,
        targets: Matrix,
    ) -> Self {
        let constant = constant();
        let entry = |row, column| if column < width { value(row, column) } else { constant };
        Self { inputs: Matrix::new(rows, width + 1, entry), targets }
    }
}

fn constant() -> f64 {
    DETECTOR_CLUSTER.activate(0.0)
}

/// A trained network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dense {
    layers: Vec<Matrix>,
    output: Matrix,
}

/// Sums over the randomly made hidden cells `H` of some rows, a column of ones appended to `H`.
#[derive(Clone)]
struct Moments {
    gram: Matrix,
    toward: Matrix,
    low: Vec<f64>,
}

impl Moments {
    fn of(inputs: &Matrix, random: &Matrix) -> Self {
        let hidden = random_hidden(inputs, random);
        let cells = random.columns;
        let mut low = vec![f64::INFINITY; cells];
        for row in hidden.values.chunks_exact(cells + 1) {
            low.iter_mut().zip(row).for_each(|(low, value)| *low = low.min(*value));
        }
        Self { gram: hidden.cross(&hidden), toward: hidden.cross(inputs), low }
    }

    fn sum<'a>(mut parts: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let mut sum = parts.next()?.clone();
        for part in parts {
            sum.gram.add(&part.gram);
            sum.toward.add(&part.toward);
            sum.low.iter_mut().zip(&part.low).for_each(|(low, other)| *low = low.min(*other));
        }
        Some(sum)
    }

    /// Weights of a layer: cells to zero mean and unit deviation, shifted to be non-negative (an
    /// affine map, so the sums follow from the sums), then the sparse reconstruction of the inputs.
    fn weights(&self) -> Matrix {
        let cells = self.low.len();
        let count = self.gram.at(cells, cells).max(1.0);
        let total = |cell: usize| self.gram.at(cell, cells);
        let mut scale = vec![1.0; cells];
        let mut offset = vec![0.0; cells];
        let mut low = 0.0_f64;
        for cell in 0..cells {
            let mean = total(cell) / count;
            let square = self.gram.at(cell, cell) / count;
            let variance = square - mean * mean;
            if variance > CONSTANT * square {
                scale[cell] = 1.0 / variance.sqrt();
            }
            offset[cell] = -mean * scale[cell];
            low = low.min(self.low[cell] * scale[cell] + offset[cell]);
        }
        offset.iter_mut().for_each(|offset| *offset -= low);
        let gram = Matrix::new(cells, cells, |a, b| {
            let value = scale[a] * scale[b] * self.gram.at(a, b)
                + scale[a] * offset[b] * total(a)
                + offset[a] * scale[b] * total(b)
                + offset[a] * offset[b] * count;
            value.max(0.0)
        });
        let toward = Matrix::new(cells, self.toward.columns, |cell, input| {
            scale[cell] * self.toward.at(cell, input) + offset[cell] * self.toward.at(cells, input)
        });
        sparse_reconstruction(&gram, &toward, SPARSITY).transposed()
    }
}

/// `ζ(X·W_R)`, each row to `[0, 1]`, and a column of ones.
fn random_hidden(inputs: &Matrix, random: &Matrix) -> Matrix {
    let cells = random.columns;
    let mut hidden = Matrix::zeros(inputs.rows, cells + 1);
    for row in 0..inputs.rows {
        let target = hidden.row_mut(row);
        let (target, one) = target.split_at_mut(cells);
        random.add_to(inputs.row(row), target);
        DETECTOR_CLUSTER.activate_all(target);
        let low = target.iter().copied().fold(f64::INFINITY, f64::min);
        let span = target.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
        let inverse = if span > 0.0 { 1.0 / span } else { 0.0 };
        target.iter_mut().for_each(|value| *value = (*value - low) * inverse);
        one.fill(1.0);
    }
    hidden
}

/// Draws of the random weights, the same for every fit of a network.
fn random_weights(inputs: usize, cells: &[usize], draw: &mut Draw) -> Vec<Matrix> {
    let mut width = inputs;
    cells
        .iter()
        .map(|count| Matrix::new(std::mem::replace(&mut width, *count), *count, |_, _| draw.unit()))
        .collect()
}

/// Trains one network without each block, and one with all: `(without, whole)`.
///
/// Blocks are not empty, equally wide and at most [`MAX_WIDTH`] wide with the constant.
pub(crate) fn fit_folds(blocks: &[Block], cells: &[usize], draw: &mut Draw) -> (Vec<Dense>, Dense) {
    let inputs = blocks.first().map_or(0, |block| block.inputs.columns);
    let random = random_weights(inputs, cells, draw);
    let first: Vec<Moments> = random.first().map_or_else(Vec::new, |random| {
        blocks.iter().map(|block| Moments::of(&block.inputs, random)).collect()
    });
    let fit = |left_out: Option<usize>| {
        let used: Vec<usize> = (0..blocks.len()).filter(|place| Some(*place) != left_out).collect();
        Dense::fit(blocks, &first, &random, &used)
    };
    ((0..blocks.len()).map(|place| fit(Some(place))).collect(), fit(None))
}

impl Dense {
    fn fit(blocks: &[Block], first: &[Moments], random: &[Matrix], used: &[usize]) -> Self {
        let mut made: Vec<Matrix> = Vec::new();
        let mut layers = Vec::with_capacity(random.len());
        for (depth, random) in random.iter().enumerate() {
            let inputs = |turn: usize| match depth {
                0 => &blocks[used[turn]].inputs,
                _ => &made[turn],
            };
            let moments = if depth == 0 {
                Moments::sum(used.iter().map(|place| &first[*place]))
            } else {
                let parts: Vec<Moments> =
                    made.iter().map(|inputs| Moments::of(inputs, random)).collect();
                Moments::sum(parts.iter())
            };
            let Some(moments) = moments else { break };
            let mut weights = moments.weights();
            let mut drives: Vec<Matrix> =
                (0..used.len()).map(|turn| inputs(turn).times(&weights)).collect();
            let all = drives.iter().flat_map(|drives| &drives.values);
            let largest = all.copied().fold(0.0, f64::max);
            let scale = if largest > 0.0 { LARGEST_DRIVE / largest } else { 0.0 };
            weights.values.iter_mut().for_each(|weight| *weight *= scale);
            for drive in &mut drives {
                drive.values.iter_mut().for_each(|value| *value *= scale);
                DETECTOR_CLUSTER.activate_all(&mut drive.values);
            }
            layers.push(weights);
            made = drives;
        }
        let targets = blocks.first().map_or(0, |block| block.targets.columns);
        let cells = made.first().map_or(0, |made| made.columns);
        let (mut gram, mut toward) = (Matrix::zeros(cells, cells), Matrix::zeros(cells, targets));
        for (hidden, place) in made.iter().zip(used) {
            hidden.add_cross(hidden, &mut gram);
            hidden.add_cross(&blocks[*place].targets, &mut toward);
        }
        Self { layers, output: least_squares(&gram, &toward) }
    }

    /// Number of inputs, without the constant.
    pub(crate) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.rows).saturating_sub(1)
    }

    /// Runs the network: `fill` writes the inputs, `take` reads the outputs.
    #[inline]
    pub(crate) fn run<T>(
        &self,
        fill: impl FnOnce(&mut [f64]),
        take: impl FnOnce(&[f64]) -> T,
    ) -> T {
        let (mut here, mut there) = ([0.0_f64; MAX_WIDTH], [0.0_f64; MAX_WIDTH]);
        let inputs = self.inputs();
        fill(&mut here[..inputs]);
        here[inputs] = constant();
        let mut width = inputs + 1;
        for layer in &self.layers {
            let target = &mut there[..layer.columns];
            layer.apply(&here[..width], target);
            DETECTOR_CLUSTER.activate_all(target);
            width = layer.columns;
            std::mem::swap(&mut here, &mut there);
        }
        let target = &mut there[..self.output.columns];
        self.output.apply(&here[..width], target);
        take(target)
    }

    pub(crate) fn stored(&self) -> StoredDense {
        let matrices = self.layers.iter().chain([&self.output]);
        let first = self.layers.first().map(|layer| layer.rows);
        StoredDense {
            widths: first.into_iter().chain(matrices.clone().map(|m| m.columns)).collect(),
            weights: matrices.map(|matrix| Numbers(matrix.values.clone())).collect(),
        }
    }
}

/// The stored form of a network.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredDense {
    /// Inputs with the constant, cells of each layer, outputs.
    widths: Vec<usize>,
    weights: Vec<Numbers>,
}

impl StoredDense {
    pub(crate) fn open(self, inputs: usize, outputs: usize) -> Result<Dense, String> {
        let widths = self.widths;
        if widths.len() < 3 || widths.len() > MAX_LAYERS + 2 {
            return Err(format!("a network of {} widths", widths.len()));
        }
        if widths.iter().any(|width| *width == 0 || *width > MAX_WIDTH) {
            return Err(format!("a layer is empty or wider than {MAX_WIDTH}"));
        }
        if widths[0] != inputs + 1 || widths.last() != Some(&outputs) {
            return Err("the network does not fit the judged metrics".to_owned());
        }
        if self.weights.len() + 1 != widths.len() {
            return Err("a layer is missing".to_owned());
        }
        let mut layers = Vec::with_capacity(self.weights.len());
        for (pair, weights) in widths.windows(2).zip(self.weights) {
            let values = weights.exactly(pair[0] * pair[1], "a layer")?;
            layers.push(Matrix { rows: pair[0], columns: pair[1], values });
        }
        let output = layers.pop().unwrap_or_default();
        Ok(Dense { layers, output })
    }
}
