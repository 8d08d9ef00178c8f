//! Every model of the list on every capture scenario, beside each other.
//!
//! `SERENO_SEEDS=10` measures the models that draw over ten seeds (the default is two, to be quick).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::time::Instant;

use analytics::arnn::{Arnn, Pupil, Seen};
use analytics::features::ContextMemory;
use analytics::host::Host;
use analytics::models::{Lesson, Model, all, by_name, held_out_scores};
use analytics::network::Scaled;
use analytics::paper::{Extractor, Paper, PaperWindow};
use analytics::preparation::Prepared;
use analytics::record::WindowRecord;
use analytics::threshold::DEFAULT_ALPHA;
use analytics::train::{TrainOptions, prepare};
use analytics::windows::DEFAULT_WINDOW_US;
use flate2::read::GzDecoder;
use protocols::capture::CaptureStream;

use crate::support::{
    Reconnects, Truth, edited_windows, labels, protected, scenario, truth, windows,
};

/// Scenarios, each with the scenarios whose training joins its own.
const SCENARIOS: [(&str, &[&str], Stress); 13] = [
    ("hakai", &[], Stress::Plain),
    ("lockly-hub-01", &[], Stress::Plain),
    ("schlage-lock-01", &[], Stress::Plain),
    ("blink-cam-01", &[], Stress::Plain),
    ("blink-cam-02", &[], Stress::Plain),
    ("modbus-cnc", &[], Stress::Plain),
    ("modbus-moving-files", &["modbus-cnc"], Stress::Plain),
    ("modbus-characterization", &["modbus-cnc"], Stress::Plain),
    ("hakai", &[], Stress::Known),
    ("lockly-hub-01", &[], Stress::Known),
    ("schlage-lock-01", &[], Stress::Known),
    ("lockly-hub-01", &[], Stress::Noisy),
    ("schlage-lock-01", &[], Stress::Noisy),
];

