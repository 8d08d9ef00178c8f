//! What people and facts may do to an incident. Everything runs in the caller's transaction.

use model::event::{IncidentAcknowledged, IncidentChanged};
use model::{Incident, IncidentId, IncidentState, TimelineItem};
use platform::db::Tx;
use platform::http::Beyond;

use crate::error::IncidentsError;
use crate::{milestones, store};

/// A line that came into being now, at this node.
pub(crate) fn line(tx: &Tx, kind: &str, text: impl Into<String>, actor: &str) -> TimelineItem {
    TimelineItem {
        kind: kind.into(),
        text: text.into(),
        actor: actor.into(),
        link: None,
        event_at: None,
        recorded_at: tx.now(),
    }
}

/// The incident, or the error that says it is not here.
pub(crate) async fn existing(tx: &mut Tx, id: IncidentId) -> Result<Incident, IncidentsError> {
    store::find(tx.sql(), id).await?.ok_or_else(|| IncidentsError::NotFound(id.to_string()))
}

/// The incident, when it is here and its label is not beyond the reader's sight; otherwise it is not here.
pub(crate) async fn in_sight(
    tx: &mut Tx,
    id: IncidentId,
    beyond: &Beyond,
) -> Result<Incident, IncidentsError> {
    let incident = existing(tx, id).await?;
    if beyond.hides(incident.bound()) {
        return Err(IncidentsError::NotFound(id.to_string()));
    }
    Ok(incident)
}

/// What a line of the history comes from: the key of a command, which is written once, or nothing else.
fn source(tx: &Tx, kind: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => key.to_owned(),
        None => format!("{kind}:{}", tx.mint::<model::EventId>()),
    }
}

/// Moves an incident to another state, with the reason. `key`: of the command that asks, where one does.
///
/// # Errors
/// No such arrow, or the database said no.
pub(crate) async fn move_to(
    tx: &mut Tx,
    mut incident: Incident,
    to: IncidentState,
    reason: &str,
    actor: &str,
    key: Option<&str>,
) -> Result<Incident, IncidentsError> {
    let from = incident.state;
    if !from.may_become(to) {
        return Err(IncidentsError::NoSuchStep { from, to });
    }
    incident.state = to;
    incident.updated_at = tx.now();
    store::update(tx.sql(), &incident).await?;
    if to == IncidentState::Contained {
        milestones::note(tx.sql(), incident.id, milestones::CONTAINED, incident.updated_at).await?;
    }
    let change = format!("{} → {}: {reason}", from.word(), to.word());
    let source = source(tx, "state", key);
    let item = line(tx, "state", change.clone(), actor);
    store::add_line(tx.sql(), incident.id, &source, &item).await?;
    let changed = IncidentChanged { incident: incident.clone(), change };
    tx.publish(actor, &changed).await?;
    Ok(incident)
}

/// Adds a note. `key`: of the command that asks, where one does.
///
/// # Errors
/// Not found, or the database said no.
pub(crate) async fn note(
    tx: &mut Tx,
    mut incident: Incident,
    text: &str,
    actor: &str,
    key: Option<&str>,
) -> Result<Incident, IncidentsError> {
    incident.updated_at = tx.now();
    store::update(tx.sql(), &incident).await?;
    let source = source(tx, "note", key);
    let item = line(tx, "note", text, actor);
    store::add_line(tx.sql(), incident.id, &source, &item).await?;
    let changed = IncidentChanged { incident: incident.clone(), change: "a note was added".into() };
    tx.publish(actor, &changed).await?;
    Ok(incident)
}

/// A person takes notice: of an own incident for everybody here, of a received one for its sender too.
///
/// # Errors
/// Somebody was faster, not found, or the database said no.
pub(crate) async fn acknowledge(
    tx: &mut Tx,
    mut incident: Incident,
    text: &str,
    actor: &str,
) -> Result<Incident, IncidentsError> {
    if let Some(by) = incident.acknowledged_by {
        return Err(IncidentsError::AlreadyAcknowledged(by));
    }
    incident.acknowledged_by = Some(actor.to_owned());
    incident.updated_at = tx.now();
    store::update(tx.sql(), &incident).await?;
    let item = line(tx, "acknowledged", format!("Acknowledged: {text}"), actor);
    store::add_line(tx.sql(), incident.id, "acknowledged", &item).await?;
    if incident.received_share.is_some() {
        let answer = IncidentAcknowledged {
            incident: incident.id,
            origin: incident.origin,
            by: actor.to_owned(),
            text: text.to_owned(),
            at: tx.now(),
            tlp: incident.bound(),
        };
        tx.publish(actor, &answer).await?;
    }
    let changed = IncidentChanged { incident: incident.clone(), change: "acknowledged".into() };
    tx.publish(actor, &changed).await?;
    Ok(incident)
}
