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

/// What changes; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedChange {
    /// Whether it is fetched no longer.
    paused: Option<bool>,
    /// Another password, token or key for the same scheme. It is never shown again.
    #[schema(write_only)]
    secret: Option<String>,
}

/// Pauses a feed, lets it go on, gives it another secret.
#[utoipa::path(patch, path = "/api/v1/feeds/{id}", tag = "feeds", request_body = FeedChange,
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem),
    (status = 422, description = "It has no use for this secret", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<FeedChange>,
) -> Result<Json<FeedView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let feed = asker.feed(&room, &name).await?;
    if let Some(secret) = &change.secret {
        room.renew(&feed.id, &feed.new.auth, secret)?;
    }
    let (id, paused) = (feed.id, change.paused.unwrap_or(feed.paused));
    let wanted = id.clone();
    let done: Result<bool, FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move { Ok(store::pause(tx.sql(), &wanted, paused).await?) })
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
