//! Learns what is lawful from stored reports.

use std::sync::Arc;

use analytics::goose::GooseLearner;
use analytics::mms::MmsLearner;
use analytics::operations::Report;
use analytics::windows::DEFAULT_WINDOW_US;

use super::memory::{LawModel, Protocol};

/// Parts of the training time; the limits come from parts left out in turn.
const PARTS: i64 = 8;
/// Between reports so far apart something was kept out: what comes after is a run of its own.
const GAP_US: i64 = 3 * DEFAULT_WINDOW_US;

/// Learns from reports in the order of time; `None` where they hold no message.
pub(crate) fn learn(protocol: Protocol, mut reports: Vec<Report>) -> Option<LawModel> {
    reports.retain(|report| report.first_us().is_some());
    reports.sort_by_key(Report::first_us);
    match protocol {
        Protocol::Goose => goose(&reports),
        Protocol::Mms => mms(&reports),
    }
}

fn goose(reports: &[Report]) -> Option<LawModel> {
    let mut messages: Vec<_> = Vec::new();
    for report in reports {
        if let Report::Goose(report) = report {
            messages.extend(report.messages());
        }
    }
    messages.sort_by_key(|message| message.ts_us);
    let (first, last) = (messages.first()?.ts_us, messages.last()?.ts_us);
    let length = (last - first) / PARTS + 1;
    let mut learner = GooseLearner::new(DEFAULT_WINDOW_US);
    let (mut before, mut part, mut run) = (first, 0, 0);
    for message in &messages {
        let own = (message.ts_us - first) / length;
        if own != part || message.ts_us - before > GAP_US {
            (part, run) = (own, run + 1);
        }
        before = message.ts_us;
        learner.push(Some(&format!("{run}")), message);
    }
    learner.finish().map(|model| LawModel::Goose(Arc::new(model)))
}

fn mms(reports: &[Report]) -> Option<LawModel> {
    let mut messages: Vec<_> = Vec::new();
    for report in reports {
        if let Report::Mms(report) = report {
            messages.extend(report.messages());
        }
    }
    messages.sort_by_key(|message| message.ts_us);
    let mut learner = MmsLearner::new(DEFAULT_WINDOW_US);
    messages.iter().for_each(|message| learner.push(message));
    learner.finish().map(|model| LawModel::Mms(Arc::new(model)))
}
