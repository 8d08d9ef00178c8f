//! Facts of other rooms become incidents and lines of their history.

use std::sync::Arc;

use async_trait::async_trait;
use model::event::{
    EnforcementChanged, Fact, FindingGrouped, FindingJudged, FindingRaised, FindingUpdated,
    IncidentChanged, IncidentOpened, IncidentReceived, Payload, ProposalDecided, ProposalMade,
    RecoveryEnded, RecoveryMoved, RunFinished, RunStarted, ShareDecided, ShareMoved, StepFinished,
};
use model::{
    AttackKind, Finding, Incident, IncidentId, IncidentReport, IncidentState, Outcome, ShareState,
    TimelineItem,
};
use platform::Platform;
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;

use crate::config::Config;
use crate::error::IncidentsError;
use crate::{desk, grouping, milestones, store};

/// The consumer of this room.
pub(crate) struct Desk {
    platform: Platform,
    config: Arc<Config>,
}

impl Desk {
    pub(crate) fn new(platform: Platform, config: Arc<Config>) -> Self {
        Self { platform, config }
    }
}

#[async_trait]
impl Consumer for Desk {
    fn name(&self) -> &'static str {
        "incidents"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            FindingGrouped::KIND,
            FindingRaised::KIND,
            FindingUpdated::KIND,
            FindingJudged::KIND,
            ProposalMade::KIND,
            ProposalDecided::KIND,
            RunStarted::KIND,
            StepFinished::KIND,
            RunFinished::KIND,
            EnforcementChanged::KIND,
            ShareDecided::KIND,
            ShareMoved::KIND,
            IncidentReceived::KIND,
            RecoveryEnded::KIND,
            RecoveryMoved::KIND,
        ]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        if let Some(raised) = fact.read::<FindingRaised>()? {
            self.take_finding(tx, raised.finding).await?;
        } else if let Some(updated) = fact.read::<FindingUpdated>()? {
            self.take_finding(tx, updated.finding).await?;
        } else if let Some(grouped) = fact.read::<FindingGrouped>()? {
            grouping::put(tx.sql(), grouped.finding, &grouped.group.id.to_string()).await?;
        } else if let Some(judged) = fact.read::<FindingJudged>()? {
            self.judged(tx, fact, &judged).await?;
        } else if let Some(received) = fact.read::<IncidentReceived>()? {
            self.receive(tx, fact, received).await?;
        } else if let Some(enforced) = fact.read::<EnforcementChanged>()? {
            self.enforced(tx, fact, &enforced).await?;
        } else if let Some((id, item)) = told(fact)?
            && let Some(incident) = store::find(tx.sql(), id).await?
        {
            store::add_line(tx.sql(), id, &source(fact), &item).await?;
            if let Some((id, name, at)) = milestones::reached(fact)? {
                milestones::note(tx.sql(), id, name, at).await?;
            }
            self.answered(tx, fact, incident).await?;
        }
        Ok(())
    }
}

/// What makes a line of a fact unique.
fn source(fact: &Fact) -> String {
    format!("fact:{}", fact.id)
}

fn item(fact: &Fact, kind: &str, link: Option<String>) -> TimelineItem {
    TimelineItem {
        kind: kind.into(),
        text: fact.sentence.clone(),
        actor: fact.actor.clone(),
        link,
        event_at: fact.event_at,
        recorded_at: fact.recorded_at,
    }
}

/// Facts that name their incident and only add a line.
fn told(fact: &Fact) -> Result<Option<(IncidentId, TimelineItem)>, serde_json::Error> {
    if let Some(started) = fact.read::<RunStarted>()? {
        let link = Some(format!("/runs/{}", started.run));
        return Ok(started.incident.map(|id| (id, item(fact, "run", link))));
    }
    if let Some(step) = fact.read::<StepFinished>()? {
        let link = Some(format!("/runs/{}", step.run));
        return Ok(step.incident.map(|id| (id, item(fact, "action", link))));
    }
    if let Some(ended) = fact.read::<RunFinished>()? {
        let link = Some(format!("/runs/{}", ended.run));
        return Ok(ended.incident.map(|id| (id, item(fact, "run", link))));
    }
    if let Some(made) = fact.read::<ProposalMade>()? {
        return Ok(made.incident.map(|id| (id, item(fact, "proposal", None))));
    }
    if let Some(decided) = fact.read::<ProposalDecided>()? {
        return Ok(decided.incident.map(|id| (id, item(fact, "proposal", None))));
    }
    if let Some(decided) = fact.read::<ShareDecided>()? {
        let link = Some(format!("/shares/{}", decided.share));
        return Ok(Some((decided.incident, item(fact, "share", link))));
    }
    if let Some(moved) = fact.read::<ShareMoved>()? {
        let link = Some(format!("/shares/{}", moved.share));
        return Ok(Some((moved.incident, item(fact, "share", link))));
    }
    if let Some(ended) = fact.read::<RecoveryEnded>()? {
        let link = Some(format!("/recovery/orders/{}", ended.key));
        return Ok(ended.incident.map(|id| (id, item(fact, "recovery", link))));
    }
    if let Some(moved) = fact.read::<RecoveryMoved>()? {
        return Ok(Some((moved.incident, item(fact, "recovery", None))));
    }
    Ok(None)
}

