//! How runs begin: by a person, or by themselves when an incident is opened here.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use model::event::{Fact, IncidentChanged, IncidentOpened, Payload, RunStarted};
use model::{DeviceId, Incident, IncidentId, IncidentReport, RunId, Severity, Tlp};
use platform::bus::{ConsumeError, Consumer};
use platform::db::{DbError, Tx};
use ports::IncidentReader;

use super::book::{self, Texts};
use super::machine::{Live, Machine};
use super::tree::{Frame, Tree};
use super::{Engine, record};
use crate::PlaybooksError;
use crate::cacao::Playbook;
use crate::cacao::variables::Values;
use crate::context;
use crate::run::RunState;
use crate::secrets::needed;
use crate::store::playbooks::Stored;
use crate::store::runs::{self, Run};
use crate::store::triggers::{self, Kept};
use crate::store::{books, incidents};
use crate::triggers::launch::{Launch, furthest, launch};
use crate::trust::unsigned;

/// What is to be started.
pub(crate) struct Order<'a> {
    pub stored: &'a Stored,
    pub report: Option<&'a IncidentReport>,
    /// Values that a person gives to external variables.
    pub given: Values,
    /// The label of what others said that it is told; that of the incident holds as well.
    pub tlp: Option<Tlp>,
    /// Why it starts, or who started it.
    pub trigger: String,
    /// Two orders with the same key are one run.
    pub start_key: String,
    pub rehearsal: bool,
    /// Nobody started it.
    pub by_itself: bool,
    /// Something missing is an error instead of a run that failed.
    pub refuse: bool,
}

impl Order<'_> {
    /// The label that binds its run.
    pub(crate) fn bound(&self) -> Option<Tlp> {
        self.tlp.max(self.report.and_then(|report| report.incident.bound()))
    }
}

/// A run in the making.
pub(super) struct Begin {
    pub run: Run,
    pub texts: Texts,
    pub start_key: String,
    /// What is missing to run it here.
    pub missing: Vec<String>,
}

/// Starts a run inside a transaction; `None` when the same key has started one before. A playbook
/// that cannot run here makes a run that failed and says why: never silently nothing.
pub(crate) async fn start(
    tx: &mut Tx,
    engine: &Engine,
    order: Order<'_>,
) -> Result<Option<RunId>, PlaybooksError> {
    let tlp = order.bound();
    let mut given = order.report.map(context::of_incident).unwrap_or_default();
    given.extend(order.given);
    let names: Vec<String> = given.keys().cloned().collect();
    let (texts, mut missing) = book::collect(tx, &engine.abilities, order.stored, &names).await?;
    missing.extend(unsigned(&engine.config, tx, &texts).await?);
    let all = std::iter::once(&texts.own).chain(texts.called.values());
    missing.extend(needed::lacking(tx.sql(), all).await?);
    if order.refuse && !missing.is_empty() {
        return Err(PlaybooksError::Invalid {
            summary: format!("'{}' cannot run here", order.stored.name),
            errors: missing,
        });
    }
    let playbook = Playbook::parse(&texts.own).map_err(|cause| {
        PlaybooksError::invalid(format!("the playbook cannot be read: {cause}"))
    })?;
    let incident: Option<IncidentId> = order.report.map(|report| report.incident.id);
    let run = Run {
        incident,
        tlp,
        trigger: order.trigger,
        variables: context::initial(&playbook, &given),
        rehearsal: order.rehearsal,
        by_itself: order.by_itself,
        ..fresh(tx, engine, order.stored, &playbook.workflow_start, vec![])
    };
    begin(tx, engine, Begin { run, texts, start_key: order.start_key, missing }).await
}

/// A run of a stored playbook that begins at `step`, without variables.
pub(super) fn fresh(
    tx: &Tx,
    engine: &Engine,
    stored: &Stored,
    step: &str,
    frames: Vec<Frame>,
) -> Run {
    let now = tx.now();
    Run {
        id: tx.mint(),
        playbook: stored.id,
        name: stored.name.clone(),
        book: None,
        body: String::new(),
        state: RunState::Running,
        incident: None,
        tlp: None,
        trigger: String::new(),
        variables: Values::new(),
        tree: Tree::at(step, frames),
        position: 0,
        not_enforced: 0,
        failed: 0,
        note: None,
        rehearsal: false,
        by_itself: false,
        retry_of: None,
        started_at: now,
        ended_at: None,
        paused_at: None,
        deadline_at: Some(now.plus_secs(i64::from(engine.config.run_timeout_s))),
        wake_at: Some(now),
        version: 0,
    }
}

