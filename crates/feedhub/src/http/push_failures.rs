//! `GET /api/v1/pushes/{id}/failures`: what the other side did not take.

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

/// Something the other side did not take.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PushFailure {
    /// STIX id, or the UUID of an event.
    id: String,
    /// Its version; absent for what has none.
    #[schema(value_type = Option<String>, format = DateTime)]
    version: Option<Timestamp>,
    /// Why, in the other side's words.
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
    let mut sql = room.platform().db.read().await?;
    let found = pushes::unsent(&mut sql, &push.id, "failed", MAX_SHOWN).await?;
    let shown = found.into_iter().map(|one| PushFailure {
        id: one.id,
        version: (one.version_us != 0).then(|| Timestamp::from_micros(one.version_us)),
        reason: one.reason.unwrap_or_default(),
    });
    Ok(Json(Page::whole(shown.collect())))
}
