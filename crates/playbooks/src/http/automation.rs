//! `GET`, `PUT /api/v1/automation`, `POST …/stop`, `POST …/resume`: what happens by itself.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use model::event::AutomationChanged;
use platform::db::{DbError, Tx};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::automation::{Automation, MAX_TEXT_CHARS, Stopped};
use crate::store::{self, automation};
use crate::{Playbooks, PlaybooksError};

/// A policy with its ETag.
type Tagged = ([(HeaderName, String); 1], Json<Automation>);

fn tagged(policy: Automation) -> Result<Tagged, Problem> {
    let tag = tag_of(&policy)?;
    Ok(([(header::ETAG, tag)], Json(policy)))
}

/// The ETag of a policy: of what it says, so that the same policy is the same.
fn tag_of(policy: &Automation) -> Result<String, PlaybooksError> {
    let text = serde_json::to_vec(policy)
        .map_err(|cause| DbError::corrupt("playbooks_automation.body", cause))?;
    let digest: String = hex::encode(Sha256::digest(text)).chars().take(32).collect();
    Ok(format!("\"{digest}\""))
}

/// The policy of automation. Its ETag goes into `If-Match` of a change.
#[utoipa::path(get, path = "/api/v1/automation", tag = "playbooks", operation_id = "show_automation",
    responses((status = 200, body = Automation, headers(("ETag" = String, description = "For If-Match")))))]
pub(crate) async fn show(State(room): State<Playbooks>) -> Result<Tagged, Problem> {
    let mut sql = room.platform().db.read().await?;
    tagged(automation::current(&mut sql).await?)
}

/// Replaces the policy of automation; `stopped` stays as it is. With `If-Match` only the policy of that ETag is replaced;
/// without it whichever holds.
#[utoipa::path(put, path = "/api/v1/automation", tag = "playbooks", operation_id = "set_automation",
    params(("If-Match" = Option<String>, Header, description = "The ETag of the policy that was changed")),
    request_body = Automation,
    responses((status = 200, body = Automation), (status = 412, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn put(
    State(room): State<Playbooks>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<Automation>,
) -> Result<Tagged, Problem> {
    wanted.check()?;
    let expected = expected(&headers)?;
    let kept = change(&room, caller.name, "changed", move |now| {
        if let Some(expected) = expected
            && expected != tag_of(&now)?
        {
            return Err(PlaybooksError::Stale);
        }
        let detail = format!(
            "{} limits, {} lines of what is never touched, {} quiet hours, questions by mail {}",
            wanted.limits.len(),
            wanted.never.len(),
            wanted.quiet.len(),
            if wanted.mail_links.on { "on" } else { "off" }
        );
        Ok((Automation { stopped: now.stopped, ..wanted }, detail))
    });
    tagged(kept.await?)
}

/// The policy that a caller's change was made from.
fn expected(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else { return Ok(None) };
    match given.to_str().map(str::trim) {
        Ok("*") => Ok(None),
        Ok(given) if given.starts_with('"') && given.ends_with('"') && given.len() > 1 => {
            Ok(Some(given.to_owned()))
        }
        _ => Err(Problem::bad_request("If-Match: this is no ETag of the policy")
            .remedy("Send the ETag as GET /api/v1/automation gave it, quotes included.")),
    }
}

/// Why automation is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopWanted {
    /// 1 to 300 characters.
    reason: String,
}

/// The kill switch: nothing starts by itself any more, and runs that did are held. People go on as they like.
#[utoipa::path(post, path = "/api/v1/automation/stop", tag = "playbooks", request_body = StopWanted,
    responses((status = 200, body = Automation), (status = 422, body = Problem)))]
pub(crate) async fn stop(
    State(room): State<Playbooks>,
    caller: Caller,
    Json(wanted): Json<StopWanted>,
) -> Result<Json<Automation>, Problem> {
    let reason = wanted.reason.trim().to_owned();
    let length = reason.chars().count();
    if !(1..=MAX_TEXT_CHARS).contains(&length) {
        let text = format!("reason must have 1 to {MAX_TEXT_CHARS} characters, it has {length}");
        return Err(PlaybooksError::invalid(text).into());
    }
    let by = caller.name.clone();
    let at = room.platform().now();
    let kept = change(&room, caller.name, "stopped", move |now| {
        let stopped = Stopped { by, reason: reason.clone(), at };
        Ok((Automation { stopped: Some(stopped), ..now }, reason))
    })
    .await?;
    let begun = {
        let mut sql = room.platform().db.read().await?;
        store::runs::open_by_themselves(&mut sql).await?
    };
    for run in begun {
        match room.engine.pause(run).await {
            // One that ended meanwhile needs no holding.
            Ok(()) | Err(PlaybooksError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Json(kept))
}

/// Lets things happen by themselves again. Runs that were held stay so until somebody lets each go on.
#[utoipa::path(post, path = "/api/v1/automation/resume", tag = "playbooks",
    responses((status = 200, body = Automation), (status = 409, body = Problem)))]
pub(crate) async fn resume(
    State(room): State<Playbooks>,
    caller: Caller,
) -> Result<Json<Automation>, Problem> {
    let kept = change(&room, caller.name, "resumed", |now| match &now.stopped {
        None => Err(PlaybooksError::Conflict("automation is not stopped".into())),
        Some(stopped) => {
            let detail = format!("{} had stopped it: {}", stopped.by, stopped.reason);
            Ok((Automation { stopped: None, ..now }, detail))
        }
    });
    Ok(Json(kept.await?))
}

async fn change(
    room: &Playbooks,
    person: String,
    what: &'static str,
    to: impl FnOnce(Automation) -> Result<(Automation, String), PlaybooksError> + Send + 'static,
) -> Result<Automation, PlaybooksError> {
    room.platform()
        .db
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let (policy, detail) = to(automation::current(tx.sql()).await?)?;
                let now = tx.now();
                automation::put(tx.sql(), &policy, &person, now).await?;
                let fact = AutomationChanged { what: what.into(), by: person.clone(), detail };
                tx.publish(&person, &fact).await?;
                Ok(policy)
            })
        })
        .await
}
