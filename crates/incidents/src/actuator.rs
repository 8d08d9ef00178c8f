//! The actuator `incidents` of playbooks: takes notice of the incident that a run answers, notes what was found, moves it.
//!
//! Only the run's own incident: who may see it decides who sees the run, and a playbook must not reach beyond.

use async_trait::async_trait;
use model::{IncidentId, IncidentState, Outcome};
use platform::db::Tx;
use ports::{Actuator, ActuatorCommand, PortError};
use serde_json::{Value, json};

use crate::error::{IncidentsError, MAX_TEXT_CHARS};
use crate::{Incidents, desk, store};

/// What is asked.
enum Want {
    Acknowledge { text: String },
    Note { text: String },
    Move { to: IncidentState, reason: String },
}

#[async_trait]
impl Actuator for Incidents {
    fn name(&self) -> &'static str {
        "incidents"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "acknowledge",
                "takes notice of the run's incident; the sender of a received one is answered (text)",
            ),
            ("note", "adds a note to the run's incident (text)"),
            ("move", "moves the run's incident to another state (state, reason)"),
        ]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let want = want(command)?;
        let incident = command.incident.ok_or_else(|| {
            PortError::Invalid("the run answers no incident: start it for one".into())
        })?;
        let source = format!("run:{}", command.key);
        let actor = format!("playbook run {}", command.run);
        let done: Result<String, IncidentsError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move { carry_out(tx, incident, want, &source, &actor).await })
            })
            .await;
        match done {
            Ok(summary) => Ok(Outcome::Done { summary, data: json!({ "incident": incident }) }),
            Err(IncidentsError::Db(error)) => Err(PortError::Internal(error.to_string())),
            Err(error) => Ok(Outcome::Failed { reason: error.to_string(), retry: false }),
        }
    }
}

fn want(command: &ActuatorCommand) -> Result<Want, PortError> {
    let text = |name: &'static str| {
        let given = command.arguments.get(name).and_then(Value::as_str).map(str::trim);
        let length = given.unwrap_or_default().chars().count();
        given.filter(|_| (1..=MAX_TEXT_CHARS).contains(&length)).map(str::to_owned).ok_or_else(
            || PortError::Invalid(IncidentsError::Text { field: name, length }.to_string()),
        )
    };
    Ok(match command.verb.as_str() {
        "acknowledge" => Want::Acknowledge { text: text("text")? },
        "note" => Want::Note { text: text("text")? },
        "move" => {
            let word = text("state")?;
            let to = IncidentState::from_word(&word).ok_or_else(|| {
                let known: Vec<&str> =
                    IncidentState::ALL.into_iter().map(IncidentState::word).collect();
                PortError::Invalid(format!("state must be one of {}", known.join(", ")))
            })?;
            Want::Move { to, reason: text("reason")? }
        }
        other => {
            return Err(PortError::Invalid(format!(
                "the actuator incidents has no verb '{other}'; it knows acknowledge, note and move"
            )));
        }
    })
}

/// Once for each key: a line of the history bears it.
async fn carry_out(
    tx: &mut Tx,
    id: IncidentId,
    want: Want,
    source: &str,
    actor: &str,
) -> Result<String, IncidentsError> {
    let incident = desk::existing(tx, id).await?;
    if store::has_line(tx.sql(), id, source).await? {
        return Ok("done before under the same key".into());
    }
    match want {
        Want::Acknowledge { text } => match &incident.acknowledged_by {
            Some(by) => Ok(format!("{by} has acknowledged it already")),
            None => {
                desk::acknowledge(tx, incident, &text, actor).await?;
                Ok("acknowledged".into())
            }
        },
        Want::Note { text } => {
            desk::note(tx, incident, &text, actor, Some(source)).await?;
            Ok("noted".into())
        }
        Want::Move { to, .. } if incident.state == to => Ok(format!("it is {} already", to.word())),
        Want::Move { to, reason } => {
            desk::move_to(tx, incident, to, &reason, actor, Some(source)).await?;
            Ok(format!("now {}", to.word()))
        }
    }
}
