//! `POST /api/v1/feeds/{id}/load`: bytes brought by hand.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use platform::http::Problem;

use super::FeedView;
use crate::room::Feedhub;

/// Reads the body as the feed; gzip and zip are unpacked.
#[utoipa::path(post, path = "/api/v1/feeds/{id}/load", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")),
    request_body(content = String, content_type = "application/octet-stream"), responses(
    (status = 200, description = "The feed", body = FeedView),
    (status = 404, description = "No such feed", body = Problem),
    (status = 413, description = "Too large", body = Problem),
    (status = 502, description = "It broke off", body = Problem)))]
pub(crate) async fn load(
    State(room): State<Feedhub>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<FeedView>, Problem> {
    let feed = room.feed(&name).await?;
    let most = room.config().max_bytes;
    let body = axum::body::to_bytes(request.into_body(), most).await.map_err(|_| {
        let text = format!("the feed is larger than {most} bytes; nothing was read");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
            .remedy("Send it in parts, or raise feedhub.max_bytes.")
    })?;
    room.load(&feed, &body).await?;
    Ok(Json(room.feed(&feed.id).await?.into()))
}
