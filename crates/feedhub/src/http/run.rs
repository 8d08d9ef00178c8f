//! `POST /api/v1/feeds/{id}/run`: fetch it now.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Problem};

use super::{Asker, FeedView, finished};
use crate::room::Feedhub;

/// Fetches a feed now; the answer comes when it is read.
#[utoipa::path(post, path = "/api/v1/feeds/{id}/run", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem),
    (status = 502, description = "It cannot be fetched or read", body = Problem)))]
pub(crate) async fn run(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<FeedView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let feed = asker.feed(&room, &name).await?;
    let (own, id) = (room.clone(), feed.id.clone());
    finished(async move { own.fetch(&feed).await }).await?;
    Ok(Json(asker.view(room.feed(&id).await?)))
}