impl Desk {
    /// A finding joins the incident it belongs to, or opens one.
    async fn take_finding(&self, tx: &mut Tx, finding: Finding) -> Result<(), IncidentsError> {
        if let Some(incident) = store::incident_of(tx.sql(), &finding).await? {
            return self.renew(tx, incident, &finding).await;
        }
        let group = grouping::open_of_group(tx.sql(), finding.id).await?;
        if group.is_none() && finding.severity < self.config.open_from {
            return Ok(());
        }
        let home = match group {
            Some(home) => Some(home),
            None => self.belongs_to(tx, &finding).await?,
        };
        if let Some(incident) = home.filter(|incident| incident.findings < store::MAX_FINDINGS) {
            let text = format!("Joined by: {}", finding.title);
            return self.join(tx, incident, &finding, text).await;
        }
        self.open(tx, finding).await
    }

    /// The same device near in packet time, or the same new remote party.
    async fn belongs_to(
        &self,
        tx: &mut Tx,
        finding: &Finding,
    ) -> Result<Option<Incident>, IncidentsError> {
        let within_us = self.config.join_within_s.saturating_mul(1_000_000);
        let near =
            store::open_of_device(tx.sql(), finding.device, finding.first_at, within_us).await?;
        if near.is_some() {
            return Ok(near);
        }
        if finding.kind == AttackKind::ModelAttack {
            // Whoever attacks the detector does not stop at one device.
            let at = finding.first_at;
            return Ok(grouping::open_about_the_detector(tx.sql(), at, within_us).await?);
        }
        for evidence in finding.evidence.iter().filter(|evidence| evidence.new) {
            if let Some(incident) = store::open_with_peer(tx.sql(), evidence.peer).await? {
                return Ok(Some(incident));
            }
        }
        Ok(None)
    }

    /// A person's word on a finding is a line; a case of nothing but the normal is a false alarm.
    async fn judged(
        &self,
        tx: &mut Tx,
        fact: &Fact,
        judged: &FindingJudged,
    ) -> Result<(), ConsumeError> {
        let incident = grouping::judged(tx.sql(), judged.finding, judged.normal).await?;
        let Some(incident) = incident else { return Ok(()) };
        let link = Some(format!("/findings/{}", judged.finding));
        let line = item(fact, "feedback", link);
        if !store::add_line(tx.sql(), incident.id, &source(fact), &line).await? {
            return Ok(());
        }
        let over = judged.normal
            && incident.received_share.is_none()
            && incident.state.may_become(IncidentState::FalseAlarm)
            && grouping::all_normal(tx.sql(), incident.id).await?;
        if over {
            let reason = format!("all its findings were called normal: {}", judged.reason);
            desk::move_to(tx, incident, IncidentState::FalseAlarm, &reason, &fact.actor, None)
                .await?;
        }
        Ok(())
    }

    async fn open(&self, tx: &mut Tx, finding: Finding) -> Result<(), IncidentsError> {
        let now = tx.now();
        let incident = Incident {
            id: tx.mint(),
            title: finding.title.clone(),
            state: IncidentState::New,
            severity: finding.severity,
            tlp: self.config.tlp,
            origin: self.platform.node.id,
            origin_name: self.platform.node.name.clone(),
            findings: 1,
            received_share: None,
            acknowledged_by: None,
            event_at: finding.first_at,
            recorded_at: now,
            updated_at: now,
        };
        store::insert(tx.sql(), &incident, finding.last_at).await?;
        store::keep_finding(tx.sql(), incident.id, &finding).await?;
        let mut first = desk::line(tx, "finding", finding.title.clone(), &finding.detector);
        first.event_at = Some(finding.first_at);
        first.link = Some(format!("/findings/{}", finding.id));
        let source = format!("finding:{}", finding.id);
        store::add_line(tx.sql(), incident.id, &source, &first).await?;
        let report = IncidentReport { incident, findings: vec![finding], timeline: vec![first] };
        tx.publish("system", &IncidentOpened { report, received: false }).await?;
        Ok(())
    }

    /// A finding goes on: keep its newest form; say so only when it became worse.
    async fn renew(
        &self,
        tx: &mut Tx,
        mut incident: Incident,
        finding: &Finding,
    ) -> Result<(), IncidentsError> {
        store::keep_finding(tx.sql(), incident.id, finding).await?;
        if finding.severity <= incident.severity {
            return Ok(());
        }
        incident.severity = finding.severity;
        incident.title = finding.title.clone();
        let text = format!("Became {}: {}", finding.severity.word(), finding.title);
        let source = format!("severity:{}:{}", finding.id, finding.severity.word());
        self.changed(tx, incident, finding, &source, text).await
    }

    async fn join(
        &self,
        tx: &mut Tx,
        mut incident: Incident,
        finding: &Finding,
        text: String,
    ) -> Result<(), IncidentsError> {
        store::keep_finding(tx.sql(), incident.id, finding).await?;
        incident.findings += 1;
        incident.severity = incident.severity.max(finding.severity);
        let source = format!("finding:{}", finding.id);
        self.changed(tx, incident, finding, &source, text).await
    }