fn seeds() -> u64 {
    std::env::var("SERENO_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// A scored window: what it was, and the score.
type Scored = (bool, f64);

#[derive(Clone, Copy)]
struct Figures {
    area: f64,
    tpr: f64,
    fpr: f64,
}

fn figures(scored: &[Scored]) -> Figures {
    let of = |label: bool| scored.iter().filter(move |entry| entry.0 == label);
    let rate = |label: bool| {
        of(label).filter(|entry| entry.1 > 1.0).count() as f64 / of(label).count().max(1) as f64
    };
    let mut negatives: Vec<f64> = of(false).map(|entry| entry.1).collect();
    negatives.sort_by(f64::total_cmp);
    let wins: f64 = of(true)
        .map(|(_, score)| {
            let below = negatives.partition_point(|other| other < score);
            let not_above = negatives.partition_point(|other| other <= score);
            (below + not_above) as f64 / 2.0
        })
        .sum();
    let pairs = (negatives.len() * of(true).count()).max(1) as f64;
    Figures { area: wins / pairs, tpr: rate(true), fpr: rate(false) }
}

/// One protected device: what it learns from and what is judged.
struct Device {
    prepared: Prepared,
    rows: Vec<Scaled>,
    labels: Vec<Option<bool>>,
}

struct Data {
    training: Vec<WindowRecord>,
    test: Vec<WindowRecord>,
    truth: Truth,
    devices: Vec<Device>,
}

fn label(truth: &Truth, record: &WindowRecord) -> Option<bool> {
    truth.get(&(record.device, record.start_us)).copied().unwrap_or(Some(false))
}

fn of_device(records: &[WindowRecord], device: Host) -> Vec<&WindowRecord> {
    let mut records: Vec<_> = records.iter().filter(|record| record.device == device).collect();
    records.sort_by_key(|record| record.start_us);
    records
}

/// The lesson of a device, or the pooled one where it has no windows of its own.
fn prepared(training: &[WindowRecord], device: Host) -> Prepared {
    let options = TrainOptions::default();
    prepare(Some(device), of_device(training, device), &options)
        .or_else(|_| prepare(None, training.iter().collect(), &options))
        .unwrap()
}

fn rows(prepared: &Prepared, records: &[&WindowRecord]) -> Vec<Scaled> {
    let mut memory = ContextMemory::default();
    records.iter().map(|record| prepared.preparation.row(record, &mut memory)).collect()
}

/// What is changed in a scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stress {
    Plain,
    /// The attack goes to the service its device talks to most.
    Known,
    /// So it does, and the device fails to reach that service now and then, in training and later.
    Noisy,
}

/// The TCP peer and port a device exchanges most packets with.
fn usual_service(records: &[WindowRecord], device: Host) -> (Host, u16) {
    let mut packets = BTreeMap::new();
    let of_device = records.iter().filter(|record| record.device == device);
    for key in of_device.flat_map(|record| &record.keys).filter(|key| key.protocol == 6) {
        *packets.entry((key.peer, key.port)).or_insert(0) += key.packets;
    }
    *packets.iter().max_by_key(|(_, packets)| **packets).unwrap().0
}

fn captures(folder: &Path, stress: Stress) -> (Vec<WindowRecord>, Vec<WindowRecord>) {
    let (train, test) = (folder.join("train.pcap.gz"), folder.join("test.pcap.gz"));
    let own = if train.is_file() { windows(&train) } else { Vec::new() };
    if stress == Stress::Plain {
        return (own, windows(&test));
    }
    let device = protected(folder)[0];
    let (peer, port) = usual_service(&own, device);
    let noise = (stress == Stress::Noisy).then_some(Reconnects { device, peer, port });
    let labels = labels(folder);
    let edited = edited_windows(&test, noise.as_ref(), |place, segment| {
        if labels[place] == '1' && segment.src == Some(device) {
            (segment.dst, segment.dst_port) = (Some(peer), port);
        }
    });
    (edited_windows(&train, noise.as_ref(), |_, _| {}), edited)
}

fn load(folder: &Path, more: &[&str], stress: Stress) -> Data {
    let (mut training, test) = captures(folder, stress);
    for other in more {
        training.extend(windows(&scenario(other).unwrap().join("train.pcap.gz")));
    }
    let truth = truth(folder, DEFAULT_WINDOW_US);
    let devices = protected(folder)
        .into_iter()
        .filter(|device| test.iter().any(|record| record.device == *device))
        .map(|device| {
            let prepared = prepared(&training, device);
            let records = of_device(&test, device);
            Device {
                rows: rows(&prepared, &records),
                labels: records.iter().map(|record| label(&truth, record)).collect(),
                prepared,
            }
        })
        .collect();
    Data { training, test, truth, devices }
}

/// Learns a model for each device and scores its windows; returns them with the time to learn and
/// the time per window, microseconds.
fn run(data: &Data, name: &str, seed: u64) -> Option<(Vec<Scored>, f64, f64)> {
    let learner = by_name(name).unwrap();
    let (mut scored, mut learning_us, mut scoring_us, mut windows) = (Vec::new(), 0.0, 0.0, 0);
    for device in &data.devices {
        let places = device.prepared.places();
        let lesson = Lesson::of(&device.prepared, &places, seed, DEFAULT_ALPHA);
        let start = Instant::now();
        let model: Box<dyn Model> = learner.learn(&lesson)?;
        learning_us += start.elapsed().as_secs_f64() * 1e6;
        let mut scores = vec![0.0; device.rows.len()];
        let start = Instant::now();
        model.score_batch(&device.rows, &mut scores);
        scoring_us += start.elapsed().as_secs_f64() * 1e6;
        windows += scores.len();
        let labelled = device.labels.iter().zip(scores);
        scored.extend(labelled.filter_map(|(label, score)| Some(((*label)?, score))));
    }
    Some((scored, learning_us, scoring_us / windows.max(1) as f64))
}

/// Minimum, median and maximum.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (first, last) = (values[0], values[values.len() - 1]);
    if first == last {
        return format!("{first:.4}");
    }
    format!("{first:.4}/{:.4}/{last:.4}", values[values.len() / 2])
}

fn print(name: &str, all: &[Figures], learning_us: f64, window_us: f64) {
    let column = |value: &dyn Fn(&Figures) -> f64| spread(all.iter().map(value).collect());
    eprintln!(
        "  {name:8} AUC {:22} TPR {:22} FPR {:22} learned in {:7.1} ms, {window_us:6.2} µs a window",
        column(&|f| f.area),
        column(&|f| f.tpr),
        column(&|f| f.fpr),
        learning_us / 1e3,
    );
}

fn paper_windows(path: &Path) -> Vec<PaperWindow> {
    let mut stream = CaptureStream::new(GzDecoder::new(File::open(path).unwrap()));
    let mut extractor = Extractor::new(DEFAULT_WINDOW_US);
    let mut windows = Vec::new();
    while let Some(frame) = stream.next_frame() {
        let frame = frame.unwrap();
        windows.extend(extractor.push(frame.ts_ns, frame.wire_len));
    }
    windows.extend(extractor.finish());
    windows
}

