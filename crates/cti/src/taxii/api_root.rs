//! `GET /taxii2/sereno/`: the API root (§4.2).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::media::{Accepts, MEDIA_TYPE, taxii};
use super::{TaxiiError, rights};
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
#[utoipa::path(get, path = "/taxii2/{root}/", tag = "taxii",
    params(("root" = String, Path, description = "API root")), responses(
    (status = 200, description = "API root", body = ApiRoot,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 406, body = TaxiiError)))]
pub(crate) async fn api_root(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path(root): Path<String>,
) -> Result<Response, TaxiiError> {
    let root = rights::root(&cti, &caller, &root).await?;
    let body = ApiRoot {
        title: root.title,
        description: root.description,
        versions: vec![MEDIA_TYPE.into()],
        max_content_length: root.max_content_length,
    };
    Ok(taxii(StatusCode::OK, &body))
}
