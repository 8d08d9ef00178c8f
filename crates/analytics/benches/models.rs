//! Time per window of every model, beside each other in one run, and time to learn 6,000 windows.
//!
//! `score` is one core over 6,000 windows that all differ, in one batch; divan prints the time of a
//! batch and windows per second (6,000 windows in 6 ms are 1 µs each).
#![allow(missing_docs, clippy::unwrap_used)]

use analytics::metrics::METRICS;
use analytics::models::{Lesson, Model, all, by_name};
use analytics::network::Scaled;
use divan::counter::ItemsCount;

const WINDOWS: usize = 6_000;
const SCALE: [f64; METRICS] = [6.0; METRICS];

fn main() {
    divan::main();
}

/// Windows of a device with several habits: related metrics, rare ones, and some that never happen.
fn rows(seed: u64) -> Vec<Scaled> {
    let mut state = seed | 1;
    let mut unit = || {
        // xorshift64: the draws of the crate are not public, and any will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f32 / (1_u64 << 53) as f32
    };
    (0..WINDOWS)
        .map(|_| {
            let (habit, size, burst) = (unit(), unit(), unit() < 0.1);
            std::array::from_fn(|metric| match metric % 5 {
                0 => 0.2 + 0.5 * habit + 0.1 * unit(),
                1 => 0.3 + 0.4 * size + 0.05 * unit(),
                2 => 0.5 * habit * size + 0.1 * unit(),
                3 if burst => 0.3 + 0.3 * unit(),
                _ => 0.0,
            })
        })
        .collect()
}

fn names() -> Vec<&'static str> {
    all().iter().map(|learner| learner.name()).collect()
}

fn learn(name: &str, rows: &[Scaled]) -> Box<dyn Model> {
    let active: Vec<usize> = (0..METRICS).collect();
    let lesson = Lesson {
        device: "bench",
        rows,
        active: &active,
        scale: Some(&SCALE),
        feedback: &[],
        seed: 1,
        alpha: 0.005,
    };
    by_name(name).unwrap().learn(&lesson).unwrap()
}

#[divan::bench(args = names(), sample_count = 30)]
fn score(bencher: divan::Bencher<'_, '_>, name: &str) {
    let model = learn(name, &rows(1));
    let (later, mut scores) = (rows(2), vec![0.0; WINDOWS]);
    bencher.counter(ItemsCount::new(WINDOWS)).bench_local(|| {
        model.score_batch(&later, &mut scores);
        scores[0]
    });
}

#[divan::bench(args = names(), sample_count = 5, sample_size = 1)]
fn learn_6000_windows(bencher: divan::Bencher<'_, '_>, name: &str) {
    let rows = rows(1);
    bencher.counter(ItemsCount::new(WINDOWS)).bench_local(|| learn(name, &rows).score(&rows[0]));
}
