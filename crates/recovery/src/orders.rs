//! Orders to agents: durable first, then given, asked about until they end. The same key acts once, here and there.

use std::time::Duration;

use async_trait::async_trait;
use model::event::RecoveryEnded;
use model::{IncidentId, Outcome, Timestamp};
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::checkpoint::{CheckpointOrder, MAX_DELAYS, MAX_KEY_BYTES, Reply, WhenNone};
use serde_json::{Value, json};

use crate::Recovery;
use crate::error::RecoveryError;
use crate::store::{self, OrderRow};

/// Kind of the job that carries an order to its end.
pub(crate) const KIND: &str = "recovery.order";
/// Pause between two questions about an order under way, milliseconds.
const ASK_AGAIN_MS: i64 = 300;
/// What stands with an order that was taken back in time.
const WITHDRAWN: &str = "withdrawn before its agent had it";
/// Longest pause while an agent is away, milliseconds.
const MAX_AWAY_MS: i64 = 10_000;
/// A finding's packet time within so long before it was recorded is the clock's time; otherwise it comes from a replay.
const LIVE_WITHIN_S: i64 = 86_400;

/// What is wanted of a service.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    Take,
    Restart,
    /// Of the evidence: a time, or that of the incident.
    RestoreBefore {
        evidence_at: Option<Timestamp>,
        margin_s: Option<u32>,
        when_none: WhenNone,
    },
}

/// An order as somebody gives it.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) key: String,
    pub(crate) agent: Option<String>,
    pub(crate) service: String,
    pub(crate) want: Want,
    pub(crate) incident: Option<IncidentId>,
    pub(crate) actor: String,
}

