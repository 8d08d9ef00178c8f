//! `GET /api/v1/intel/lookup?value=…`: what is known of an address, a domain, a URL.

use ::intel::Sight;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::intel::look_up;
use crate::room::Cti;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct LookupQuery {
    /// The value, e.g. `198.51.100.3`.
    value: String,
}

/// What is known. "Unknown" is an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelLookupAnswer {
    /// The value in its usual form.
    value: String,
    /// Does a source know it?
    known: bool,
    /// One sentence.
    summary: String,
    /// Who says so.
    sources: Vec<IntelLookupSource>,
}

/// One source's word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelLookupSource {
    /// The source.
    name: String,
    /// Strength in the source's own scale.
    score: Option<f64>,
    /// The STIX object behind it.
    object: Option<String>,
}

/// Looks a value up among what the caller may see.
#[utoipa::path(get, path = "/api/v1/intel/lookup", tag = "cti", params(LookupQuery), responses(
    (status = 200, description = "What is known", body = IntelLookupAnswer),
    (status = 422, description = "No such value", body = Problem)))]
pub(crate) async fn lookup(
    State(cti): State<Cti>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<LookupQuery>,
) -> Result<Json<IntelLookupAnswer>, Problem> {
    let answer = look_up(&cti, &query.value, Sight::of(&gate, &caller)).await?;
    let sources = answer.sources.into_iter();
    Ok(Json(IntelLookupAnswer {
        value: answer.value,
        known: answer.known,
        summary: answer.summary,
        sources: sources
            .map(|s| IntelLookupSource { name: s.name, score: s.score, object: s.object })
            .collect(),
    }))
}
