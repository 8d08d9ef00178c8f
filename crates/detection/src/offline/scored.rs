//! One judged window of any detector, whatever it read: the common coin of scoring and evaluation.

use std::borrow::Cow;
use std::sync::Arc;

use analytics::detector::Verdict;
use analytics::record::WindowRecord;
use serde::{Deserialize, Serialize};

use super::jsonl::{append_number, append_seconds};

/// Reasons a line tells, strongest first.
const REASONS: usize = 3;

/// What was measured or expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WhyValue {
    /// In the metric's own unit.
    Number(f64),
    /// In plain words, where a number says nothing (a function, an object).
    Text(String),
}

/// One reason of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The metric, or the kind of deviation.
    pub metric: Cow<'static, str>,
    /// What the window holds.
    pub measured: WhyValue,
    /// What training leads to expect.
    pub expected: WhyValue,
}

impl Why {
    /// A reason in numbers.
    #[must_use]
    pub fn numbers(metric: &'static str, measured: f64, expected: f64) -> Self {
        Self {
            metric: Cow::Borrowed(metric),
            measured: WhyValue::Number(measured),
            expected: WhyValue::Number(expected),
        }
    }
}

/// A window as one detector judged it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredWindow {
    /// Address of the device as the output prints it.
    pub device: Arc<str>,
    /// The run, for rows of several runs.
    pub group: Option<Arc<str>>,
    /// Start, microseconds since the Unix epoch, a whole multiple of the window's length.
    pub start_us: i64,
    /// End (exclusive), microseconds since the Unix epoch.
    pub end_us: i64,
    /// Above 1 is an alert, whatever the detector.
    pub score: f64,
    /// Whether the detector alerts.
    pub alert: bool,
    /// Its name in the output contract.
    pub detector: &'static str,
    /// Reasons, strongest first.
    pub why: Vec<Why>,
}

impl ScoredWindow {
    /// A window judged by the shipped models. `device` is the record's, already printed.
    #[must_use]
    pub fn of_verdict(device: Arc<str>, record: &WindowRecord, verdict: &Verdict) -> Self {
        Self {
            device,
            group: None,
            start_us: record.start_us,
            end_us: record.end_us,
            score: verdict.judgement.score,
            alert: verdict.judgement.alert(),
            detector: verdict.detector,
            why: verdict
                .judgement
                .reasons()
                .take(REASONS)
                .map(|reason| Why::numbers(reason.metric.name(), reason.measured, reason.expected))
                .collect(),
        }
    }

    /// Takes in what another judge says of the same window: the stronger score stands, with its
    /// reasons first; either alert is an alert.
    pub fn join(&mut self, other: &Self) {
        self.alert |= other.alert;
        if other.score > self.score {
            self.score = other.score;
            self.why.splice(0..0, other.why.iter().cloned());
        } else {
            self.why.extend(other.why.iter().cloned());
        }
        self.why.truncate(2 * REASONS);
    }

    /// Appends the line of the output contract, with its line feed.
    pub fn append_line(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"device\":");
        append_text(out, &self.device);
        if let Some(group) = &self.group {
            out.extend_from_slice(b",\"group\":");
            append_text(out, group);
        }
        out.extend_from_slice(b",\"start\":");
        append_seconds(out, self.start_us);
        out.extend_from_slice(b",\"end\":");
        append_seconds(out, self.end_us);
        out.extend_from_slice(b",\"score\":");
        append_number(out, self.score);
        out.extend_from_slice(if self.alert { b",\"alert\":true" } else { b",\"alert\":false" });
        out.extend_from_slice(b",\"detector\":");
        append_text(out, self.detector);
        out.extend_from_slice(b",\"why\":[");
        for (place, why) in self.why.iter().take(REASONS).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"metric\":");
            append_text(out, &why.metric);
            out.extend_from_slice(b",\"measured\":");
            append_value(out, &why.measured);
            out.extend_from_slice(b",\"expected\":");
            append_value(out, &why.expected);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}\n");
    }
}

fn append_value(out: &mut Vec<u8>, value: &WhyValue) {
    match value {
        WhyValue::Number(number) => append_number(out, *number),
        WhyValue::Text(text) => append_text(out, text),
    }
}

/// A JSON string; writing to a vector cannot fail.
fn append_text(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_json_whatever_the_names(
            device in ".{0,20}", group in proptest::option::of(".{0,20}"), text in ".{0,20}",
            score in 0.0..1e6_f64,
        ) {
            let window = ScoredWindow {
                device: device.as_str().into(),
                group: group.as_deref().map(Arc::from),
                start_us: 10_000_000,
                end_us: 20_000_000,
                score,
                alert: score > 1.0,
                detector: "ensemble",
                why: vec![Why {
                    metric: Cow::Owned(text.clone()),
                    measured: WhyValue::Text(text.clone()),
                    expected: WhyValue::Number(0.5),
                }],
            };
            let mut line = Vec::new();
            window.append_line(&mut line);
            let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(value["device"].as_str(), Some(device.as_str()));
            prop_assert_eq!(value["group"].as_str(), group.as_deref());
            prop_assert_eq!(value["start"].as_i64(), Some(10));
            prop_assert_eq!(value["end"].as_i64(), Some(20));
            prop_assert_eq!(value["why"][0]["measured"].as_str(), Some(text.as_str()));
            prop_assert!((value["score"].as_f64().unwrap() - score).abs() < 1e-4);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        }
    }
}
