//! Endpoints, one a file.

pub(crate) mod actuator_test;
pub(crate) mod actuators;
pub(crate) mod answer;
pub(crate) mod automation;
pub(crate) mod cancel;
pub(crate) mod delegations;
pub(crate) mod hook_secret;
pub(crate) mod hooks;
pub(crate) mod key_add;
pub(crate) mod key_remove;
pub(crate) mod key_revoke;
pub(crate) mod keys;
pub(crate) mod letters;
pub(crate) mod link;
pub(crate) mod notices;
pub(crate) mod pass_on;
pub(crate) mod pause;
pub(crate) mod playbook;
pub(crate) mod playbooks;
pub(crate) mod proposals;
pub(crate) mod responses;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod secret_remove;
pub(crate) mod secret_set;
pub(crate) mod secrets;
pub(crate) mod settle;
pub(crate) mod soarca;
pub(crate) mod start;
pub(crate) mod store;
pub(crate) mod triggers;
pub(crate) mod undo;
pub(crate) mod validate;

use model::{IncidentId, IncidentReport, PlaybookId, RunId, Timestamp};
use platform::http::{Beyond, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::run::RunState;
use crate::store::playbooks::Stored;
use crate::store::runs::Run;
use crate::{Playbooks, PlaybooksError};

/// A stored playbook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlaybookView {
    /// Its id here.
    #[schema(value_type = String)]
    pub id: PlaybookId,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// When it starts by itself, in words; `null`: only people start it.
    pub trigger: Option<String>,
    /// Its CACAO id.
    pub cacao_id: String,
    /// Steps of its workflow.
    pub steps: i64,
}

impl From<Stored> for PlaybookView {
    fn from(it: Stored) -> Self {
        Self {
            id: it.id,
            trigger: words(&it),
            name: it.name,
            description: it.description,
            cacao_id: it.cacao_id,
            steps: it.steps,
        }
    }
}

fn words(it: &Stored) -> Option<String> {
    let words: Vec<String> = it.triggers.iter().map(|kept| kept.trigger.words()).collect();
    (!words.is_empty()).then(|| words.join("; or "))
}

/// A run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RunId,
    /// The playbook.
    #[schema(value_type = String)]
    pub playbook: PlaybookId,
    /// The playbook's name.
    pub name: String,
    /// Where it stands.
    pub state: RunState,
    /// The incident it answers.
    #[schema(value_type = Option<String>)]
    pub incident: Option<IncidentId>,
    /// Why it started, or who started it.
    pub trigger: String,
    /// A rehearsal: nothing outside was touched.
    pub rehearsal: bool,
    /// The run that this one tries again.
    #[schema(value_type = Option<String>)]
    pub retry_of: Option<RunId>,
    /// What is to be known of its end, e.g. "1 step not enforced here".
    pub note: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

impl From<Run> for RunView {
    fn from(it: Run) -> Self {
        Self {
            id: it.id,
            playbook: it.playbook,
            name: it.name,
            state: it.state,
            incident: it.incident,
            trigger: it.trigger,
            rehearsal: it.rehearsal,
            retry_of: it.retry_of,
            note: it.note,
            started_at: it.started_at,
            ended_at: it.ended_at,
        }
    }
}

/// An id in a path; what is no id names nothing here.
pub(crate) fn id<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found(format!("{what} '{}'", text.chars().take(64).collect::<String>()))
    })
}

fn no_key(fingerprint: &str) -> Problem {
    Problem::not_found(format!("key '{}'", fingerprint.chars().take(64).collect::<String>()))
}

/// The key of a list that goes by time: `micros id`.
pub(crate) fn position(key: &str) -> Result<(i64, String), Problem> {
    key.split_once(' ')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| Problem::bad_request("the cursor was not made by this list"))
}

/// A run that is here and not beyond the caller's sight.
pub(crate) async fn run_in_sight(
    room: &Playbooks,
    beyond: &Beyond,
    id: RunId,
) -> Result<RunId, PlaybooksError> {
    let mut sql = room.platform().db.read().await?;
    let run = crate::store::runs::one(&mut sql, id).await?;
    match run.filter(|run| !beyond.hides(run.tlp)) {
        Some(run) => Ok(run.id),
        None => Err(PlaybooksError::NoRun(id)),
    }
}

/// An incident that is here and not beyond the caller's sight.
pub(crate) async fn in_sight(
    room: &Playbooks,
    beyond: &Beyond,
    id: IncidentId,
) -> Result<IncidentReport, Problem> {
    let report = room.incidents.report(id).await?;
    report
        .filter(|report| !beyond.hides(report.incident.bound()))
        .ok_or_else(|| Problem::not_found(format!("incident {id}")))
}
