//! `POST /api/v1/feeds/discover`: what a TAXII 2.1 server offers.

use axum::Json;
use axum::extract::State;
use platform::http::{Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::FeedError;
use crate::fetch;
use crate::net::Line;
use crate::room::Feedhub;
use crate::secret::Auth;
use crate::source::discover::{self, Found};

/// Which server, and who asks it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoverRequest {
    /// Discovery, an API root or a collection.
    url: String,
    /// How the server wants to know who asks.
    #[serde(default)]
    auth: Auth,
    /// Password or token; it is not kept.
    #[schema(write_only)]
    secret: Option<String>,
}

/// What the server offers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiscoverAnswer {
    /// Its collections.
    collections: Vec<Found>,
    /// What could not be read of it.
    problems: Vec<String>,
}

/// Asks a TAXII server for its API roots and collections.
#[utoipa::path(post, path = "/api/v1/feeds/discover", tag = "feeds", request_body = DiscoverRequest, responses(
    (status = 200, description = "Its collections", body = DiscoverAnswer),
    (status = 422, description = "The address or the secret cannot be", body = Problem),
    (status = 502, description = "It does not answer like a TAXII 2.1 server", body = Problem)))]
pub(crate) async fn discover(
    State(room): State<Feedhub>,
    Body(request): Body<DiscoverRequest>,
) -> Result<Json<DiscoverAnswer>, Problem> {
    let url = fetch::address(&request.url).map_err(FeedError::Invalid)?;
    request.auth.check(request.secret.as_deref())?;
    let line = Line::new(room.config(), &url, request.auth, request.secret);
    let offer = discover::offer(&line, &url).await;
    let offer = offer.map_err(|fault| FeedError::Source(fault.text))?;
    let discover::Offer { collections, problems } = offer;
    let problems = problems.into_iter().map(|problem| problem.text).collect();
    Ok(Json(DiscoverAnswer { collections, problems }))
}
