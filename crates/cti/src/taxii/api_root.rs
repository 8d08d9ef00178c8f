//! `GET /taxii2/sereno/`: the API root (§4.2).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::TaxiiError;
use super::media::{Accepts, MEDIA_TYPE, taxii};
use crate::room::Cti;

/// What the API root takes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiApiRoot)]
pub(crate) struct ApiRoot {
    /// Title.
    title: String,
    /// Description.
    description: String,
    /// Media types spoken.
    versions: Vec<String>,
    /// Largest request body, bytes.
    max_content_length: usize,
}

/// The API root.
#[utoipa::path(get, path = "/taxii2/sereno/", tag = "taxii", responses(
    (status = 200, description = "API root", body = ApiRoot,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 406, body = TaxiiError)))]
pub(crate) async fn api_root(_: Accepts, State(cti): State<Cti>) -> Response {
    let body = ApiRoot {
        title: cti.platform().node.name.clone(),
        description: "Incidents for this node, and its answers".into(),
        versions: vec![MEDIA_TYPE.into()],
        max_content_length: cti.config().max_content_length_bytes,
    };
    taxii(StatusCode::OK, &body)
}
