//! `GET /api/v1/pushes/{id}/failures`: what the other side did not take; `…/withheld`: what may not go to it.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::Asker;
use crate::room::Feedhub;
use crate::store::pushes;

/// Failures shown.
const MAX_SHOWN: i64 = 1_000;

/// Something the other side did not take, or that may not go to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PushFailure {
    /// STIX id, or the UUID of an event.
    id: String,
    /// Its version; absent for what has none.
    #[schema(value_type = Option<String>, format = DateTime)]
    version: Option<Timestamp>,
    /// Why: in the other side's words, or in those of the sharing policies.
    reason: String,
}

/// The newest thousand that the other side refused.
#[utoipa::path(get, path = "/api/v1/pushes/{id}/failures", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "What was refused", body = Page<PushFailure>),
    (status = 404, description = "No such push", body = Problem)))]
pub(crate) async fn failures(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Page<PushFailure>>, Problem> {
    let push = Asker::new(&gate, &caller).push(&room, &name).await?;
    Ok(Json(listed(&room, &push.id, "failed").await?))
}

/// The newest thousand that the sharing policies keep back.
#[utoipa::path(get, path = "/api/v1/pushes/{id}/withheld", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "What may not go", body = Page<PushFailure>),
    (status = 404, description = "No such push", body = Problem)))]
pub(crate) async fn withheld(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Page<PushFailure>>, Problem> {
    let push = Asker::new(&gate, &caller).push(&room, &name).await?;
    Ok(Json(listed(&room, &push.id, "withheld").await?))
}

async fn listed(
    room: &Feedhub,
    push: &str,
    state: &'static str,
) -> Result<Page<PushFailure>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let found = pushes::unsent(&mut sql, push, state, MAX_SHOWN).await?;
    let shown = found.into_iter().map(|one| PushFailure {
        id: one.id,
        version: (one.version_us != 0).then(|| Timestamp::from_micros(one.version_us)),
        reason: one.reason.unwrap_or_default(),
    });
    Ok(Page::whole(shown.collect()))
}
