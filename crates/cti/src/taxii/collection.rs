//! `GET /taxii2/sereno/collections/{id}/`: one collection (§5.2).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;

use super::TaxiiError;
use super::collections::CollectionResource;
use super::media::{Accepts, taxii};
use super::rights::{self, Need};
use crate::room::Cti;

/// One collection.
#[utoipa::path(get, path = "/taxii2/{root}/collections/{id}/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection")), responses(
    (status = 200, description = "Collection", body = CollectionResource,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 404, body = TaxiiError)))]
pub(crate) async fn collection(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path((root, id)): Path<(String, String)>,
) -> Result<Response, TaxiiError> {
    let (collection, rights) = rights::open(&cti, &caller, &root, &id, Need::Either).await?;
    Ok(taxii(StatusCode::OK, &CollectionResource::new(collection, rights)))
}
