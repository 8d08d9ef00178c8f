//! `GET /api/v1/intel/lookup?value=…`: what is known of an address, a domain, a URL.

use ::intel::Sight;
use ::intel::standing::{Standing, Why};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::intel::{look_up, source_name};
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
    /// Does a source know it whose word counts now?
    known: bool,
    /// One sentence.
    summary: String,
    /// Who says so.
    sources: Vec<IntelLookupSource>,
    /// The lists of well-known values that hold it: it raises nothing whoever names it.
    excused_by: Option<String>,
}

/// One source's word and what is left of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelLookupSource {
    /// The source.
    name: String,
    /// Strength in the source's own scale.
    score: Option<f64>,
    /// The STIX object behind it.
    object: Option<String>,
    /// What it names: the value, or a network around it.
    named: String,
    /// What is left of its word, 0 to 100.
    score_now: f64,
    /// Below this it no longer counts.
    threshold: f64,
    /// `lives`, or why it does not count: `past-validity`, `ended`, `faded`, `excused`, `needs-more`.
    standing: String,
    /// What must be seen besides before it counts, as a STIX pattern says it.
    needs: Option<String>,
    /// The lists of well-known values that excuse it.
    excused_by: Option<String>,
    /// When it stops to count if nothing else is said, or stopped.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Sightings, false positives and ends that were counted.
    reports: u64,
    /// False positives that were not counted, because their source says another one of the same object.
    repeated: u64,
}

impl IntelLookupSource {
    fn new(word: &Standing) -> Self {
        let excused_by = match &word.why {
            Why::Excused(lists) => Some(lists.clone()),
            _ => None,
        };
        let needs = match &word.why {
            Why::Needs(besides) => Some(besides.clone()),
            _ => None,
        };
        Self {
            needs,
            name: source_name(word),
            score: word.known.score,
            object: word.known.object.clone(),
            named: word.named.clone(),
            score_now: word.score.value,
            threshold: word.threshold,
            standing: word.why.word().to_owned(),
            excused_by,
            until: word.until_us.map(Timestamp::from_micros),
            reports: word.reports as u64,
            repeated: word.repeated,
        }
    }
}

/// Looks a value up among what the caller may see, with the networks around it. What faded, has ended or is excused is
/// told and does not count as known; so is an indicator that needs more than the value. `HOST:PORT` asks for the host, and
/// an indicator on this host with this port counts.
#[utoipa::path(get, path = "/api/v1/intel/lookup", tag = "cti", params(LookupQuery), responses(
    (status = 200, description = "What is known", body = IntelLookupAnswer),
    (status = 422, description = "No such value", body = Problem)))]
pub(crate) async fn lookup(
    State(cti): State<Cti>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<LookupQuery>,
) -> Result<Json<IntelLookupAnswer>, Problem> {
    let found = look_up(&cti, &query.value, Sight::of(&gate, &caller)).await?;
    Ok(Json(IntelLookupAnswer {
        sources: found.words.iter().map(IntelLookupSource::new).collect(),
        value: found.value,
        known: found.known,
        summary: found.summary,
        excused_by: found.excused_by,
    }))
}
