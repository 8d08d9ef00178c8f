//! `GET /api/v1/feeds/{id}/rejects`: what the last run refused.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::Asker;
use crate::room::Feedhub;
use crate::store;

/// A refused line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedReject {
    /// Line, or place in the document.
    place: String,
    /// Why.
    reason: String,
    /// How it begins.
    excerpt: String,
}

/// The first thousand lines that the last run refused.
#[utoipa::path(get, path = "/api/v1/feeds/{id}/rejects", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "Refused lines", body = Page<FeedReject>),
    (status = 404, description = "No such feed", body = Problem)))]
pub(crate) async fn rejects(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Page<FeedReject>>, Problem> {
    let feed = Asker::new(&gate, &caller).feed(&room, &name).await?;
    let mut sql = room.platform().db.read().await?;
    let found = store::rejects(&mut sql, &feed.id).await?;
    let shown = found.into_iter().map(|reject| FeedReject {
        place: reject.place,
        reason: reject.reason,
        excerpt: reject.excerpt,
    });
    Ok(Json(Page::whole(shown.collect())))
}
