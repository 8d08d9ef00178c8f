//! `PATCH` and `DELETE /api/v1/webhooks/{id}`, `POST …/test`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookView, seen};
use crate::room::Webhooks;

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChange {
    /// Whether it is told for now; what becomes known meanwhile waits.
    paused: bool,
}

/// How a test went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookTested {
    /// Whether the receiver took the message.
    taken: bool,
    /// Why not.
    error: Option<String>,
}

/// Pauses a webhook or lets it go on where it was.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name")), request_body = WebhookChange, responses(
    (status = 200, description = "The webhook", body = WebhookView),
    (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<WebhookChange>,
) -> Result<Json<WebhookView>, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    let id = hook.id.clone();
    room.pause(hook, change.paused, caller.name).await?;
    let hook = room.hook(&id).await?;
    Ok(Json(WebhookView::of(&room, hook).await?))
}

/// Removes a webhook with all that waits for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 204, description = "It is gone"),
    (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    room.remove(hook, caller.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells a webhook a test message now, past what waits.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "How it went", body = WebhookTested),
    (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn test(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookTested>, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    let error = room.test(&hook).await.err();
    Ok(Json(WebhookTested { taken: error.is_none(), error }))
}
