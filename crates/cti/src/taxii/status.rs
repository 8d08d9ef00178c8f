//! `GET /taxii2/sereno/status/{id}/`: what became of an envelope (§4.3).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::media::{Accepts, taxii};
use super::{TaxiiError, rights};
use crate::room::Cti;
use crate::store::statuses;

/// What became of one object (§4.3.1).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TaxiiStatusDetail)]
pub(crate) struct StatusDetail {
    /// Id of the object.
    pub(crate) id: String,
    /// Its version.
    pub(crate) version: String,
    /// Why it failed, or what to know of the success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// A status resource (§4.3.1).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TaxiiStatus)]
pub(crate) struct Status {
    /// UUID.
    pub(crate) id: String,
    /// `complete`: nothing is pending here, the objects are on disk.
    pub(crate) status: String,
    /// When the envelope came.
    pub(crate) request_timestamp: String,
    /// Objects in the envelope.
    pub(crate) total_count: usize,
    /// Objects stored, or known before.
    pub(crate) success_count: usize,
    /// The successes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) successes: Vec<StatusDetail>,
    /// Objects refused.
    pub(crate) failure_count: usize,
    /// The refusals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<StatusDetail>,
    /// Objects not yet judged: none.
    pub(crate) pending_count: usize,
    /// The recipient's signed word that it holds the envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) x_sereno_receipt: Option<crate::receipt::Receipt>,
}

/// A status resource, for the caller whose envelope it is about and for administrators.
#[utoipa::path(get, path = "/taxii2/{root}/status/{id}/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID of the status")),
    responses((status = 200, description = "Status", body = Status,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 404, body = TaxiiError)))]
pub(crate) async fn status(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path((root, id)): Path<(String, String)>,
) -> Result<Response, TaxiiError> {
    rights::root(&cti, &caller, &root).await?;
    let mut sql = cti.platform().db.read().await?;
    let found = statuses::get(&mut sql, &id).await?;
    let administrator = caller.roles.iter().any(|role| role == "administrator");
    match found {
        Some((owner, body)) if administrator || owner == caller.id => {
            Ok(taxii(StatusCode::OK, &body))
        }
        _ => Err(TaxiiError::not_found("the status")),
    }
}
