//! Alerting windows that belong together become one finding that goes on.

mod classify;
mod guard;
mod tally;
mod words;

use analytics::metrics::Metric;
use analytics::model::{Judge, Judgement};
use analytics::record::WindowRecord;
use model::{Finding, FindingId, Reason, Severity, Technique, Timestamp};
use serde::{Deserialize, Serialize};

use crate::judge::{Watch, meaning};
use crate::state::{DeviceRow, moment};

pub(crate) use guard::{GUARD, GuardNews};
pub(crate) use tally::{LANES, Lane, Tally, protocol_name};
pub(crate) use words::{explanation, who};

/// Reasons a finding keeps, the strongest first.
pub(crate) const MAX_FINDING_REASONS: usize = 6;
/// News of a finding that goes on are published at most this often (wall time), unless its severity
/// rises: that is told at once.
pub(crate) const UPDATE_PAUSE_US: i64 = 10_000_000;
/// A score so much higher than the last published one is news.
pub(crate) const NOTABLE_SCORE_RISE: f64 = 1.25;

/// Windows shaped to pass from which on the finding says so.
const MIN_HIDDEN_WINDOWS: u64 = 3;

/// A finding as it stands, with what is needed to go on with it.
#[derive(Clone, Debug)]
pub(crate) struct OpenFinding {
    pub(crate) finding: Finding,
    pub(crate) tally: Tally,
    /// Orders the findings of a device; ids made in the same millisecond do not.
    pub(crate) place: i64,
    /// Changed since it was last written.
    pub(crate) dirty: bool,
}

/// What was last told about a finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) windows: u64,
    pub(crate) score: f64,
    pub(crate) severity: Option<Severity>,
    pub(crate) new_parties: usize,
    #[serde(default)]
    pub(crate) commands: u64,
    /// Wall time.
    pub(crate) at: Timestamp,
}

/// What to tell about a finding now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is new.
    Raised,
    /// It goes on, notably.
    Updated,
}

/// One alerting window with what is known around it.
pub(crate) struct Alert<'a> {
    pub(crate) row: &'a DeviceRow,
    pub(crate) watch: &'a Watch,
    pub(crate) record: &'a WindowRecord,
    pub(crate) judgement: &'a Judgement,
    /// What no model judges and people are told.
    pub(crate) told: &'a [(Metric, u64)],
    pub(crate) now: Timestamp,
}

impl OpenFinding {
    /// Opens a finding with its first window.
    pub(crate) fn open(id: FindingId, alert: &Alert<'_>) -> Self {
        let (row, record) = (alert.row, alert.record);
        let finding = Finding {
            id,
            device: row.device,
            device_name: row.name.clone(),
            device_address: row.address.clone(),
            device_mac: row.mac.clone(),
            detector: alert.watch.detector.to_owned(),
            model: alert.watch.hash.clone(),
            title: String::new(),
            kind: model::AttackKind::Anomaly,
            severity: Severity::Low,
            score: 0.0,
            why: vec![],
            evidence: vec![],
            techniques: vec![],
            first_at: moment(record.start_us),
            last_at: moment(record.end_us),
            windows: 0,
            recorded_at: alert.now,
        };
        let tally = Tally::new(row.epoch, record.start_us);
        let mut open = Self { finding, tally, place: row.place, dirty: true };
        open.extend(alert);
        open
    }

    /// True when a window belongs to this finding: soon after its last one, and not before it.
    pub(crate) fn covers(&self, record: &WindowRecord, gap_us: i64) -> bool {
        record.start_us >= self.tally.last_start_us
            && moment(record.start_us).micros_since(self.finding.last_at) <= gap_us
    }

