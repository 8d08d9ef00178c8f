//! `POST /api/v1/feeds/{id}/load`: bytes brought by hand.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Problem};

use super::{Asker, FeedView, finished};
use crate::error::FeedError;
use crate::room::Feedhub;

/// Reads the body as the feed; gzip and zip are unpacked.
#[utoipa::path(post, path = "/api/v1/feeds/{id}/load", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")),
    request_body(content = String, content_type = "application/octet-stream"), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem),
    (status = 413, description = "Too large", body = Problem),
    (status = 422, description = "It is not this feed, or breaks off", body = Problem)))]
pub(crate) async fn load(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<FeedView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let feed = asker.feed(&room, &name).await?;
    let most = room.config().max_bytes;
    let body = axum::body::to_bytes(request.into_body(), most).await.map_err(|_| {
        let text = format!("the feed is larger than {most} bytes; nothing was read");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
            .remedy("Send it in parts, or raise feedhub.max_bytes.")
    })?;
    let (own, id) = (room.clone(), feed.id.clone());
    let loaded = finished(async move { own.load(&feed, &body).await }).await;
    loaded.map_err(|error| match error {
        // The caller brought the bytes: nobody else is to blame for them.
        FeedError::Source(text) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-this-feed", text)
                .remedy("Look into the file: is it whole, and in the feed's format?")
        }
        other => other.into(),
    })?;
    Ok(Json(asker.view(room.feed(&id).await?)))
}
