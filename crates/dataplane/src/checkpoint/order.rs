//! Carrying out one order on one service: which checkpoint, the stop, the start, the report.

use model::Timestamp;
use ports::checkpoint::{CheckpointInfo, CheckpointOrder, MAX_DELAYS, RecoveryReport, WhenNone};

use super::backend::lost_bytes;
use super::doubt::Doubt;
use super::manifest::Entry;
use super::service::ServiceKeeper;
use super::store::Store;
use super::{AgentSettings, CheckpointError};

/// What the service is started from.
pub(crate) enum From {
    /// As it is.
    Itself,
    /// A checkpoint.
    Checkpoint(CheckpointInfo, Vec<Entry>),
    /// The clean base.
    Clean,
}

impl From {
    fn words(&self) -> String {
        match self {
            Self::Itself => "its own state".to_owned(),
            Self::Checkpoint(info, _) => {
                format!("checkpoint {} of {}", info.counter, info.taken_at)
            }
            Self::Clean => "the clean base".to_owned(),
        }
    }
}

/// What is believed of the delay between infection and evidence.
fn doubt(agent: &AgentSettings, known_s: &[u32]) -> Doubt {
    let mut doubt = Doubt::with_mean(agent.mean_delay_s);
    for delay in known_s.iter().take(MAX_DELAYS) {
        doubt.learn(f64::from(*delay));
    }
    doubt
}

fn older_s(info: &CheckpointInfo, evidence_at: Timestamp) -> f64 {
    evidence_at.micros_since(info.taken_at) as f64 / 1e6
}

/// What an order starts the service from. Everything of a checkpoint is read and checked before it is chosen: one that
/// was changed is passed over for the next older one.
pub(crate) fn choose(
    order: &CheckpointOrder,
    keeper: &ServiceKeeper,
    store: &Store,
    agent: &AgentSettings,
) -> Result<From, CheckpointError> {
    let CheckpointOrder::RestoreBefore {
        service,
        evidence_at,
        margin_s,
        when_none,
        known_delays_s,
        ..
    } = order
    else {
        return Ok(From::Itself);
    };
    if let Some(rollback) = store.rollback()
        && *when_none != WhenNone::Clean
    {
        return Err(CheckpointError::Rollback(rollback.to_owned()));
    }
    let margin_s = margin_s.unwrap_or(agent.margin_s);
    let trusted = evidence_at.plus_secs(-i64::from(margin_s));
    let all = store.of(service);
    let usable: Vec<&CheckpointInfo> =
        all.iter().filter(|info| !info.evidence && !info.suspect).collect();
    let mut refused = Vec::new();
    let mut sound = |info: &CheckpointInfo| match store
        .verify(info.counter)
        .and_then(|()| store.tree(info.counter))
    {
        Ok(entries) => Some(From::Checkpoint(info.clone(), entries)),
        Err(error) => {
            tracing::error!(%error, "passed over");
            refused.push(error.to_string());
            None
        }
    };
    let old_enough = usable.iter().rev().filter(|info| info.taken_at <= trusted);
    if let Some(found) = old_enough.into_iter().find_map(|info| sound(info)) {
        return Ok(found);
    }
    let oldest = usable.iter().find_map(|info| sound(info));
    match (when_none, oldest) {
        (WhenNone::Clean, _) if keeper.has_clean() => Ok(From::Clean),
        (WhenNone::Oldest, Some(found)) => Ok(found),
        (_, oldest) => {
            let mut offers = Vec::new();
            if let Some(From::Checkpoint(info, _)) = oldest {
                let chance = doubt(agent, known_delays_s).chance(older_s(&info, *evidence_at));
                offers.push(format!(
                    "oldest: checkpoint {} of {}, infected with a chance of {:.0} %",
                    info.counter,
                    info.taken_at,
                    100.0 * chance
                ));
            }
            if keeper.has_clean() {
                offers.push("clean: the clean base; all work is lost".to_owned());
            }
            let mut reason = format!(
                "no checkpoint of {service} is older than {trusted} (the evidence of {evidence_at} less {margin_s} s)"
            );
            if !refused.is_empty() {
                reason.push_str(&format!("; refused: {}", refused.join("; ")));
            }
            if offers.is_empty() {
                reason.push_str("; there is no older state and no clean base (service.clean)");
            }
            Err(CheckpointError::NoneOldEnough { reason, offers })
        }
    }
}

/// Stops the service, keeps what it was as evidence, and lays ready what it starts from. Afterwards the service does not
/// run, and the report lacks only the start.
pub(crate) fn stop(
    order: &CheckpointOrder,
    asked_at: Timestamp,
    keeper: &mut ServiceKeeper,
    store: &mut Store,
    agent: &AgentSettings,
) -> Result<RecoveryReport, CheckpointError> {
    let from = choose(order, keeper, store, agent)?;
    // Standing still from here on: the intruder acts no more, and its state can be looked at.
    if let Err(error) = keeper.backend()?.hold() {
        tracing::warn!(%error, "the state is taken as evidence all the same");
    }
    let stopped_at = super::now();
    let present = match from {
        From::Itself => None,
        _ => evidence(&from, stopped_at, keeper, store),
    };
    keeper.end()?;
    match &from {
        From::Itself => {}
        From::Checkpoint(info, entries) => {
            keeper.backend()?.put_back(store, info.counter, entries)?
        }
        From::Clean => keeper.backend()?.put_clean(store)?,
    }
    Ok(report(order, asked_at, stopped_at, &from, present, store, agent))
}

