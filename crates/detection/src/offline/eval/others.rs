//! Detectors that judge something else than the row of one device.

use std::collections::{BTreeMap, HashMap};

use analytics::arnn::{self, Arnn, Pupil, Seen, associate};
use analytics::host::Host;
use analytics::models::{Lesson, by_name, held_out_scores};
use analytics::paper::{self, Extractor, Paper, PaperWindow};
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, prepare};

use super::contenders::{Contender, Learned, Pacer};
use super::material::Captures;
use crate::offline::input::read_frames;
use crate::offline::scored::{ScoredWindow, Why};
use crate::offline::singles::{Names, Singles, SinglesJudge};
use crate::offline::{OfflineError, OfflineProgress};

/// The published three metrics of the whole network.
pub(super) struct Published;

impl Contender for Published {
    fn name(&self) -> &'static str {
        paper::NAME
    }

    fn about(&self) -> String {
        "the published three metrics of all traffic together, auto-associative network 8-8"
            .to_owned()
    }

    fn draws(&self) -> bool {
        true
    }

    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let windows = paper_windows(training)?;
        let model = Paper::learn(&windows, options.seed, options.alpha)
            .ok_or_else(|| format!("{} windows are too few", windows.len()))?;
        Ok(Box::new(model))
    }
}

fn paper_windows(captures: &Captures) -> Result<Vec<PaperWindow>, String> {
    let mut windows = Vec::new();
    for path in &captures.paths {
        let mut extractor = Extractor::new(captures.window_us);
        read_frames(
            path,
            |_: OfflineProgress| {},
            |frame| {
                windows.extend(extractor.push(frame.ts_ns, frame.wire_len));
                Ok::<(), OfflineError>(())
            },
        )
        .map_err(|error| error.to_string())?;
        windows.extend(extractor.finish());
    }
    Ok(windows)
}

impl Learned for Paper {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let by_start: HashMap<i64, PaperWindow> =
            paper_windows(test)?.into_iter().map(|window| (window.start_us, window)).collect();
        let mut names = Names::default();
        let judged = test.records.iter().filter_map(|record| {
            let window = by_start.get(&record.start_us)?;
            let score = Self::score(self, window);
            let (metric, measured, expected) = self.why(window);
            Some(ScoredWindow {
                device: names.of(record.device),
                group: None,
                start_us: record.start_us,
                end_us: record.end_us,
                score,
                alert: score > 1.0,
                detector: paper::NAME,
                why: vec![Why::numbers(metric, measured, expected)],
            })
        });
        Ok(judged.collect())
    }

    fn pacer(&self) -> Option<Pacer<'_>> {
        None // Its windows come from packets, not from the counts of a device.
    }
}

/// All devices of a window together.
pub(super) struct Together;

struct LearnedTogether {
    model: Arnn,
    ranges: Singles,
}

impl Contender for Together {
    fn name(&self) -> &'static str {
        arnn::NAME
    }

    fn about(&self) -> String {
        "which of all devices are compromised, judged together from who talks to whom".to_owned()
    }

    fn draws(&self) -> bool {
        false
    }

    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let range = by_name("range").ok_or("no range judge")?;
        let mut by_device: BTreeMap<Host, Vec<&WindowRecord>> = BTreeMap::new();
        for record in &training.records {
            by_device.entry(record.device).or_default().push(record);
        }
        // Evidence of a training window comes from the other time blocks, as every threshold does.
        let mut lessons = Vec::with_capacity(by_device.len());
        for (device, mut windows) in by_device {
            windows.sort_by_key(|record| record.start_us);
            let Ok(prepared) = prepare(Some(device), windows.clone(), options) else { continue };
            let places = prepared.places();
            let lesson = Lesson::of(&prepared, &places, options.seed, options.alpha);
            if let Some(evidence) = held_out_scores(range, &lesson) {
                lessons.push((windows, evidence));
            }
        }
        let pupils: Vec<Pupil<'_>> =
            lessons.iter().map(|(records, evidence)| Pupil { records, evidence }).collect();
        let model = Arnn::train(&pupils, options.alpha)
            .ok_or("no device has enough windows to set a threshold")?;
        let ranges = Singles::learn(range, &training.records, options)?;
        Ok(Box::new(LearnedTogether { model, ranges }))
    }
}

/// Tells the association of every window's device, with the evidence it rests on.
fn each_window(
    ranges: &Singles,
    records: &[WindowRecord],
    mut each: impl FnMut(&WindowRecord, arnn::Collective),
) {
    let mut judge = SinglesJudge::new(ranges);
    let mut by_start: BTreeMap<i64, Vec<(&WindowRecord, f64)>> = BTreeMap::new();
    for record in records {
        let evidence = judge.score(record).unwrap_or(0.0);
        by_start.entry(record.start_us).or_default().push((record, evidence));
    }
    for together in by_start.values() {
        let seen: Vec<Seen<'_>> = together
            .iter()
            .map(|(record, evidence)| Seen {
                record,
                evidence: *evidence,
                known: ranges.known(record.device),
            })
            .collect();
        for ((record, _), judged) in together.iter().zip(associate(&seen)) {
            each(record, judged);
        }
    }
}

impl Learned for LearnedTogether {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut names = Names::default();
        let mut scored = Vec::with_capacity(test.records.len());
        each_window(&self.ranges, &test.records, |record, judged| {
            let score = self.model.score(&judged);
            scored.push(ScoredWindow {
                device: names.of(record.device),
                group: None,
                start_us: record.start_us,
                end_us: record.end_us,
                score,
                alert: score > 1.0,
                detector: arnn::NAME,
                why: vec![Why::numbers("association", judged.association, 0.5)],
            });
        });
        Ok(scored)
    }

    fn pacer(&self) -> Option<Pacer<'_>> {
        Some(Box::new(|test| {
            let mut sum = 0.0;
            each_window(&self.ranges, &test.records, |_, judged| sum += self.model.score(&judged));
            std::hint::black_box(sum);
            test.records.len() as u64
        }))
    }
}
