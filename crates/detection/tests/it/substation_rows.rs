//! The rows of a simulated substation, written as captures: what is judged there is judged here.

#![allow(clippy::print_stderr)] // what is skipped is said

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use detection::offline::rows::{Columns, Form, GooseRow, Table, read_spec};
use detection::offline::scenario::Scenario;
use detection::offline::{ScoreRequest, TrainRequest, score_with, train};
use serde_json::Value;

use crate::substation::{Frames, frame, write};

/// Windows by device and start, seconds.
type Windows = BTreeSet<(String, i64)>;

/// One run: its frames, the windows that hold an attack and those that hold an unscored message.
#[derive(Default)]
struct Run {
    frames: Frames,
    attacked: Windows,
    unscored: Windows,
}

fn labels(folder: &Path) -> Vec<String> {
    let mut table = Table::open(&folder.join("labels.csv.gz"), Form::Csv).unwrap();
    let mut labels = Vec::new();
    while let Some(row) = table.next_row().unwrap() {
        labels.push(row.get(1).to_owned());
    }
    labels
}

/// The runs of a part, each as a capture would hold it. A capture knows no stated length.
fn runs(scenario: &Scenario, part: &Path, labels: &[String]) -> Vec<Run> {
    let spec = read_spec(scenario).unwrap();
    let mut table = Table::open(part, spec.form).unwrap();
    let columns = Columns::find(table.columns(), &spec.named).unwrap();
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    let mut reader = GooseRow::default();
    while let Some(row) = table.next_row().unwrap() {
        let message = reader.read(&columns, row).unwrap();
        let run = runs.entry(columns.text(row, "group").to_owned()).or_default();
        run.frames.push((message.ts_us, frame(&message)));
        let window = (message.src.to_string(), message.ts_us.div_euclid(10_000_000) * 10);
        match labels.get(row.number as usize - 1).map(String::as_str) {
            Some("1") => run.attacked.insert(window),
            Some("x") => run.unscored.insert(window),
            _ => false,
        };
    }
    runs.into_values().collect()
}

#[test]
fn attacks_on_a_substation_are_found_in_captures_and_emergencies_are_not() {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection/goose");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
        return;
    }
    let scenario = Scenario::read(&folder).unwrap();
    let bench = tempfile::tempdir().unwrap();
    let place = |name: &str| bench.path().join(name);
    let mut captures = Vec::new();
    let learned = runs(&scenario, scenario.train.as_ref().unwrap(), &[]);
    for (number, run) in learned.into_iter().enumerate() {
        captures.push(place(&format!("{number}.pcap")));
        std::fs::write(&captures[number], write(run.frames)).unwrap();
    }
    let mut request = TrainRequest::new(captures);
    request.baselines = false;
    let summary = train(&request, &place("model"), |_| {}).unwrap();
    assert_eq!((summary.laws[0].messages, summary.laws[0].known), (4_996, 3), "{summary:?}");

    let (mut found, mut attacked, mut wrong, mut benign) = (0, 0, 0, 0);
    for run in runs(&scenario, scenario.test.as_ref().unwrap(), &labels(&folder)) {
        std::fs::write(place("test.pcap"), write(run.frames)).unwrap();
        let request = ScoreRequest::new(place("model"), place("test.pcap"));
        score_with(&request, &place("out.jsonl"), |_| {}).unwrap();
        let text = std::fs::read_to_string(place("out.jsonl")).unwrap();
        let mut told = Windows::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let device = line["device"].as_str().unwrap().to_owned();
            let window = (device, line["start"].as_i64().unwrap());
            let alert = usize::from(line["alert"] == true);
            if run.attacked.contains(&window) {
                found += alert;
            } else if !run.unscored.contains(&window) {
                (wrong, benign) = (wrong + alert, benign + 1);
            }
            assert!(told.insert(window), "a window is told once: {line}");
        }
        assert!(run.attacked.is_subset(&told), "no window of an attack is lost");
        attacked += run.attacked.len();
    }
    eprintln!("{found} of {attacked} attack windows, {wrong} of {benign} others");
    assert!(attacked > 900 && benign > 6_000);
    assert!(found as f64 >= 0.95 * attacked as f64 && wrong as f64 <= 0.005 * benign as f64);
}
