//! A question that waits for people, as it stands now.

use model::{IncidentReport, PlaybookId, ProposalId, RunId, Timestamp, Tlp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Approvals, Kind};
use crate::PlaybooksError;
use crate::automation::proposals::{ProposalState, Voice};
use crate::cacao::variables::bare;
use crate::run::StepState;
use crate::store::{playbooks, proposals, runs, steps};

/// Values of a proposal that a question repeats; the console shows all.
const MAX_GIVEN_TOLD: usize = 20;
/// Characters repeated of one.
const MAX_VALUE_CHARS: usize = 200;

/// A question that waits for people.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) kind: Kind,
    /// The proposal's id, or `RUN/POSITION`.
    pub(crate) about: String,
    /// Another version is another question: the playbook was changed, or the step asks its next command.
    pub(crate) version: String,
    /// In words, for the log: "starting 'X'".
    pub(crate) what: String,
    /// What is asked.
    pub(crate) title: String,
    /// One sentence each.
    pub(crate) why: Vec<String>,
    pub(crate) playbook: PlaybookId,
    pub(crate) report: Option<IncidentReport>,
    /// The label that binds who may see it.
    pub(crate) tlp: Option<Tlp>,
    pub(crate) expires_at: Timestamp,
    pub(crate) persons: u32,
    pub(crate) voices: Vec<Voice>,
    /// Variables that the step gives back.
    pub(crate) values: Vec<String>,
    /// Its place in the console.
    pub(crate) place: String,
}

impl Question {
    /// Whether anything in it is TLP:RED, of others or our own.
    pub(crate) fn red(&self) -> bool {
        self.tlp == Some(Tlp::Red)
            || self.report.as_ref().is_some_and(|it| it.incident.tlp == Tlp::Red)
    }
}

/// The version of a playbook that a yes is said to.
pub(crate) fn version_of(body: &str) -> String {
    hex::encode(Sha256::digest(body)).chars().take(32).collect()
}

/// `RUN/POSITION`.
pub(crate) fn about_step(run: RunId, position: i64) -> String {
    format!("{run}/{position}")
}

/// The version of a step that waits.
pub(crate) fn version_of_step(row: &steps::StepRow) -> String {
    format!("{}.{}", row.command, row.attempts)
}

impl Approvals {
    /// The question, while it waits; `None` once it was answered or is over.
    ///
    /// # Errors
    /// The database or the room of incidents said no.
    pub(crate) async fn question(
        &self,
        kind: Kind,
        about: &str,
    ) -> Result<Option<Question>, PlaybooksError> {
        match kind {
            Kind::Proposal => self.proposal(about).await,
            Kind::Step => self.step(about).await,
            Kind::Delegation => Ok(None),
        }
    }

    async fn proposal(&self, about: &str) -> Result<Option<Question>, PlaybooksError> {
        let Ok(id) = about.parse::<ProposalId>() else { return Ok(None) };
        let (it, stored) = {
            let mut sql = self.platform().db.read().await?;
            let Some(it) = proposals::one(&mut sql, id).await? else { return Ok(None) };
            let stored = playbooks::one(&mut sql, it.playbook).await?;
            (it, stored)
        };
        let Some(stored) = stored else { return Ok(None) };
        if it.state != ProposalState::Open || it.expires_at <= self.platform().now() {
            return Ok(None);
        }
        let report = match it.incident {
            Some(incident) => self.incidents.report(incident).await?,
            None => None,
        };
        let mut why = vec![format!("It {}.", it.trigger)];
        why.extend(
            it.reasons.iter().map(|reason| format!("It did not start by itself: {reason}.")),
        );
        why.extend(it.given.iter().take(MAX_GIVEN_TOLD).map(|(name, value)| {
            let value: String = value.chars().take(MAX_VALUE_CHARS).collect();
            format!("It is given {} = {value}", bare(name))
        }));
        Ok(Some(Question {
            kind: Kind::Proposal,
            about: about.to_owned(),
            version: version_of(&stored.body),
            what: format!("starting '{}'", it.name),
            title: format!("Shall the playbook '{}' start?", it.name),
            why,
            playbook: it.playbook,
            tlp: it.tlp.max(report.as_ref().and_then(|report| report.incident.bound())),
            report,
            expires_at: it.expires_at,
            persons: it.persons,
            voices: it.voices,
            values: vec![],
            place: it.incident.map_or("/playbooks".into(), |id| format!("/incidents/{id}")),
        }))
    }

    async fn step(&self, about: &str) -> Result<Option<Question>, PlaybooksError> {
        let parts = about.split_once('/');
        let parsed =
            parts.and_then(|(run, at)| Some((run.parse::<RunId>().ok()?, at.parse().ok()?)));
        let Some((id, position)): Option<(RunId, i64)> = parsed else { return Ok(None) };
        let (run, row, book) = {
            let mut sql = self.platform().db.read().await?;
            let Some(run) = runs::one(&mut sql, id).await? else { return Ok(None) };
            let rows = steps::open(&mut sql, id).await?;
            let fits =
                |row: &steps::StepRow| row.position == position && row.state == StepState::Waiting;
            let Some(row) = rows.into_iter().find(|row| fits(row)) else { return Ok(None) };
            let book = self.engine.book(&mut sql, &run).await?;
            (run, row, book)
        };
        if !run.state.is_open() || run.rehearsal {
            return Ok(None);
        }
        let step = book
            .playbook(row.playbook.as_deref())
            .and_then(|playbook| playbook.workflow.get(&row.step));
        let values = step.map(|step| step.out_args.iter().map(|it| bare(it).to_owned()).collect());
        let report = match run.incident {
            Some(incident) => self.incidents.report(incident).await?,
            None => None,
        };
        let told = row.arguments.as_ref().and_then(|it| it.get("instruction"));
        let told = told.and_then(Value::as_str).unwrap_or_default();
        let mut why = vec![format!("The playbook '{}' {}.", run.name, run.trigger)];
        if !told.is_empty() {
            why.push(told.to_owned());
        }
        let now = self.platform().now();
        let ends = row.deadline_at.or(run.deadline_at);
        if ends.is_some_and(|ends| ends <= now) {
            return Ok(None);
        }
        Ok(Some(Question {
            kind: Kind::Step,
            about: about.to_owned(),
            version: version_of_step(&row),
            what: format!("step '{}' of '{}'", row.name, run.name),
            title: format!("'{}' asks you: {}", run.name, row.name),
            why,
            playbook: run.playbook,
            tlp: run.tlp,
            report,
            expires_at: ends.unwrap_or_else(|| now.plus_secs(86_400)),
            persons: 1,
            voices: vec![],
            values: values.unwrap_or_default(),
            place: format!("/runs/{}", run.id),
        }))
    }
}
