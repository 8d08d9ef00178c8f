//! Lifting a block by itself, in steps, while the device proves to be well; or handing the case to people.
//!
//! `holding` → `trial` 1 (limited, where the gateway can) → `trial` 2 (open, watched) → `recovered`. A failed trial blocks
//! again and holds twice as long; after [`crate::Config::max_failures`] people are called. Every step is a durable job:
//! a row is written after each effect, and effects carry keys, so that a death in between repeats none.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use model::event::RecoveryMoved;
use model::{BlockTarget, DeviceId, IncidentId, IncidentState, Outcome, RunId};
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::recovery::Fresh;
use ports::{ActuatorCommand, Notice};
use serde_json::{Value, json};

use crate::Recovery;
use crate::config::WithoutChecks;
use crate::error::RecoveryError;
use crate::store::cases::{self, CaseRow};

/// Kind of the job that looks after a case.
pub(crate) const KIND: &str = "recovery.case";
/// Trials that must be passed in a row.
const TRIALS: i64 = 2;
/// How many times as long the second trial lasts as the first.
const SECOND_TRIAL: i64 = 3;
/// Longest sentence kept with a case, characters.
const MAX_DETAIL_CHARS: usize = 2_000;
/// Seconds until a step that could not be done is tried again.
const AGAIN_S: i64 = 15;

/// Why a block is not lifted by itself.
const UNCHECKED: &str = "nothing here can tell whether the device is well again, so its block is not lifted by itself \
    and ends when its order says: declare a health check for the device and begin anew, or release it by hand";

/// What was found of a device.
#[derive(Debug)]
struct Verdict {
    well: bool,
    words: String,
}

impl Recovery {
    /// Opens the case of an incident. Where nothing can tell whether the device is well, the case goes to people at
    /// once and its block ends as it was ordered to.
    async fn open_case(&self, incident: IncidentId) -> Result<Option<CaseRow>, RecoveryError> {
        let Some(report) = self.incidents.report(incident).await? else { return Ok(None) };
        let contained = report.incident.state == IncidentState::Contained;
        let Some(finding) = report.findings.first() else { return Ok(None) };
        if report.incident.received_share.is_some() || !contained {
            return Ok(None);
        }
        let target = BlockTarget {
            mac: finding.device_mac.clone(),
            addresses: finding.device_address.parse().into_iter().collect(),
        };
        let checks = {
            let mut sql = self.platform.db.read().await?;
            cases::checks_of(&mut sql, &target).await?
        };
        let device = finding.device;
        let by_detector = checks.is_empty() && self.detector_alone(device).await?;
        let hold_s = self.config.hold_s;
        let (stage, detail) = match (checks.len(), by_detector) {
            (0, false) => ("escalated", UNCHECKED.to_owned()),
            (0, true) => (
                "holding",
                format!(
                    "the block holds for {hold_s} s; then the detector alone decides whether it is lifted"
                ),
            ),
            (many, _) => (
                "holding",
                format!(
                    "the block holds for {hold_s} s; then {many} checks and the detector decide whether it is lifted"
                ),
            ),
        };
        let now = self.platform.now();
        Ok(Some(CaseRow {
            incident: incident.to_string(),
            device: device.to_string(),
            target,
            stage: stage.into(),
            trial: 0,
            failures: 0,
            mark: None,
            detail,
            due_at: now.plus_secs(hold_s),
            started_at: now,
            updated_at: now,
        }))
    }

    /// Whether a device without checks may be judged by its detector, and one has judged it before.
    async fn detector_alone(&self, device: DeviceId) -> Result<bool, RecoveryError> {
        Ok(self.config.without_checks == WithoutChecks::Detector
            && self.fresh.mark(device).await?.is_some())
    }

    pub(crate) async fn case(&self, incident: &str) -> Result<Option<CaseRow>, RecoveryError> {
        let mut sql = self.platform.db.read().await?;
        Ok(cases::find_case(&mut sql, incident).await?)
    }

