//! `/soarca/keymanagement…`: refused. Keys are no business of this interface: they are put into the
//! node by its owner and never come out again.

use axum::extract::OriginalUri;
use axum::http::{StatusCode, Uri};
use platform::http::Problem;

use super::Refusal;

fn refused(uri: &Uri) -> Refusal {
    let text = "keys are not managed over this interface";
    let problem = Problem::new(StatusCode::FORBIDDEN, "not-offered", text)
        .remedy("The node's owner keeps them on the node itself.");
    Refusal::of(uri, problem)
}

/// Refused: keys are not listed.
#[utoipa::path(get, path = "/soarca/keymanagement", tag = "soarca",
    responses((status = 403, body = Refusal)))]
pub(crate) async fn list(OriginalUri(uri): OriginalUri) -> Refusal {
    refused(&uri)
}

/// Refused: keys are not taken.
#[utoipa::path(put, path = "/soarca/keymanagement/{name}", tag = "soarca",
    params(("name" = String, Path, description = "Any")),
    responses((status = 403, body = Refusal)))]
pub(crate) async fn add(OriginalUri(uri): OriginalUri) -> Refusal {
    refused(&uri)
}

/// Refused: keys are not changed.
#[utoipa::path(patch, path = "/soarca/keymanagement/{name}", tag = "soarca",
    params(("name" = String, Path, description = "Any")),
    responses((status = 403, body = Refusal)))]
pub(crate) async fn change(OriginalUri(uri): OriginalUri) -> Refusal {
    refused(&uri)
}

/// Refused: keys are not removed.
#[utoipa::path(delete, path = "/soarca/keymanagement/{name}", tag = "soarca",
    params(("name" = String, Path, description = "Any")),
    responses((status = 403, body = Refusal)))]
pub(crate) async fn remove(OriginalUri(uri): OriginalUri) -> Refusal {
    refused(&uri)
}
