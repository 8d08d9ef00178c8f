//! `POST …/triggers/{trigger}/rotate`, `POST …/revoke`: the secret of a webhook.

use axum::extract::{Path, State};
use platform::http::{Beyond, Caller, Json, Problem};

use super::triggers::{TriggerMade, find, ids, made_with_secret, tell};
use crate::store::playbooks::one;
use crate::store::triggers::{self, Kept};
use crate::triggers::Trigger;
use crate::{Playbooks, PlaybooksError};

/// Gives a webhook a new secret, shown this once; the old one opens nothing any more.
#[utoipa::path(post, path = "/api/v1/playbooks/{id}/triggers/{trigger}/rotate", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id"),
        ("trigger" = String, Path, description = "The trigger's id")),
    responses((status = 200, body = TriggerMade), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn rotate(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path((playbook, trigger)): Path<(String, String)>,
) -> Result<Json<TriggerMade>, Problem> {
    let salt = room.platform().uuid4().to_string();
    let kept = change(&room, caller.name, (&playbook, &trigger), Some(salt)).await?;
    Ok(Json(made_with_secret(&room, kept, &beyond)))
}

/// Closes a webhook until it gets a new secret.
#[utoipa::path(post, path = "/api/v1/playbooks/{id}/triggers/{trigger}/revoke", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id"),
        ("trigger" = String, Path, description = "The trigger's id")),
    responses((status = 200, body = TriggerMade), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn revoke(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path((playbook, trigger)): Path<(String, String)>,
) -> Result<Json<TriggerMade>, Problem> {
    let kept = change(&room, caller.name, (&playbook, &trigger), None).await?;
    Ok(Json(made_with_secret(&room, kept, &beyond)))
}

async fn change(
    room: &Playbooks,
    by: String,
    (playbook, trigger): (&str, &str),
    salt: Option<String>,
) -> Result<Kept, Problem> {
    let (id, trigger) = ids(playbook, trigger)?;
    let done: Result<Kept, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let stored = one(tx.sql(), id).await?.ok_or(PlaybooksError::NoPlaybook(id))?;
                let mut kept = find(&stored, trigger)?;
                if !matches!(kept.trigger, Trigger::Webhook(_)) {
                    let line = "only a trigger on a webhook has a secret".to_owned();
                    return Err(PlaybooksError::Trigger(vec![line]));
                }
                let verb = if salt.is_some() { "has a new secret" } else { "was revoked" };
                kept.salt = salt;
                triggers::put(tx.sql(), &kept).await?;
                tell(tx, &by, format!("the webhook {} of '{}' {verb}", kept.id, stored.name))
                    .await?;
                Ok(kept)
            })
        })
        .await;
    Ok(done?)
}
