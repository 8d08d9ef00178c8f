//! `PATCH` and `DELETE /api/v1/pushes/{id}`: pause, go on, change, remove.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::push_add::highest;
use super::push_view::PushView;
use super::{Asker, finished};
use crate::error::FeedError;
use crate::push::check_pause;
use crate::room::Feedhub;
use crate::store::pushes;

/// What changes; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushChange {
    /// Whether nothing goes out.
    paused: Option<bool>,
    /// The organisation that it goes to, by name or id. The push begins again: all is judged for this one.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// Another password, token or key for the same scheme. It is never shown again.
    #[schema(write_only)]
    secret: Option<String>,
    /// The highest label that leaves from now on; what was passed over before stays where it is.
    highest: Option<String>,
    /// How often.
    every_minutes: Option<i64>,
}

/// Pauses a push, lets it go on, gives it another secret, label, pause, or organisation to go to.
#[utoipa::path(patch, path = "/api/v1/pushes/{id}", tag = "feeds", request_body = PushChange,
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The push", body = PushView),
    (status = 404, description = "No such push", body = Problem),
    (status = 422, description = "It has no use for this secret, or cannot be so", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<PushChange>,
) -> Result<Json<PushView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let mut push = asker.push(&room, &name).await?;
    // A run of it notes how far it came: the place is not to be moved under it.
    let _one = match &change.organisation {
        Some(_) => Some(room.turn().await),
        None => None,
    };
    if let Some(text) = &change.highest {
        push.new.highest = highest(&asker, text)?;
    }
    if let Some(minutes) = change.every_minutes {
        check_pause(minutes)?;
        push.new.every_minutes = minutes;
    }
    if let Some(secret) = &change.secret {
        room.renew(&push.id, &push.new.auth, secret)?;
    }
    let recipient = match &change.organisation {
        Some(name) => Some(room.recipient(Some(name)).await?),
        None => None,
    };
    let recipient = recipient.filter(|other| *other != push.new.recipient);
    let (id, paused) = (push.id, change.paused.unwrap_or(push.paused));
    let (wanted, new) = (id.clone(), push.new);
    let done: Result<(), FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                if let Some(recipient) = recipient {
                    pushes::address(tx.sql(), &wanted, recipient, now_us).await?;
                }
                Ok(pushes::change(tx.sql(), &wanted, paused, &new, now_us).await?)
            })
        })
        .await;
    done?;
    room.wake();
    Ok(Json(asker.push_view(&room, room.push(&id).await?).await?))
}

/// Removes a push; what the other side has stays there. A run of it is waited for.
#[utoipa::path(delete, path = "/api/v1/pushes/{id}", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such push", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let push = Asker::new(&gate, &caller).push(&room, &name).await?;
    finished(async move { room.remove_push(&push).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
