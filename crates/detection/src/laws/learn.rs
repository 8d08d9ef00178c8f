//! Learns what is lawful from reports.

use std::sync::Arc;

use analytics::goose::{GooseLearner, GooseReport};
use analytics::mms::{MmsLearner, MmsReport};
use analytics::operations::Report;

use super::memory::{LawModel, Protocol};

/// Parts of the time of a recording; the limits come from parts left out in turn.
const PARTS: i64 = 8;
/// Windows without a message after which something was kept out: what follows is a run of its own.
const GAP_WINDOWS: i64 = 3;

/// Learns from recordings; `None` where they hold no message. Messages of one recording may have any
/// order; recordings do not continue each other.
pub(crate) fn learn(
    protocol: Protocol,
    mut recordings: Vec<Vec<Report>>,
    window_us: i64,
) -> Option<LawModel> {
    for reports in &mut recordings {
        reports.retain(|report| report.first_us().is_some());
        reports.sort_by_key(Report::first_us);
    }
    recordings.sort_by_key(|reports| reports.first().and_then(Report::first_us));
    match protocol {
        Protocol::Goose => goose(&recordings, window_us),
        Protocol::Mms => mms(&recordings, window_us),
    }
}

fn goose(recordings: &[Vec<Report>], window_us: i64) -> Option<LawModel> {
    let mut learner = GooseLearner::new(window_us);
    let mut run = 0;
    for reports in recordings {
        let own = reports.iter().filter_map(|report| match report {
            Report::Goose(report) => Some(report),
            _ => None,
        });
        let mut messages: Vec<_> = own.flat_map(GooseReport::messages).collect();
        messages.sort_by_key(|message| message.ts_us);
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { continue };
        let (first, length) = (first.ts_us, (last.ts_us - first.ts_us) / PARTS + 1);
        let (mut before, mut part) = (first, 0);
        for message in &messages {
            let own = (message.ts_us - first) / length;
            if own != part || message.ts_us - before > GAP_WINDOWS * window_us {
                (part, run) = (own, run + 1);
            }
            before = message.ts_us;
            learner.push(Some(&format!("{run}")), message);
        }
        run += 1;
    }
    learner.finish().map(|model| LawModel::Goose(Arc::new(model)))
}

fn mms(recordings: &[Vec<Report>], window_us: i64) -> Option<LawModel> {
    let mut learner = MmsLearner::new(window_us);
    for reports in recordings {
        let own = reports.iter().filter_map(|report| match report {
            Report::Mms(report) => Some(report),
            _ => None,
        });
        let mut messages: Vec<_> = own.flat_map(MmsReport::messages).collect();
        messages.sort_by_key(|message| message.ts_us);
        messages.iter().for_each(|message| learner.push(message));
    }
    learner.finish().map(|model| LawModel::Mms(Arc::new(model)))
}