/// Stores a new run and takes it to the first step that needs the outside or a person.
pub(super) async fn begin(
    tx: &mut Tx,
    engine: &Engine,
    begin: Begin,
) -> Result<Option<RunId>, PlaybooksError> {
    let Begin { mut run, texts, start_key, missing } = begin;
    let (hash, body) = texts.stored()?;
    run.book = Some(hash.clone());
    let id = run.id;
    if !runs::insert(tx.sql(), &run, &start_key).await? {
        return Ok(None);
    }
    books::put(tx.sql(), &hash, body).await?;
    if !run.rehearsal {
        let fact = RunStarted {
            run: id,
            playbook: run.name.clone(),
            incident: run.incident,
            trigger: run.trigger.clone(),
            tlp: run.tlp,
        };
        let seq = tx.publish(&record::actor(&run), &fact).await?;
        engine.bell.begins_with(seq);
    }
    let book = texts.read().map_err(|cause| DbError::corrupt("playbooks_books.body", cause))?;
    let mut live = Live { run, rows: Default::default() };
    let mut machine = Machine::new(&engine.config, &book, tx.now(), &mut live);
    if missing.is_empty() {
        machine.go();
    } else {
        let why = format!("it cannot run here: {}", missing.join("; "));
        machine.stop(RunState::Failed, &why);
    }
    if let Some(changes) = machine.changes() {
        record::write(tx, &changes).await?;
    }
    Ok(Some(id))
}

impl Engine {
    /// How critical the most critical asset of an incident is; medium where nothing is known of any.
    pub(crate) async fn criticality(
        &self,
        report: &IncidentReport,
    ) -> Result<Severity, PlaybooksError> {
        let devices: BTreeSet<DeviceId> = report.findings.iter().map(|it| it.device).collect();
        let mut most = None;
        for device in devices {
            if let Some(device) = self.assets.device(device).await? {
                most = most.max(Some(device.criticality));
            }
        }
        Ok(most.unwrap_or(Severity::Medium))
    }
}

/// Starts playbooks when an incident of our own is opened, or becomes severe enough later, and when one of others
/// arrives; once per playbook and incident.
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
            if opened.received {
                self.arrived(tx, &opened.report).await?;
            } else {
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
        let mut matching = triggers::on(tx.sql(), "incidents.opened").await?;
        matching.retain(|kept| {
            kept.trigger.incident().is_some_and(|it| {
                it.matches(report) && before.is_none_or(|before| before < it.min_severity)
            })
        });
        self.launch_all(tx, report, matching).await
    }

    /// Starts what is meant for incidents of others. The devices are not ours: nothing is known of how critical they are.
    async fn arrived(&self, tx: &mut Tx, report: &IncidentReport) -> Result<(), PlaybooksError> {
        let mut matching = triggers::on(tx.sql(), "incidents.received").await?;
        matching.retain(|kept| kept.trigger.received().is_some_and(|it| it.matches(report)));
        self.launch_all(tx, report, matching).await
    }

    async fn launch_all(
        &self,
        tx: &mut Tx,
        report: &IncidentReport,
        matching: Vec<Kept>,
    ) -> Result<(), PlaybooksError> {
        if matching.is_empty() {
            return Ok(());
        }
        let criticality = self.engine.criticality(report).await?;
        for mut kept in furthest(matching) {
            let cause = Launch {
                report: Some(report),
                given: Values::new(),
                tlp: None,
                criticality: Some(criticality),
                why: String::new(),
                start_key: format!("{}/{}", kept.playbook, report.incident.id),
            };
            launch(tx, &self.engine, &mut kept, cause).await?;
            triggers::put(tx.sql(), &kept).await?;
        }
        Ok(())
    }
}
