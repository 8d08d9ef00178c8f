//! `POST /taxii2/sereno/collections/{id}/objects/`: takes an envelope (§5.5). The answer comes after
//! the commit, so its status is `complete`.

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use platform::http::Caller;

use super::TaxiiError;
use super::intake::{self, Delivery};
use super::media::{Accepts, check_content_type, taxii};
use super::rights::{self, Need};
use super::status::Status;
use crate::room::Cti;

/// Takes the objects of an envelope; those that are not valid STIX 2.1 are refused one by one.
#[utoipa::path(post, path = "/taxii2/{root}/collections/{id}/objects/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection")),
    request_body(content = Object, content_type = "application/taxii+json;version=2.1",
        description = "TAXII envelope: {\"objects\": [STIX objects]}"),
    responses((status = 202, description = "Stored", body = Status,
        content_type = "application/taxii+json;version=2.1"),
    (status = 400, body = TaxiiError), (status = 401, body = TaxiiError),
    (status = 403, body = TaxiiError), (status = 404, body = TaxiiError),
    (status = 413, body = TaxiiError), (status = 415, body = TaxiiError),
    (status = 422, body = TaxiiError)))]
pub(crate) async fn add_objects(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path((root, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, TaxiiError> {
    let (collection, _) = rights::open(&cti, &caller, &root, &id, Need::Write).await?;
    check_content_type(request.headers())?;
    let limit = rights::root(&cti, &caller, &root).await?.max_content_length;
    let headers = request.headers().clone();
    if said_length(&headers).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let body = to_bytes(request.into_body(), limit).await.map_err(|_| too_large(limit))?;
    let delivery = Delivery {
        collection,
        caller,
        signature: header(&headers, intake::SIGNATURE_HEADER),
        body,
        limit,
    };
    let status = intake::take(&cti, delivery).await?;
    Ok(taxii(StatusCode::ACCEPTED, &status))
}

fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn too_large(limit: usize) -> TaxiiError {
    let text = format!(
        "the envelope is larger than max_content_length, {limit} bytes; nothing was stored; \
         send the objects in smaller envelopes"
    );
    TaxiiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
}
