//! `POST /api/v1/feeds/{id}/run`: fetch it now.

use axum::Json;
use axum::extract::{Path, State};
use platform::http::Problem;

use super::FeedView;
use crate::room::Feedhub;

/// Fetches a feed now; the answer comes when it is read.
#[utoipa::path(post, path = "/api/v1/feeds/{id}/run", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem),
    (status = 502, description = "It cannot be fetched or read", body = Problem)))]
pub(crate) async fn run(
    State(room): State<Feedhub>,
    Path(name): Path<String>,
) -> Result<Json<FeedView>, Problem> {
    let feed = room.feed(&name).await?;
    room.fetch(&feed).await?;
    Ok(Json(room.feed(&feed.id).await?.into()))
}
