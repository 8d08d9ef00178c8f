//! `POST /api/v1/feeds`: a new feed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use platform::http::{Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::FeedView;
use crate::error::FeedError;
use crate::format::Format;
use crate::room::Feedhub;
use crate::secret::Auth;
use crate::store::NewFeed;

/// What the feed shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedRequest {
    /// Name.
    name: String,
    /// Where it is fetched; absent: loaded by hand.
    url: Option<String>,
    /// How it is read.
    format: Format,
    /// How the server wants to know who asks; not at all when absent.
    #[serde(default)]
    auth: Auth,
    /// Password, token or key. It is never shown again.
    #[schema(write_only)]
    secret: Option<String>,
    /// How often it is fetched; 60 when absent.
    every_minutes: Option<i64>,
    /// TLP of what it says; `clear` when absent.
    tlp: Option<String>,
    /// Its terms of use.
    #[serde(default)]
    licence: String,
    /// Whether each run lists everything it knows; true when absent.
    whole: Option<bool>,
}

/// Adds a feed; it is fetched at once.
#[utoipa::path(post, path = "/api/v1/feeds", tag = "feeds", request_body = FeedRequest, responses(
    (status = 201, description = "The feed", body = FeedView),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Feedhub>,
    Body(request): Body<FeedRequest>,
) -> Result<(StatusCode, Json<FeedView>), Problem> {
    let tlp = request.tlp.as_deref().unwrap_or("clear");
    let tlp = stix::Tlp::from_label(tlp).ok_or_else(|| {
        FeedError::Invalid("tlp is none of clear, green, amber, amber+strict, red".into())
    })?;
    let new = NewFeed {
        name: request.name,
        url: request.url,
        format: request.format,
        auth: request.auth,
        every_minutes: request.every_minutes.unwrap_or(60),
        tlp,
        licence: request.licence,
        whole: request.whole.unwrap_or(true),
    };
    Ok((StatusCode::CREATED, Json(room.add(new, request.secret.as_deref()).await?.into())))
}