    async fn changed(
        &self,
        tx: &mut Tx,
        mut incident: Incident,
        finding: &Finding,
        source: &str,
        text: String,
    ) -> Result<(), IncidentsError> {
        incident.updated_at = tx.now();
        store::update(tx.sql(), &incident).await?;
        let mut item = desk::line(tx, "finding", text.clone(), &finding.detector);
        item.event_at = Some(finding.last_at);
        item.link = Some(format!("/findings/{}", finding.id));
        store::add_line(tx.sql(), incident.id, source, &item).await?;
        tx.publish("system", &IncidentChanged { incident, change: text }).await?;
        Ok(())
    }

    /// A gateway's block contains what it really stops; a lifted block opens the case again.
    async fn enforced(
        &self,
        tx: &mut Tx,
        fact: &Fact,
        enforced: &EnforcementChanged,
    ) -> Result<(), IncidentsError> {
        for incident in store::open_about(tx.sql(), &enforced.target).await? {
            let line = item(fact, "enforcement", Some("/gateways".into()));
            if !store::add_line(tx.sql(), incident.id, &source(fact), &line).await? {
                continue;
            }
            let done = matches!(enforced.outcome, Outcome::Done { .. });
            let to = match (enforced.verb.as_str(), incident.state) {
                ("block", IncidentState::New | IncidentState::Triaged) if done => {
                    IncidentState::Contained
                }
                ("release", IncidentState::Contained) if done => IncidentState::Triaged,
                _ => continue,
            };
            // A response has run its course: what happens after it deserves one of its own.
            store::mark_released(tx.sql(), incident.id, to == IncidentState::Triaged).await?;
            let reason = format!("{} at gateway {}", enforced.verb, enforced.edge);
            desk::move_to(tx, incident, to, &reason, "system", None).await?;
        }
        Ok(())
    }

    /// The recipient's answer closes the loop here.
    async fn answered(
        &self,
        tx: &mut Tx,
        fact: &Fact,
        mut incident: Incident,
    ) -> Result<(), ConsumeError> {
        let Some(moved) = fact.read::<ShareMoved>()? else { return Ok(()) };
        if moved.state != ShareState::Acknowledged || incident.acknowledged_by.is_some() {
            return Ok(());
        }
        incident.acknowledged_by = Some(moved.peer_name.clone());
        incident.updated_at = tx.now();
        store::update(tx.sql(), &incident).await?;
        let change = format!("{} acknowledged it: {}", moved.peer_name, moved.detail);
        tx.publish(&fact.actor, &IncidentChanged { incident, change }).await?;
        Ok(())
    }

    /// Another node's incident: opened here under its own id, or renewed.
    async fn receive(
        &self,
        tx: &mut Tx,
        fact: &Fact,
        received: IncidentReceived,
    ) -> Result<(), IncidentsError> {
        let IncidentReceived { mut incident, findings, .. } = received;
        let known = store::find(tx.sql(), incident.id).await?;
        if known.as_ref().is_some_and(|known| known.received_share.is_none()) {
            // An id of ours that comes back from outside must not overwrite our case.
            tracing::warn!(incident = %incident.id, "a peer sent an incident under an id of ours; ignored");
            return Ok(());
        }
        if known.as_ref().is_some_and(|known| known.origin != incident.origin) {
            tracing::warn!(incident = %incident.id, "a peer sent another node's incident as its own; ignored");
            return Ok(());
        }
        let line = item(fact, "received", None);
        let (id, version) = (incident.id, incident.updated_at);
        if let Some(known) = known {
            if !store::newer_version(tx.sql(), id, version).await? {
                return Ok(());
            }
            for finding in findings.iter().take(store::MAX_FINDINGS as usize) {
                store::keep_finding(tx.sql(), id, finding).await?;
            }
            let renewed = Incident {
                title: incident.title,
                severity: incident.severity,
                tlp: incident.tlp,
                updated_at: tx.now(),
                ..known
            };
            store::update(tx.sql(), &renewed).await?;
            if store::add_line(tx.sql(), id, &source(fact), &line).await? {
                let change = "renewed by its sender".to_owned();
                tx.publish(&fact.actor, &IncidentChanged { incident: renewed, change }).await?;
            }
            return Ok(());
        }
        let now = tx.now();
        incident.state = IncidentState::New;
        incident.acknowledged_by = None;
        incident.recorded_at = now;
        incident.updated_at = now;
        let last =
            findings.iter().map(|finding| finding.last_at).max().unwrap_or(incident.event_at);
        store::insert(tx.sql(), &incident, last).await?;
        store::newer_version(tx.sql(), id, version).await?;
        for finding in findings.iter().take(store::MAX_FINDINGS as usize) {
            store::keep_finding(tx.sql(), id, finding).await?;
        }
        store::add_line(tx.sql(), id, &source(fact), &line).await?;
        let report = IncidentReport { incident, findings, timeline: vec![line] };
        tx.publish(&fact.actor, &IncidentOpened { report, received: true }).await?;
        Ok(())
    }
}