/// The published feature set: the whole network's score counts for every protected device.
fn paper(folder: &Path, more: &[&str], data: &Data, seed: u64) -> Option<Vec<Scored>> {
    let own = folder.join("train.pcap.gz");
    let training = match more.first() {
        Some(other) => paper_windows(&scenario(other)?.join("train.pcap.gz")),
        None => paper_windows(&own),
    };
    let model = Paper::learn(&training, seed, DEFAULT_ALPHA)?;
    let scores: BTreeMap<i64, f64> = paper_windows(&folder.join("test.pcap.gz"))
        .iter()
        .map(|window| (window.start_us, model.score(window)))
        .collect();
    let devices = protected(folder);
    let judged = data.test.iter().filter(|record| devices.contains(&record.device));
    let scored = judged
        .filter_map(|record| Some((label(&data.truth, record)?, *scores.get(&record.start_us)?)));
    Some(scored.collect())
}

/// All devices of a window together, on the evidence of the range judge.
fn arnn(protected: &[Host], data: &Data) -> Option<Vec<Scored>> {
    let devices: BTreeSet<Host> =
        data.training.iter().chain(&data.test).map(|record| record.device).collect();
    let learner = by_name("range").unwrap();
    let mut lessons = BTreeMap::new();
    let mut judged: BTreeMap<i64, Vec<(&WindowRecord, f64)>> = BTreeMap::new();
    let mut learned = Vec::new();
    for device in devices {
        let prepared = prepared(&data.training, device);
        let places = prepared.places();
        let lesson = Lesson::of(&prepared, &places, 1, DEFAULT_ALPHA);
        let model = learner.learn(&lesson)?;
        if prepared.device.is_some()
            && let Some(evidence) = held_out_scores(learner, &lesson)
        {
            learned.push((of_device(&data.training, device), evidence));
        }
        let test = of_device(&data.test, device);
        for (record, row) in test.iter().zip(rows(&prepared, &test)) {
            judged.entry(record.start_us).or_default().push((record, model.score(&row)));
        }
        lessons.insert(device, prepared);
    }
    let pupils: Vec<Pupil<'_>> =
        learned.iter().map(|(records, evidence)| Pupil { records, evidence }).collect();
    let model = Arnn::train(&pupils, DEFAULT_ALPHA)?;
    let mut scored = Vec::new();
    for window in judged.values() {
        let seen: Vec<Seen<'_>> = window
            .iter()
            .map(|(record, evidence)| {
                let preparation = lessons.get(&record.device).map(|lesson| &lesson.preparation);
                let known = preparation.filter(|judge| judge.judges_novelty());
                Seen { record, evidence: *evidence, known: known.map(|judge| judge.known()) }
            })
            .collect();
        for ((record, _), (_, score)) in window.iter().zip(model.judge(&seen)) {
            if protected.contains(&record.device) {
                scored.extend(label(&data.truth, record).map(|label| (label, score)));
            }
        }
    }
    Some(scored)
}

fn table(name: &str, more: &[&str], stress: Stress) -> Option<BTreeMap<&'static str, Figures>> {
    let folder = scenario(name)?;
    let data = load(&folder, more, stress);
    let windows: Vec<usize> =
        data.devices.iter().map(|device| device.prepared.rows.len()).collect();
    let attacked =
        data.devices.iter().flat_map(|d| &d.labels).filter(|label| **label == Some(true)).count();
    let benign =
        data.devices.iter().flat_map(|d| &d.labels).filter(|label| **label == Some(false)).count();
    eprintln!(
        "{name} {stress:?}: training windows {windows:?}, attack {attacked}, benign {benign}"
    );
    let mut least = BTreeMap::new();
    for learner in all() {
        let count = if learner.draws() { seeds() } else { 1 };
        let runs: Vec<_> =
            (1..=count).filter_map(|seed| run(&data, learner.name(), seed)).collect();
        let Some((_, learning_us, window_us)) = runs.first() else {
            eprintln!("  {:8} too little training", learner.name());
            continue;
        };
        let figures: Vec<Figures> = runs.iter().map(|(scored, _, _)| figures(scored)).collect();
        print(learner.name(), &figures, *learning_us, *window_us);
        least.insert(learner.name(), figures.into_iter().min_by(|a, b| a.area.total_cmp(&b.area))?);
    }
    // The metrics of the published set do not depend on whom packets go to; noise is left out of it.
    let papers: Vec<Figures> = (1..=seeds())
        .filter_map(|seed| Some(figures(&paper(&folder, more, &data, seed)?)))
        .collect();
    print("paper", &papers, f64::NAN, f64::NAN);
    if let Some(scored) = arnn(&protected(&folder), &data) {
        print("arnn", &[figures(&scored)], f64::NAN, f64::NAN);
        least.insert("arnn", figures(&scored));
    }
    Some(least)
}

#[test]
fn every_model_on_every_capture() {
    let only = std::env::var("SERENO_SCENARIO").ok();
    for (name, more, stress) in SCENARIOS {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let Some(least) = table(name, more, stress) else { continue };
        for (model, figures) in least {
            assert!(figures.area.is_finite(), "{name} {model}");
        }
    }
}
