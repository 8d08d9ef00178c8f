//! `GET /api/v1/webhooks/{id}/dead` and `POST …/dead/{n}/resend`: what was given up, and telling it again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::seen;
use crate::error::WebhookError;
use crate::room::Webhooks;
use crate::store::{self, MAX_DEAD};

/// A message that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadDelivery {
    /// Its number within the webhook.
    n: i64,
    /// `webhook-id`.
    id: String,
    /// What it tells.
    event: String,
    /// Tries.
    attempts: i64,
    /// Why the last one failed.
    last_error: Option<String>,
    /// When it became something to tell.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
}

/// Messages that were given up, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/dead", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "Dead deliveries", body = Page<DeadDelivery>),
    (status = 404, description = "There is no such webhook", body = Problem)))]
pub(crate) async fn dead(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Page<DeadDelivery>>, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    let mut sql = room.platform().db.read().await?;
    let found = store::dead(&mut sql, &hook.id, MAX_DEAD).await?;
    let items = found.into_iter().map(|one| DeadDelivery {
        n: one.n,
        id: one.id,
        event: one.event,
        attempts: one.attempts,
        last_error: one.last_error,
        made_at: Timestamp::from_micros(one.recorded_us),
    });
    Ok(Json(Page::whole(items.collect())))
}

/// Lets a message that was given up be told again, before all that waits.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/dead/{n}/resend", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name"), ("n" = i64, Path, description = "Its number")),
    responses((status = 202, description = "It waits to be told"),
    (status = 404, description = "There is no such webhook or dead delivery", body = Problem)))]
pub(crate) async fn resend(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path((id, n)): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    let revived: Result<bool, WebhookError> = room
        .platform()
        .db
        .write(move |tx| Box::pin(async move { Ok(store::revive(tx.sql(), &hook.id, n).await?) }))
        .await;
    if !revived? {
        return Err(Problem::not_found(format!("dead delivery {n}")));
    }
    room.wake();
    Ok(StatusCode::ACCEPTED)
}
