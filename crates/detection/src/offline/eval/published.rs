//! The figures in the form of the published comparison of AADRNN, Lasso and KNN (Nakip and Gelenbe,
//! "MIRAI Botnet Attack Detection with Auto-Associative Dense Random Neural Network", 2021): accuracy,
//! true positives and true negatives in per cent, training and execution times.

use super::report::{DetectorReport, ScenarioReport, SubjectReport};
use super::table::number;

/// Headings of the columns.
pub(super) const COLUMNS: [&str; 8] =
    ["detector", "accuracy %", "TP %", "TN %", "FN %", "FP %", "training s", "execution µs"];

/// What the table is.
pub(super) const TITLE: &str = "In the form of the published comparison (Nakip and Gelenbe 2021), \
                                rates at their worst over the seeds";

/// A row for each detector with both kinds of windows, all protected devices together.
pub(super) fn rows(scenario: &ScenarioReport) -> Vec<[String; 8]> {
    let first =
        |detector: &DetectorReport| detector.subjects.first().and_then(|all| row(detector, all));
    scenario.detectors.iter().filter_map(first).collect()
}

fn row(detector: &DetectorReport, all: &SubjectReport) -> Option<[String; 8]> {
    let (found, quiet) = (all.tpr?.min, 1.0 - all.fpr?.max);
    let (attack, benign) = (all.positive as f64, all.negative as f64);
    if attack == 0.0 || benign == 0.0 {
        return None;
    }
    let accuracy = (found * attack + quiet * benign) / (attack + benign);
    let percent = |share: f64| number(share * 100.0, 2);
    let time = |time: Option<f64>, decimals| {
        time.map_or_else(|| "–".to_owned(), |time| number(time, decimals))
    };
    Some([
        detector.detector.clone(),
        percent(accuracy),
        percent(found),
        percent(quiet),
        percent(1.0 - found),
        percent(1.0 - quiet),
        time(detector.training_s.map(|spread| spread.median), 4),
        time(detector.window_us.map(|spread| spread.min), 2),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::{Value, json};

    use super::*;

    fn rows_of(subject: &Value) -> Vec<[String; 8]> {
        let mut all = json!({
            "positive": 30, "negative": 10, "unscored": 0, "silent": 0, "benign_days": 0.0,
            "counts": {"true_positives": 0, "false_negatives": 0, "false_positives": 0, "true_negatives": 0},
            "roc": [], "course": []
        });
        all.as_object_mut().unwrap().extend(subject.as_object().unwrap().clone());
        let spread = |value: f64| json!({"min": value, "median": value, "max": value});
        let scenario: ScenarioReport = serde_json::from_value(json!({
            "name": "x", "kind": "pcap", "description": "", "source": "", "licence": "",
            "training": {"from": [], "packets": 0, "windows": [], "warnings": []},
            "test": {"packets": 0, "labelled": true, "attacks": [], "runs": 0, "notes": []},
            "detectors": [{
                "detector": "aarnn", "about": "", "seeds": 2,
                "training_s": spread(0.5), "window_us": spread(0.25), "subjects": [all]
            }]
        }))
        .unwrap();
        rows(&scenario)
    }

    #[test]
    fn the_worst_of_the_seeds_counts() {
        let spread = |min: f64, max: f64| json!({"min": min, "median": max, "max": max});
        let rows = rows_of(&json!({"tpr": spread(0.8, 1.0), "fpr": spread(0.0, 0.1)}));
        let expected = ["aarnn", "82.5", "80", "90", "20", "10", "0.5", "0.25"];
        assert_eq!(rows, [expected.map(str::to_owned)]);
        let still = json!({"positive": 0, "tpr": spread(1.0, 1.0), "fpr": spread(0.0, 0.0)});
        assert!(rows_of(&still).is_empty(), "no rate without attack");
    }
}
