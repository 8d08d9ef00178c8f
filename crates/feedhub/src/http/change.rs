//! `PATCH` and `DELETE /api/v1/feeds/{id}`: pause, go on, remove.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Asker, FeedView, finished};
use crate::error::FeedError;
use crate::room::Feedhub;
use crate::store;

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedChange {
    /// Whether it is fetched.
    paused: bool,
}

/// Pauses a feed or lets it go on.
#[utoipa::path(patch, path = "/api/v1/feeds/{id}", tag = "feeds", request_body = FeedChange,
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<FeedChange>,
) -> Result<Json<FeedView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let id = asker.feed(&room, &name).await?.id;
    let wanted = id.clone();
    let done: Result<bool, FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move { Ok(store::pause(tx.sql(), &wanted, change.paused).await?) })
        })
        .await;
    done?;
    Ok(Json(asker.view(room.feed(&id).await?)))
}

/// Removes a feed with all that it said; a run of it is waited for.
#[utoipa::path(delete, path = "/api/v1/feeds/{id}", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such feed", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let feed = Asker::new(&gate, &caller).feed(&room, &name).await?;
    finished(async move { room.remove(&feed).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
