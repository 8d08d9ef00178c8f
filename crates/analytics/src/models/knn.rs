//! Nearest neighbours: mean distance to the five nearest distinct training rows, in the k-d tree of
//! `linfa-nn`; one threshold.

use linfa_nn::distance::L2Dist;
use linfa_nn::{KdTree, NearestNeighbour as _, NearestNeighbourIndex};
use ndarray::{Array2, ArrayView1};
use self_cell::self_cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::aarnn::gather;
use super::held_out::held_out;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, MAX_ROWS, MAX_WIDTH, Model, largest};
use crate::network::Scaled;
use crate::threshold::limit;

pub(super) const NAME: &str = "knn";
/// Neighbours.
const NEIGHBOURS: usize = 5;

/// Learns nearest-neighbour models.
pub(super) struct Knn;

type Index<'a> = Box<dyn 'a + Send + Sync + NearestNeighbourIndex<f64>>;

self_cell!(
    /// Points and the tree over them, which the library lets borrow the points only.
    struct Tree {
        owner: Array2<f64>,
        #[not_covariant]
        dependent: Index,
    }
);

struct KnnModel {
    active: Vec<usize>,
    tree: Tree,
    threshold: f64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    count: usize,
    points: Numbers,
    threshold: Numbers,
}

/// The distinct rows, in the order of their numbers.
fn distinct(rows: &[&Scaled], active: &[usize]) -> Vec<f64> {
    let mut rows: Vec<Vec<f32>> =
        rows.iter().map(|row| active.iter().map(|place| row[*place]).collect()).collect();
    rows.sort_unstable_by(|a, b| {
        let differing = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        differing.unwrap_or(std::cmp::Ordering::Equal)
    });
    rows.dedup();
    shuffled(rows).into_iter().flatten().map(f64::from).collect()
}

/// The tree is built by inserting: in sorted order it would degenerate. The order is a fixed one.
fn shuffled(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    crate::draw::Draw::new(0, "points").shuffle(&mut rows);
    rows
}

fn tree(points: Vec<f64>, width: usize) -> Result<Tree, String> {
    let count = points.len().checked_div(width).unwrap_or(0);
    let points =
        Array2::from_shape_vec((count, width), points).map_err(|error| error.to_string())?;
    Tree::try_new(points, |points| {
        KdTree::new().from_batch(points, L2Dist).map_err(|error| error.to_string())
    })
}

/// Mean distance to the nearest points; fewer than [`NEIGHBOURS`] where there are fewer.
fn distance(tree: &Tree, active: &[usize], row: &Scaled) -> f64 {
    let mut point = [0.0; MAX_WIDTH];
    let point = &mut point[..active.len()];
    gather(active, row, point);
    let point: &[f64] = point;
    tree.with_dependent(|_, index| {
        // The widths agree, so the library has nothing to refuse.
        let nearest = index.k_nearest(ArrayView1::from(point), NEIGHBOURS).unwrap_or_default();
        let apart = |other: &ArrayView1<'_, f64>| {
            let squares = point.iter().zip(other).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>().sqrt()
        };
        let sum: f64 = nearest.iter().map(|(other, _)| apart(other)).sum();
        sum / nearest.len().max(1) as f64
    })
}

impl Learner for Knn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "mean distance to the five nearest distinct training rows, k-d tree of linfa-nn"
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let mut errors = Vec::with_capacity(rows.len());
        held_out(
            &rows,
            |others| tree(distinct(others, active), active.len()),
            |tree, row| errors.extend(tree.as_ref().map(|tree| distance(tree, active, row))),
        );
        let points = distinct(&rows.iter().collect::<Vec<_>>(), active);
        Some(Box::new(KnnModel {
            active: active.to_vec(),
            tree: tree(points, active.len()).ok()?,
            threshold: limit(&mut errors, lesson.alpha),
        }))
    }
}

impl Model for KnnModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        distance(&self.tree, &self.active, row) / self.threshold
    }

    /// Where the row differs most from the training row nearest to it.
    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        let mut point = vec![0.0; self.active.len()];
        gather(&self.active, row, &mut point);
        self.tree.with_dependent(|_, index| {
            let nearest = index.k_nearest(ArrayView1::from(point.as_slice()), 1).ok()?;
            let (other, _) = nearest.first()?;
            let apart = point.iter().zip(other).map(|(a, b)| (a - b).abs()).enumerate();
            largest(apart).map(|(column, _)| (self.active[column], other[column]))
        })
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            count: self.tree.borrow_owner().nrows(),
            points: Numbers(self.tree.borrow_owner().iter().copied().collect()),
            threshold: Numbers(vec![self.threshold]),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let width = stored.head.active.len();
    if !(1..=MAX_ROWS).contains(&stored.count) {
        return Err(format!("{} points, at most {MAX_ROWS} are read", stored.count));
    }
    let points = stored.points.exactly(stored.count * width, "points")?;
    Ok(Box::new(KnnModel {
        tree: tree(points, width)?,
        threshold: stored.threshold.positive(1, "threshold")?[0],
        active: stored.head.active,
    }))
}