    /// Adds an alerting window.
    pub(crate) fn extend(&mut self, alert: &Alert<'_>) {
        let record = alert.record;
        self.dirty = true;
        self.tally.add(alert);
        let finding = &mut self.finding;
        finding.windows += 1;
        finding.score = finding.score.max(alert.judgement.score);
        finding.last_at = finding.last_at.max(moment(record.end_us));
        finding.device_name.clone_from(&alert.row.name);
        for reason in alert.judgement.reasons() {
            keep_strongest(
                &mut finding.why,
                Reason {
                    metric: reason.metric.name().to_owned(),
                    meaning: meaning(reason.metric, record.end_us - record.start_us),
                    measured: reason.measured,
                    expected: reason.expected,
                    judge: reason.judge.name().to_owned(),
                    ratio: reason.ratio,
                },
            );
        }
        finding.evidence = self.tally.evidence();
        finding.kind = classify::kind(&self.tally, &finding.why);
        let severity =
            classify::severity(finding.kind, finding.windows, finding.score, &self.tally);
        finding.severity = finding.severity.max(severity);
        finding.techniques = classify::techniques(finding.kind, &self.tally);
        self.tally.hidden += u64::from(hides(alert));
        if self.tally.hidden >= MIN_HIDDEN_WINDOWS {
            let (id, name) = analytics::guard::EVADE_MODEL;
            let framework = "mitre-atlas".to_owned();
            finding.techniques.push(Technique { framework, id: id.into(), name: name.into() });
        }
        finding.title = words::title(finding, &self.tally);
    }

    /// What to tell now; `None` also when something is worth telling but too soon (see
    /// [`Self::pending`]).
    pub(crate) fn news(&self, now: Timestamp) -> Option<News> {
        let published = &self.tally.published;
        let Some(severity) = published.severity else { return Some(News::Raised) };
        let due = now.micros_since(published.at) >= UPDATE_PAUSE_US;
        (self.finding.severity > severity || (due && self.pending())).then_some(News::Updated)
    }

    /// New, or worse than told: not to be held back.
    pub(crate) fn is_urgent(&self) -> bool {
        self.tally.published.severity.is_none_or(|told| self.finding.severity > told)
    }

    /// Has something happened that is worth telling and was not told?
    pub(crate) fn pending(&self) -> bool {
        let (finding, published) = (&self.finding, &self.tally.published);
        finding.severity > published.severity.unwrap_or(Severity::Low)
            || finding.score >= published.score * NOTABLE_SCORE_RISE
            || self.tally.new_parties() > published.new_parties
            || milestone(finding.windows) > milestone(published.windows)
            || milestone(self.tally.unusual_commands()) > milestone(published.commands)
    }

    /// Notes that the finding as it stands is told.
    pub(crate) fn told(&mut self, now: Timestamp) {
        self.tally.published = Published {
            windows: self.finding.windows,
            score: self.finding.score,
            severity: Some(self.finding.severity),
            new_parties: self.tally.new_parties(),
            commands: self.tally.unusual_commands(),
            at: now,
        };
    }
}

/// Whether a window has every metric in its range and yet does not fit together: traffic shaped to
/// pass the judges of single metrics looks like this.
fn hides(alert: &Alert<'_>) -> bool {
    let above = || alert.judgement.reasons().filter(|reason| reason.ratio > 1.0);
    alert.judgement.range <= 1.0
        && above().next().is_some()
        && above().all(|reason| reason.judge != Judge::Range && !reason.metric.is_novelty())
}

/// How many of 1, 2, 5, 10, 20, 50, 100 … a count has reached.
fn milestone(count: u64) -> usize {
    let mut reached = 0;
    let mut decade: u64 = 1;
    while decade <= count {
        reached += [1, 2, 5].iter().filter(|step| decade.saturating_mul(**step) <= count).count();
        decade = decade.saturating_mul(10);
        if decade == u64::MAX {
            break;
        }
    }
    reached
}

/// One line a metric, the strongest ones first.
fn keep_strongest(why: &mut Vec<Reason>, reason: Reason) {
    match why.iter_mut().find(|known| known.metric == reason.metric) {
        Some(known) if known.ratio >= reason.ratio => return,
        Some(known) => *known = reason,
        None => why.push(reason),
    }
    why.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    why.truncate(MAX_FINDING_REASONS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones_come_rarely() {
        let reached: Vec<u64> =
            (1..=1_000).filter(|count| milestone(*count) > milestone(count - 1)).collect();
        assert_eq!(reached, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]);
        assert!(milestone(u64::MAX) > milestone(1_000));
    }
}
