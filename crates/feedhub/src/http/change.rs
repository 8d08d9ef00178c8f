//! `PATCH` and `DELETE /api/v1/feeds/{id}`: pause, go on, remove.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::FeedView;
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
    Path(name): Path<String>,
    Body(change): Body<FeedChange>,
) -> Result<Json<FeedView>, Problem> {
    let id = room.feed(&name).await?.id;
    let wanted = id.clone();
    let done: Result<bool, FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move { Ok(store::pause(tx.sql(), &wanted, change.paused).await?) })
        })
        .await;
    done?;
    Ok(Json(room.feed(&id).await?.into()))
}

/// Removes a feed with all that it said.
#[utoipa::path(delete, path = "/api/v1/feeds/{id}", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such feed", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Feedhub>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let feed = room.feed(&name).await?;
    let source = room.source(&feed).await?;
    let done: Result<(), FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                intel::values::drop_unsaid(tx.sql(), source, i64::MAX).await?;
                store::remove(tx.sql(), &feed.id).await?;
                Ok(())
            })
        })
        .await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}
