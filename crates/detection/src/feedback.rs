//! What people say of findings, and what the detector makes of it.

use std::net::IpAddr;
use std::sync::Arc;

use analytics::guard::POISON_TRAINING_DATA;
use model::event::{FindingJudged, SuppressionChanged};
use model::{DeviceId, Finding, FindingId, SuppressionId, Timestamp};
use platform::db::{DbError, Tx};

use crate::Detection;
use crate::error::DetectionError;
use crate::finding::{GUARD, Lane};
use crate::laws::memory::Protocol;
use crate::machines::evidence::UnusualCommand;
use crate::machines::finding::COMMANDS;
use crate::machines::scope::CommandScope;
use crate::state::DeviceState;
use crate::store::suppressions::FeedbackRow;
use crate::store::{self, kept};
use crate::suppress::{HEADROOM, MAX_ACTIVE, Suppression};

/// Longest reason, characters.
pub(crate) const MAX_REASON_CHARS: usize = 2_000;

/// What is to be covered; all absent means: what the finding is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    pub(crate) metric: Option<String>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) protocol: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) technique: Option<String>,
    /// Only such commands.
    pub(crate) command: Option<CommandScope>,
    /// Everything the device does.
    pub(crate) whole_device: bool,
}

impl Scope {
    fn is_given(&self) -> bool {
        self.whole_device
            || self.metric.is_some()
            || self.peer.is_some()
            || self.technique.is_some()
            || self.port.is_some()
            || self.protocol.is_some()
    }
}

/// A person's word on a finding.
pub(crate) struct Word {
    /// Normal for this device, or an attack.
    pub(crate) normal: bool,
    pub(crate) reason: String,
    pub(crate) until: Option<Timestamp>,
    pub(crate) scope: Scope,
    pub(crate) by: String,
}

/// What "this finding is normal" covers when no scope is given: its new parties, each with its
/// service, and the metrics that alerted beside novelty; what has neither is covered by technique.
fn scopes_of(finding: &Finding, commands: &[UnusualCommand], given: &Scope) -> Vec<Scope> {
    if given.is_given() {
        return vec![given.clone()];
    }
    if finding.detector == COMMANDS {
        let scopes = CommandScope::of(commands).into_iter();
        return scopes.map(|it| Scope { command: Some(it), ..Scope::default() }).collect();
    }
    let mut scopes: Vec<Scope> = finding
        .evidence
        .iter()
        .filter(|party| party.new)
        .map(|party| Scope {
            peer: Some(party.peer),
            protocol: Some(party.protocol.clone()),
            port: party.port,
            ..Scope::default()
        })
        .collect();
    if finding.detector == GUARD {
        // Accepting what a guard found must not silence it for ever.
        return scopes;
    }
    // Laws are named by themselves; novelty of windows is told by the parties above.
    let of_laws = Protocol::from_word(&finding.detector).is_some();
    let plain = finding
        .why
        .iter()
        .filter(|reason| reason.ratio > 1.0 && (of_laws || !reason.metric.starts_with("new_")));
    scopes.extend(
        plain.map(|reason| Scope { metric: Some(reason.metric.clone()), ..Scope::default() }),
    );
    if scopes.is_empty() {
        scopes.extend(
            finding.techniques.first().map(|technique| Scope {
                technique: Some(technique.id.clone()),
                ..Scope::default()
            }),
        );
    }
    scopes
}