    /// Writes a case down; a change of stage or trial is a fact.
    pub(crate) async fn keep_case(&self, mut row: CaseRow) -> Result<(), RecoveryError> {
        row.detail = row.detail.chars().take(MAX_DETAIL_CHARS).collect();
        let kept: Result<(), RecoveryError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    row.updated_at = tx.now();
                    let before = cases::find_case(tx.sql(), &row.incident).await?;
                    let place = |row: &CaseRow| (row.stage.clone(), row.trial, row.failures);
                    let moved = before.as_ref().map(place) != Some(place(&row));
                    cases::put_case(tx.sql(), &row).await?;
                    if let Some(incident) = row.incident.parse().ok().filter(|_| moved) {
                        let (stage, detail) = (row.stage.clone(), row.detail.clone());
                        let fact = RecoveryMoved { incident, stage, detail, at: tx.now() };
                        tx.publish("system", &fact).await?;
                    }
                    Ok(())
                })
            })
            .await;
        kept
    }

    /// One step of a case; how many milliseconds until the next, or `None` when it is over.
    async fn look_after(&self, incident: &str) -> Result<Option<i64>, RecoveryError> {
        let Ok(id) = incident.parse::<IncidentId>() else { return Ok(None) };
        let mut row = match self.case(incident).await? {
            Some(row) => row,
            None => match self.open_case(id).await? {
                Some(row) => {
                    // Told before it is written down: a death in between tells it once more under the same key.
                    if row.stage == "escalated" {
                        self.call_people(&row).await?;
                    }
                    self.keep_case(row.clone()).await?;
                    row
                }
                None => return Ok(None),
            },
        };
        if row.is_over() {
            return Ok(None);
        }
        let report = self.incidents.report(id).await?;
        if report.is_none_or(|report| !report.incident.state.is_open()) {
            row.stage = "stopped".into();
            row.detail = "the incident was closed: the block stays as it was ordered".into();
            self.keep_case(row).await?;
            return Ok(None);
        }
        let left_us = row.due_at.micros_since(self.platform.now());
        if left_us > 0 {
            return Ok(Some(left_us / 1_000 + 1));
        }
        let next = match row.stage.as_str() {
            "holding" => self.begin_trial(row).await?,
            _ => self.end_trial(row).await?,
        };
        let (over, due_at) = (next.is_over(), next.due_at);
        self.keep_case(next).await?;
        let left_us = due_at.micros_since(self.platform.now()).max(0);
        Ok((!over).then_some(left_us / 1_000 + 1))
    }

    /// Lets the device speak again, for a while and watched.
    async fn begin_trial(&self, mut row: CaseRow) -> Result<CaseRow, RecoveryError> {
        let number = row.trial + 1;
        row.mark = match row.device.parse::<DeviceId>() {
            Ok(device) => self.fresh.mark(device).await?,
            Err(_) => None,
        };
        let now = self.platform.now();
        let how = match self.open_gate(&row, number).await? {
            Ok(how) => how,
            Err(reason) => {
                row.detail = format!("the block could not be lifted for trial {number}: {reason}");
                row.due_at = now.plus_secs(AGAIN_S);
                return Ok(row);
            }
        };
        let length_s = self.config.trial_s * if number > 1 { SECOND_TRIAL } else { 1 };
        row.stage = "trial".into();
        row.detail = format!("trial {number} of {TRIALS}: {how}, for {length_s} s");
        row.due_at = now.plus_secs(length_s);
        Ok(row)
    }

    /// The gateway's order that begins a trial, and how it reads; `Ok(Err(_))` when it was not done.
    async fn open_gate(
        &self,
        row: &CaseRow,
        number: i64,
    ) -> Result<Result<String, String>, RecoveryError> {
        let key = format!("recovery-{}-{}-{number}", row.incident, row.failures);
        // Ends the block; in the second trial the limit too.
        if let Err(reason) =
            self.command(row, &format!("{key}-release"), "release", json!({})).await?
        {
            return Ok(Err(reason));
        }
        if number > 1 || !self.gateway.verbs().iter().any(|(verb, _)| *verb == "rate_limit") {
            return Ok(Ok("released and watched".to_owned()));
        }
        // A release ends everything ordered for the device, so the limit comes second.
        let rate = self.config.trial_packets_per_s;
        let more = json!({ "packets_s": rate, "timeout_s": self.config.trial_s * 2 });
        let limited = self.command(row, &format!("{key}-limit"), "rate_limit", more).await?;
        Ok(Ok(match limited {
            Ok(_) => format!("limited to {rate} packets a second"),
            Err(reason) => format!("released and watched, as it cannot be limited ({reason})"),
        }))
    }

    async fn command(
        &self,
        row: &CaseRow,
        key: &str,
        verb: &str,
        more: Value,
    ) -> Result<Result<String, String>, RecoveryError> {
        let mut arguments = BTreeMap::new();
        if let Some(mac) = &row.target.mac {
            arguments.insert("mac".to_owned(), json!(mac));
        }
        arguments.insert("addresses".to_owned(), json!(row.target.addresses));
        arguments.extend(more.as_object().cloned().unwrap_or_default());
        // No playbook asks: the run of the command is the incident's own number.
        let run = row.incident.parse::<RunId>().unwrap_or_else(|_| self.platform.mint());
        let command = ActuatorCommand {
            key: key.to_owned(),
            verb: verb.to_owned(),
            arguments,
            run,
            incident: row.incident.parse().ok(),
        };
        Ok(match self.gateway.perform(&command).await? {
            Outcome::Done { summary, .. } => Ok(summary),
            Outcome::NotEnforced { reason, .. } => Err(format!("not enforced here: {reason}")),
            Outcome::Failed { reason, .. } => Err(reason),
        })
    }

    /// The trial's time is over: what do the checks and the detector say?
    async fn end_trial(&self, mut row: CaseRow) -> Result<CaseRow, RecoveryError> {
        let verdict = self.judge(&row).await?;
        let now = self.platform.now();
        if verdict.well {
            row.trial += 1;
            if row.trial < TRIALS {
                let passed = format!("trial {} passed: {}", row.trial, verdict.words);
                let mut next = self.begin_trial(row).await?;
                next.detail = format!("{passed}; {}", next.detail);
                return Ok(next);
            }
            row.stage = "recovered".into();
            row.detail = format!("recovered: the block is lifted; {}", verdict.words);
            return Ok(row);
        }
        let key = format!("recovery-{}-{}-again", row.incident, row.failures);
        let more = json!({ "timeout_s": self.config.block_again_s });
        let blocked = self.command(&row, &key, "block", more).await?;
        row.failures += 1;
        row.trial = 0;
        let again = match &blocked {
            Ok(_) => "blocked again".to_owned(),
            Err(reason) => format!("it could NOT be blocked again: {reason}"),
        };
        row.detail = format!("not well: {}; {again}", verdict.words);
        if row.failures >= self.config.max_failures || blocked.is_err() {
            row.stage = "escalated".into();
            self.call_people(&row).await?;
            return Ok(row);
        }
        row.stage = "holding".into();
        row.due_at = now.plus_secs(self.config.hold_s << row.failures.clamp(0, 16));
        Ok(row)
    }

    async fn call_people(&self, row: &CaseRow) -> Result<(), RecoveryError> {
        let body = match row.failures {
            0 => row.detail.clone(),
            failures => {
                format!("{} After {failures} failed trials a person must decide.", row.detail)
            }
        };
        let notice = Notice {
            title: "A device does not recover by itself".into(),
            body,
            link: Some(format!("/incidents/{}", row.incident)),
        };
        let key = format!("recovery-{}-{}", row.incident, row.failures);
        Ok(self.notifier.notify(&key, &notice).await?)
    }

    /// Service checks, fresh scores, contact of a probe.
    async fn judge(&self, row: &CaseRow) -> Result<Verdict, RecoveryError> {
        let checks = {
            let mut sql = self.platform.db.read().await?;
            cases::checks_of(&mut sql, &row.target).await?
        };
        let mut words = Vec::new();
        let mut well = true;
        if checks.is_empty() {
            well = self.config.without_checks == WithoutChecks::Detector && row.mark.is_some();
            words.push("no check is declared".to_owned());
        }
        let within = Duration::from_secs(self.config.check_timeout_s);
        for check in &checks {
            match check.spec.ask(within).await {
                Ok(found) => words.push(found),
                Err(cause) => {
                    well = false;
                    words.push(cause);
                }
            }
        }
        match (row.device.parse::<DeviceId>(), row.mark) {
            (Ok(device), Some(mark)) => {
                let (fine, text) = scores(&self.fresh.since(device, mark).await?);
                well &= fine;
                words.push(text);
            }
            _ => words.push("no detector ever judged it".to_owned()),
        }
        Ok(Verdict { well, words: words.join("; ") })
    }
}

/// Silence is no sign of health: a probe that was there must tell of the device again.
fn scores(fresh: &Fresh) -> (bool, String) {
    if fresh.windows == 0 {
        return (false, "no probe has told of it since the trial began".to_owned());
    }
    let text = format!(
        "{} of {} fresh windows above the threshold, the highest score {:.2}",
        fresh.alerts,
        fresh.windows,
        fresh.highest.unwrap_or_default()
    );
    (fresh.alerts == 0, text)
}

/// Looks after cases.
pub(crate) struct Cases(pub(crate) Recovery);

#[async_trait]
impl JobHandler for Cases {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let incident = job.payload.get("incident").and_then(Value::as_str).unwrap_or_default();
        match self.0.look_after(incident).await {
            Ok(None) => JobEnd::Done,
            Ok(Some(after_ms)) => {
                JobEnd::Retry { reason: "waiting for its moment".into(), after_ms }
            }
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_alerts_are_not_well() {
        let fresh = |windows, alerts| Fresh { windows, alerts, ..Fresh::default() };
        assert!(!scores(&fresh(0, 0)).0);
        assert!(!scores(&fresh(5, 1)).0);
        assert!(scores(&fresh(5, 0)).0);
    }
}
