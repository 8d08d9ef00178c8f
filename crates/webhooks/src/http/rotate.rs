//! `POST /api/v1/webhooks/{id}/rotate`: another secret, which is shown this once.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::add::WebhookMade;
use super::{WebhookView, seen};
use crate::room::Webhooks;

/// How long both sign when nothing is said, seconds (a day).
const OVERLAP_S: i64 = 86_400;

/// How.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookRotation {
    /// For so long messages carry a signature by the old secret too, 0 to 2592000; a day when absent.
    overlap_seconds: Option<i64>,
}

/// Gives a webhook another secret. Until the overlap is over its messages carry both signatures, so that the receiver can be
/// changed meanwhile. One that was still overlapping signs no longer.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", tag = "webhooks",
    params(("id" = String, Path, description = "Id or name")), request_body = WebhookRotation, responses(
    (status = 200, description = "The webhook and its new secret", body = WebhookMade),
    (status = 404, description = "There is none", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn rotate(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Body(rotation): Body<WebhookRotation>,
) -> Result<Json<WebhookMade>, Problem> {
    let hook = seen(&room, &gate, &caller, &id).await?;
    let id = hook.id.clone();
    let overlap_s = rotation.overlap_seconds.unwrap_or(OVERLAP_S);
    let secret = room.rotate(hook, overlap_s, caller.name).await?;
    let webhook = WebhookView::of(&room, room.hook(&id).await?).await?;
    Ok(Json(WebhookMade { webhook, secret }))
}