impl Recovery {
    /// Writes an order down and lets a job carry it out; one with a known key is shown as it stands.
    pub(crate) async fn place(&self, new: NewOrder) -> Result<OrderRow, RecoveryError> {
        if new.key.is_empty() || new.key.len() > MAX_KEY_BYTES {
            let text = format!("an order's key has 1 to {MAX_KEY_BYTES} bytes");
            return Err(RecoveryError::Invalid(text));
        }
        if let Some(known) = self.order(&new.key).await? {
            return Ok(known);
        }
        let agent = match &new.agent {
            Some(agent) => agent.clone(),
            None => self.agents.of(&new.service).await?,
        };
        let order = self.order_of(&new).await?;
        let row = OrderRow {
            key: new.key,
            agent,
            service: new.service,
            order,
            incident: new.incident.map(|id| id.to_string()),
            actor: new.actor,
            state: "waiting".into(),
            detail: "not yet given to the agent".into(),
            report: None,
            offers: vec![],
            asked_at: self.platform.now(),
            ended_at: None,
        };
        let kept: Result<OrderRow, RecoveryError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if store::insert_order(tx.sql(), &row).await? {
                        let now = tx.now();
                        tx.enqueue(KIND, &row.key, &json!({}), now).await?;
                    }
                    let kept = store::find_order(tx.sql(), &row.key).await?;
                    kept.ok_or_else(|| RecoveryError::Invalid("the order was not kept".into()))
                })
            })
            .await;
        kept
    }

    async fn order_of(&self, new: &NewOrder) -> Result<CheckpointOrder, RecoveryError> {
        let (key, service) = (new.key.clone(), new.service.clone());
        let Want::RestoreBefore { evidence_at, margin_s, when_none } = &new.want else {
            return Ok(match new.want {
                Want::Take => CheckpointOrder::Take { key, service },
                _ => CheckpointOrder::Restart { key, service },
            });
        };
        let evidence_at = match (evidence_at, new.incident) {
            (Some(at), _) => *at,
            (None, Some(incident)) => self.first_evidence(incident).await?,
            (None, None) => {
                return Err(RecoveryError::Invalid(
                    "restore_before needs the time of the first evidence (evidence_at), or an incident".into(),
                ));
            }
        };
        let known_delays_s = {
            let mut sql = self.platform.db.read().await?;
            store::delays(&mut sql, i64::try_from(MAX_DELAYS).unwrap_or(i64::MAX)).await?
        };
        Ok(CheckpointOrder::RestoreBefore {
            key,
            service,
            evidence_at,
            margin_s: margin_s.or(self.config.margin_s),
            when_none: *when_none,
            known_delays_s,
        })
    }

    /// When the first sign of an incident was there, on the clock by which checkpoints are taken.
    pub(crate) async fn first_evidence(
        &self,
        incident: IncidentId,
    ) -> Result<Timestamp, RecoveryError> {
        let report = self.incidents.report(incident).await?;
        let report =
            report.ok_or_else(|| RecoveryError::NotFound(format!("incident {incident}")))?;
        let clock = |event_at: Timestamp, recorded_at: Timestamp| {
            let late_us = recorded_at.micros_since(event_at);
            // Packet time of a replay says nothing of our clock.
            if (0..=LIVE_WITHIN_S * 1_000_000).contains(&late_us) { event_at } else { recorded_at }
        };
        let findings = report.findings.iter().map(|one| clock(one.first_at, one.recorded_at));
        let own = clock(report.incident.event_at, report.incident.recorded_at);
        Ok(findings.fold(own, std::cmp::Ord::min))
    }

    pub(crate) async fn order(&self, key: &str) -> Result<Option<OrderRow>, RecoveryError> {
        let mut sql = self.platform.db.read().await?;
        Ok(store::find_order(&mut sql, key).await?)
    }

    /// The order once it has ended, or as it stands after `within`.
    pub(crate) async fn wait(
        &self,
        key: &str,
        within: Duration,
    ) -> Result<OrderRow, RecoveryError> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Listen first, look second: an end in between is not missed.
            moved.as_mut().enable();
            let row = self.order(key).await?;
            let row = row.ok_or_else(|| RecoveryError::NotFound(format!("order {key}")))?;
            if row.is_over() || tokio::time::timeout_at(deadline, moved).await.is_err() {
                return Ok(row);
            }
        }
    }

    /// Withdraws an order that its agent does not have, so that it is not given later. One that an agent has goes on:
    /// stopped half-way it would leave a service that does not run.
    pub(crate) async fn withdraw(&self, key: &str) -> Result<Outcome, RecoveryError> {
        let Some(mut row) = self.order(key).await? else {
            let summary = "no agent was given this order".to_owned();
            return Ok(Outcome::Done { summary, data: Value::Null });
        };
        let stays = |reason: String| Ok(Outcome::NotEnforced { reason, data: Value::Null });
        match row.state.as_str() {
            "done" => return stays(format!("it was carried out and stays: {}", row.detail)),
            "failed" => {
                return stays(format!("it is over and changes nothing more: {}", row.detail));
            }
            _ => {}
        }
        let agent = row.agent.clone();
        let asked = CheckpointOrder::Outcome { key: key.to_owned() };
        let has = |reply: &Result<Reply, String>| matches!(reply, Ok(reply) if !matches!(reply, Reply::Refused { .. }));
        if row.state == "working" || has(&self.agents.order(&agent, asked.clone()).await) {
            return stays(format!("the agent {agent} has the order and carries it out"));
        }
        row.state = "failed".into();
        row.detail = WITHDRAWN.into();
        row.ended_at = Some(self.platform.now());
        self.note(row).await?;
        // Asked once more: the job may have given it in this very moment.
        match self.agents.order(&agent, asked).await {
            Ok(Reply::Refused { .. }) => {
                Ok(Outcome::Done { summary: WITHDRAWN.to_owned(), data: Value::Null })
            }
            Ok(_) => {
                stays(format!("withdrawn here, but the agent {agent} was given it just before"))
            }
            Err(cause) => stays(format!(
                "withdrawn, it will not be given; whether the agent {agent} heard it before is not known: {cause}"
            )),
        }
    }

    async fn note(&self, row: OrderRow) -> Result<(), RecoveryError> {
        let done: Result<(), RecoveryError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if store::move_order(tx.sql(), &row).await? && row.is_over() {
                        tx.publish(&row.actor, &ended(&row)).await?;
                    }
                    Ok(())
                })
            })
            .await;
        self.moved.notify_waiters();
        done
    }

    /// One step of an order's job.
    async fn step(&self, key: &str) -> Result<JobEnd, RecoveryError> {
        let Some(mut row) = self.order(key).await? else { return Ok(JobEnd::Done) };
        if row.is_over() {
            return Ok(JobEnd::Done);
        }
        // Given again after a death in between: the agent knows the key and only answers.
        let order = match row.state.as_str() {
            "working" => CheckpointOrder::Outcome { key: key.to_owned() },
            _ => row.order.clone(),
        };
        let asked = self.agents.order(&row.agent, order).await;
        let now = self.platform.now();
        let late = now.micros_since(row.asked_at) > self.config.give_up_s * 1_000_000;
        let mut after_ms = ASK_AGAIN_MS;
        match asked {
            Ok(Reply::Done(report)) => {
                row.state = "done".into();
                row.detail = report.summary.clone();
                row.report = Some(*report);
            }
            Ok(Reply::Failed { reason, offers }) => {
                row.state = "failed".into();
                row.detail = reason;
                row.offers = offers;
            }
            Ok(Reply::Refused { reason }) => {
                row.state = "failed".into();
                row.detail = format!("the agent refuses: {reason}");
            }
            Ok(Reply::Working { doing }) if !late => {
                row.state = "working".into();
                row.detail = doing;
            }
            Ok(Reply::Listing(_)) => {
                row.state = "failed".into();
                row.detail = "the agent answered something else".into();
            }
            Err(cause) if !late => {
                row.detail = format!("the agent {} is away: {cause}", row.agent);
                after_ms = MAX_AWAY_MS.min(ASK_AGAIN_MS * 8);
            }
            Ok(Reply::Working { doing: cause }) | Err(cause) => {
                row.state = "failed".into();
                row.detail = format!(
                    "no end within {} s (recovery.give_up_s): {cause}; ask the agent itself with `sereno-edge checkpoint list`",
                    self.config.give_up_s
                );
            }
        }
        row.ended_at = row.is_over().then_some(now);
        let (over, reason) = (row.is_over(), row.detail.clone());
        self.note(row).await?;
        Ok(if over { JobEnd::Done } else { JobEnd::Retry { reason, after_ms } })
    }
}

/// The outcome of an order that is over, as actuators tell it.
pub(crate) fn outcome(row: &OrderRow) -> Outcome {
    if row.state == "done" {
        let data = serde_json::to_value(&row.report).unwrap_or(Value::Null);
        return Outcome::Done { summary: row.detail.clone(), data };
    }
    let mut reason = row.detail.clone();
    if !row.offers.is_empty() {
        reason = format!("{reason}; offered instead: {}", row.offers.join("; "));
    }
    Outcome::Failed { reason, retry: false }
}

fn ended(row: &OrderRow) -> RecoveryEnded {
    RecoveryEnded {
        key: row.key.clone(),
        incident: row.incident.as_ref().and_then(|text| text.parse().ok()),
        service: row.service.clone(),
        verb: row.order.verb().to_owned(),
        outcome: outcome(row),
        report: serde_json::to_value(&row.report).unwrap_or(Value::Null),
    }
}

/// Carries orders to their end.
pub(crate) struct Orders(pub(crate) Recovery);

#[async_trait]
impl JobHandler for Orders {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        match self.0.step(&job.key).await {
            Ok(end) => end,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}