/// Keeps the interrupted state, and marks what is younger than the chosen checkpoint as suspect. That it cannot be kept
/// does not hold up the restart.
fn evidence(
    from: &From,
    stopped_at: Timestamp,
    keeper: &mut ServiceKeeper,
    store: &mut Store,
) -> Option<(u64, u64)> {
    let taken = keeper.backend().and_then(|backend| backend.take(store, true));
    let mut frozen = match taken {
        Ok(frozen) => frozen,
        Err(error) => {
            tracing::warn!(%error, "the interrupted state is not kept as evidence");
            return None;
        }
    };
    frozen.at = stopped_at;
    let (chosen_at, kept): (Timestamp, &[Entry]) = match from {
        From::Checkpoint(info, entries) => (info.taken_at, entries),
        _ => (Timestamp::from_micros(i64::MIN), &[]),
    };
    let lost = lost_bytes(&frozen.entries, kept, store);
    let younger = store.of(keeper.name()).into_iter().filter(|info| info.taken_at > chosen_at);
    let suspects = younger.map(|info| info.counter).collect();
    match keeper.keep(store, frozen, true, suspects) {
        Ok(info) => Some((info.counter, lost)),
        Err(error) => {
            tracing::warn!(%error, "the interrupted state is not kept as evidence");
            None
        }
    }
}

fn report(
    order: &CheckpointOrder,
    asked_at: Timestamp,
    stopped_at: Timestamp,
    from: &From,
    present: Option<(u64, u64)>,
    store: &Store,
    agent: &AgentSettings,
) -> RecoveryReport {
    let (key, service) = order.effect().unwrap_or_default();
    let mut report = RecoveryReport {
        key: key.to_owned(),
        agent: agent.name.clone(),
        service: service.to_owned(),
        verb: order.verb().to_owned(),
        checkpoint: None,
        started_from: from.words(),
        evidence_at: None,
        margin_s: None,
        asked_at,
        stopped_at: Some(stopped_at),
        running_at: None,
        downtime_s: 0.0,
        lost_s: 0.0,
        lost_bytes: present.map(|(_, lost)| lost),
        chance_infected: None,
        model: None,
        evidence: present.map(|(counter, _)| counter),
        counter: store.counter_words(),
        summary: String::new(),
    };
    let CheckpointOrder::RestoreBefore { evidence_at, margin_s, known_delays_s, .. } = order else {
        return report;
    };
    report.evidence_at = Some(*evidence_at);
    report.margin_s = Some(margin_s.unwrap_or(agent.margin_s));
    if let From::Checkpoint(info, _) = from {
        let doubt = doubt(agent, known_delays_s);
        report.checkpoint = Some(info.clone());
        report.lost_s = (stopped_at.micros_since(info.taken_at) as f64 / 1e6).max(0.0);
        report.chance_infected = Some(doubt.chance(older_s(info, *evidence_at)));
        report.model = Some(doubt.sentence());
    }
    report
}

/// The service runs again.
pub(crate) fn running(report: &mut RecoveryReport, running_at: Timestamp) {
    report.running_at = Some(running_at);
    if let Some(stopped_at) = report.stopped_at {
        report.downtime_s = (running_at.micros_since(stopped_at) as f64 / 1e6).max(0.0);
    }
    report.summary = summary(report);
}

/// A checkpoint was taken by order.
pub(crate) fn taken(
    order: &CheckpointOrder,
    asked_at: Timestamp,
    info: CheckpointInfo,
    store: &Store,
    agent: &AgentSettings,
) -> RecoveryReport {
    let mut report = report(order, asked_at, asked_at, &From::Itself, None, store, agent);
    report.stopped_at = None;
    report.downtime_s = info.frozen_s;
    report.summary = format!(
        "{}: checkpoint {} taken, {} bytes, {:.3} s standing still",
        report.service, info.counter, info.bytes, info.frozen_s
    );
    report.checkpoint = Some(info);
    report
}

fn summary(report: &RecoveryReport) -> String {
    let mut text = format!(
        "{} runs again from {}: {:.1} s down",
        report.service, report.started_from, report.downtime_s
    );
    if report.checkpoint.is_some() {
        text.push_str(&format!(", {:.0} s of work lost", report.lost_s));
    }
    if let Some(bytes) = report.lost_bytes {
        text.push_str(&format!(" ({bytes} bytes)"));
    }
    if let Some(chance) = report.chance_infected {
        text.push_str(&format!(", chance of an infected checkpoint {:.1} %", 100.0 * chance));
    }
    text
}
