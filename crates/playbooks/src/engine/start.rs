//! How runs begin: by a person, or by themselves when an incident is opened here.

use std::sync::Arc;

use async_trait::async_trait;
use model::event::{Fact, IncidentChanged, IncidentOpened, Payload, RunStarted};
use model::{Incident, IncidentId, IncidentReport, RunId, Severity};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;
use ports::IncidentReader;

use super::flow::{self, Flow, Next};
use super::{Engine, flow::wake};
use crate::PlaybooksError;
use crate::cacao::Playbook;
use crate::context;
use crate::run::RunState;
use crate::store::incidents;
use crate::store::playbooks::{self, Stored};
use crate::store::runs::{self, Run};
use crate::validate::{Abilities, validate};

/// What is to be started.
pub(crate) struct Order<'a> {
    pub stored: &'a Stored,
    pub report: Option<&'a IncidentReport>,
    /// Why it starts, or who started it.
    pub trigger: String,
    /// Two orders with the same key are one run.
    pub start_key: String,
    /// What is missing to run it here.
    pub missing: Vec<String>,
}

impl Engine {
    /// What is missing to run a stored playbook here and now.
    pub(crate) fn missing(&self, stored: &Stored) -> Vec<String> {
        missing(&self.abilities, stored, self.platform.now())
    }
}

fn missing(abilities: &Abilities, stored: &Stored, now: model::Timestamp) -> Vec<String> {
    let Ok(value) = serde_json::from_str(&stored.body) else {
        return vec!["the stored playbook cannot be read".into()];
    };
    let mut missing = validate(&value, abilities).runnable.missing;
    if let Ok(playbook) = Playbook::parse(&stored.body) {
        let time = |text: &Option<String>| {
            text.as_ref().and_then(|text| text.parse::<model::Timestamp>().ok())
        };
        if playbook.revoked {
            missing.push("its creator has revoked it".into());
        } else if time(&playbook.valid_from).is_some_and(|from| now < from) {
            missing.push("it is not valid yet (valid_from)".into());
        } else if time(&playbook.valid_until).is_some_and(|until| now >= until) {
            missing.push("it is no longer valid (valid_until)".into());
        }
    }
    missing
}

/// Starts a run inside a transaction; `None` when the same key has started one before. A playbook
/// that cannot run here makes a run that failed and says why: never silently nothing.
pub(crate) async fn start(
    tx: &mut Tx,
    config: &crate::Config,
    order: Order<'_>,
) -> Result<Option<RunId>, PlaybooksError> {
    let playbook = Playbook::parse(&order.stored.body).map_err(|cause| {
        PlaybooksError::invalid(format!("the playbook cannot be read: {cause}"))
    })?;
    let incident: Option<IncidentId> = order.report.map(|report| report.incident.id);
    let given = order.report.map(context::of_incident).unwrap_or_default();
    let run = Run {
        id: tx.mint(),
        playbook: order.stored.id,
        name: order.stored.name.clone(),
        body: order.stored.body.clone(),
        state: RunState::Running,
        incident,
        trigger: order.trigger,
        variables: context::initial(&playbook, &given),
        returns: vec![],
        position: 0,
        not_enforced: 0,
        failed: 0,
        note: None,
        started_at: tx.now(),
        ended_at: None,
    };
    let id = run.id;
    if !runs::insert(tx.sql(), &run, &order.start_key).await? {
        return Ok(None);
    }
    let fact =
        RunStarted { run: id, playbook: run.name.clone(), incident, trigger: run.trigger.clone() };
    tx.publish(&flow::actor(&run), &fact).await?;
    let next = if order.missing.is_empty() {
        Next::Step(playbook.workflow_start.clone())
    } else {
        Next::GiveUp(format!("it cannot run here: {}", order.missing.join("; ")))
    };
    Flow { config, playbook: &playbook, run }.go(tx, next).await?;
    let now = tx.now();
    wake(tx, id, "start", now).await?;
    Ok(Some(id))
}

/// Starts playbooks when an incident of our own is opened, or becomes severe enough later; once per
/// playbook and incident.
pub(crate) struct Opened {
    pub engine: Arc<Engine>,
    pub incidents: Arc<dyn IncidentReader>,
}

#[async_trait]
impl Consumer for Opened {
    fn name(&self) -> &'static str {
        "playbooks.opened"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[IncidentOpened::KIND, IncidentChanged::KIND]
    }
    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        if let Some(opened) = fact.read::<IncidentOpened>()? {
            if !opened.received {
                let incident = &opened.report.incident;
                incidents::note(tx.sql(), incident.id, incident.severity).await?;
                self.start_all(tx, &opened.report, None).await?;
            }
        } else if let Some(changed) = fact.read::<IncidentChanged>()? {
            self.grown(tx, &changed.incident).await?;
        }
        Ok(())
    }
}

impl Opened {
    /// Only a rise counts: a note on an old incident must never start anything.
    async fn grown(&self, tx: &mut Tx, incident: &Incident) -> Result<(), ConsumeError> {
        let own = incident.origin == self.engine.platform.node.id;
        if !own || incident.received_share.is_some() {
            return Ok(());
        }
        let before = incidents::note(tx.sql(), incident.id, incident.severity).await?;
        let Some(before) = before.filter(|before| *before < incident.severity) else {
            return Ok(());
        };
        if !incident.state.is_open() {
            return Ok(());
        }
        let report = self.incidents.report(incident.id).await;
        match report.map_err(|cause| ConsumeError::Other(cause.to_string()))? {
            Some(report) => Ok(self.start_all(tx, &report, Some(before)).await?),
            None => Ok(()),
        }
    }

    /// Starts what matches now and did not at the severity before.
    async fn start_all(
        &self,
        tx: &mut Tx,
        report: &IncidentReport,
        before: Option<Severity>,
    ) -> Result<(), PlaybooksError> {
        for stored in playbooks::triggered(tx.sql()).await? {
            let Some(trigger) = stored.trigger.as_ref().filter(|it| {
                it.matches(report) && before.is_none_or(|before| before < it.min_severity)
            }) else {
                continue;
            };
            let order = Order {
                stored: &stored,
                report: Some(report),
                trigger: format!("starts by itself {}", trigger.words()),
                start_key: format!("{}/{}", stored.id, report.incident.id),
                missing: missing(&self.engine.abilities, &stored, tx.now()),
            };
            start(tx, &self.engine.config, order).await?;
        }
        Ok(())
    }
}