impl Detection {
    /// Takes a person's word on a finding; gives the suppressions it made.
    pub(crate) async fn judge_finding(
        &self,
        id: FindingId,
        word: Word,
    ) -> Result<Vec<Suppression>, DetectionError> {
        let platform = &self.inner.platform;
        let (finding, commands) = {
            let mut connection = platform.db.read().await?;
            let finding = store::findings::one(&mut connection, id).await?;
            (finding, store::findings::commands(&mut connection, id).await?.0)
        };
        let finding = finding.ok_or_else(|| DetectionError::NotFound(format!("finding '{id}'")))?;
        let mut engine = self.engine().await?;
        let made = if word.normal { self.suppressions(&finding, &commands, &word) } else { vec![] };
        let state = engine.device(finding.device).cloned();
        if let Some(state) = &state {
            check_room(&state.normal, made.len(), platform.now())?;
        }
        let fact = FindingJudged {
            finding: id,
            device: finding.device,
            title: finding.title.clone(),
            normal: word.normal,
            reason: word.reason.clone(),
            until: word.until,
        };
        let row = FeedbackRow {
            finding: id,
            device: finding.device,
            verdict: if word.normal { "normal" } else { "attack" },
            reason: word.reason.clone(),
            author: word.by.clone(),
            suppression: made.first().map(|one| one.id),
        };
        // What is normal only for a time must not be learned for good.
        let believe = word.normal && word.until.is_none();
        let kept = Keeping { row, made: made.clone(), believe };
        let by = word.by.clone();
        let Some(mut state) = state else {
            // The finding is about no device that is watched, e.g. about an edge.
            let done: Result<(), DbError> = platform
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        kept.write(tx).await?;
                        tx.publish(&by, &fact).await?;
                        Ok(())
                    })
                })
                .await;
            done?;
            return Ok(made);
        };
        if word.normal {
            accept(&mut state, &finding, &made);
        }
        self.write_state(&mut engine, state, &word.by, move |tx, _| {
            Box::pin(async move {
                kept.write(tx).await?;
                Ok(fact)
            })
        })
        .await?;
        Ok(made)
    }

    fn suppressions(
        &self,
        finding: &Finding,
        commands: &[UnusualCommand],
        word: &Word,
    ) -> Vec<Suppression> {
        let platform = &self.inner.platform;
        let now = platform.now();
        scopes_of(finding, commands, &word.scope)
            .into_iter()
            .map(|scope| Suppression {
                id: platform.mint(),
                device: finding.device,
                finding: Some(finding.id),
                metric: scope.metric,
                peer: scope.peer,
                protocol: scope.protocol,
                port: scope.port,
                technique: scope.technique,
                command: scope.command,
                ceiling: finding.score.max(1.0) * HEADROOM,
                reason: word.reason.clone(),
                author: word.by.clone(),
                created_at: now,
                until: word.until,
                revoked_at: None,
                revoked_by: None,
                hits: 0,
                last_hit_at: None,
            })
            .collect()
    }

    /// Takes a suppression back. False when it was taken back before.
    pub(crate) async fn revoke(
        &self,
        id: SuppressionId,
        (by, reason): (&str, &str),
    ) -> Result<bool, DetectionError> {
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let one = {
            let mut connection = platform.db.read().await?;
            store::suppressions::one(&mut connection, id).await?
        };
        let one = one.ok_or_else(|| DetectionError::NotFound(format!("suppression '{id}'")))?;
        if one.revoked_at.is_some() {
            return Ok(false);
        }
        let fact = SuppressionChanged {
            suppression: id,
            device: one.device,
            scope: one.scope(),
            active: false,
            reason: reason.to_owned(),
        };
        let Some(mut state) = engine.device(one.device).cloned() else {
            let who = by.to_owned();
            let done: Result<(), DbError> = platform
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        store::suppressions::revoke(tx, id, &who).await?;
                        tx.publish(&who, &fact).await?;
                        Ok(())
                    })
                })
                .await;
            done?;
            return Ok(true);
        };
        let mut normal = (*state.normal).clone();
        normal.retain(|own| own.id != id);
        state.normal = Arc::new(normal);
        let who = by.to_owned();
        self.write_state(&mut engine, state, by, move |tx, _| {
            Box::pin(async move {
                store::suppressions::revoke(tx, id, &who).await?;
                Ok(fact)
            })
        })
        .await?;
        Ok(true)
    }

    /// Calls something normal without a finding.
    pub(crate) async fn call_normal(
        &self,
        device: DeviceId,
        scope: Scope,
        ceiling: f64,
        word: &Word,
    ) -> Result<Suppression, DetectionError> {
        if !scope.is_given() {
            return Err(DetectionError::Invalid(
                "scope: name a metric, a peer or a technique, or say whole_device".into(),
            ));
        }
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let mut state = engine
            .device(device)
            .cloned()
            .ok_or_else(|| DetectionError::NotFound(format!("device '{device}'")))?;
        check_room(&state.normal, 1, platform.now())?;
        let one = Suppression {
            id: platform.mint(),
            device,
            finding: None,
            metric: scope.metric,
            peer: scope.peer,
            protocol: scope.protocol,
            port: scope.port,
            technique: scope.technique,
            command: None,
            ceiling,
            reason: word.reason.clone(),
            author: word.by.clone(),
            created_at: platform.now(),
            until: word.until,
            revoked_at: None,
            revoked_by: None,
            hits: 0,
            last_hit_at: None,
        };
        let mut normal = (*state.normal).clone();
        normal.push(one.clone());
        state.normal = Arc::new(normal);
        let fact = SuppressionChanged {
            suppression: one.id,
            device,
            scope: one.scope(),
            active: true,
            reason: word.reason.clone(),
        };
        let row = one.clone();
        self.write_state(&mut engine, state, &word.by, move |tx, _| {
            Box::pin(async move {
                store::suppressions::add(tx, &row).await?;
                Ok(fact)
            })
        })
        .await?;
        Ok(one)
    }
}

/// What "normal" changes about a device at once.
fn accept(state: &mut DeviceState, finding: &Finding, made: &[Suppression]) {
    state.memory.learning.confirm();
    let mut normal = (*state.normal).clone();
    normal.extend(made.iter().cloned());
    state.normal = Arc::new(normal);
    if finding.detector == GUARD {
        state.memory.learning.release();
        let taught = finding.techniques.iter().any(|own| own.id == POISON_TRAINING_DATA.0);
        if taught {
            state.memory.learning.poison.accept();
        }
    }
    // It is over: what still comes and is not covered is a finding of its own.
    for lane in Lane::ALL {
        let own = &mut state.findings[lane as usize];
        if own.as_ref().is_some_and(|open| open.finding.id == finding.id) {
            *own = None;
        }
    }
}

/// What a word on a finding changes in the database.
struct Keeping {
    row: FeedbackRow,
    made: Vec<Suppression>,
    believe: bool,
}

impl Keeping {
    async fn write(&self, tx: &mut Tx) -> Result<(), DbError> {
        store::suppressions::add_feedback(tx, &self.row).await?;
        for one in &self.made {
            store::suppressions::add(tx, one).await?;
        }
        if self.believe {
            kept::believe(tx, &self.row.finding.to_string()).await?;
        }
        Ok(())
    }
}

fn check_room(normal: &[Suppression], more: usize, now: Timestamp) -> Result<(), DetectionError> {
    let active = normal.iter().filter(|one| one.is_active(now)).count();
    if active + more > MAX_ACTIVE {
        return Err(DetectionError::Conflict(format!(
            "{active} suppressions of this device are in force, the limit is {MAX_ACTIVE}; \
             take some back, or let the device learn again"
        )));
    }
    Ok(())
}
