//! `POST /api/v1/intel/extract`: what a report names, as a list to review. Nothing is stored.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use feeds::extract::{Found, LIMITS, Suggestion, extract as look};
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ontology;
use crate::room::Knowledge;

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Extracted {
    /// Candidates by their first place.
    candidates: Vec<ExtractedItem>,
    /// Finds beyond the limit, which are not listed.
    untold: usize,
}

/// Something found in a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExtractedItem {
    /// Kind of value, or `technique`, `group`, `software` …
    kind: String,
    /// In its normal form.
    value: String,
    /// As it is spelt at its first place.
    spelling: String,
    /// How often it stands there.
    count: usize,
    /// `accept` or `doubt`.
    suggestion: String,
    /// Reasons to look twice.
    doubts: Vec<String>,
    /// The sentence around its first place.
    context: String,
    /// A STIX pattern for it, where it is a value.
    pattern: Option<String>,
}

/// Looks through a report (text, Markdown or HTML) for values and techniques.
#[utoipa::path(post, path = "/api/v1/intel/extract", tag = "knowledge",
    request_body(content = String, content_type = "text/plain"), responses(
    (status = 200, description = "The list to review", body = Extracted),
    (status = 400, description = "Not UTF-8", body = Problem),
    (status = 413, description = "Too large", body = Problem)))]
pub(crate) async fn extract(
    State(room): State<Knowledge>,
    request: Request,
) -> Result<Json<Extracted>, Problem> {
    let most = LIMITS.max_bytes;
    let too_large = || {
        let text = format!("the report is larger than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text).remedy("Send it in parts.")
    };
    let body = axum::body::to_bytes(request.into_body(), most).await.map_err(|_| too_large())?;
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::bad_request("the report is not UTF-8").remedy("Convert it first."))?;
    let ontology = ontology::current(&room).await?;
    let found = tokio::task::spawn_blocking(move || {
        let review = look(&text, ontology.names.as_ref(), LIMITS).ok()?;
        let items = review.candidates.iter().map(|one| item(&review, one)).collect();
        Some(Extracted { candidates: items, untold: review.untold })
    });
    found.await.map_err(Problem::internal)?.map(Json).ok_or_else(too_large)
}

fn item(review: &feeds::extract::Review<'_>, one: &feeds::extract::Candidate) -> ExtractedItem {
    let (kind, value, pattern) = match &one.found {
        Found::Observable(found) => {
            (found.kind().name().to_owned(), found.value().to_owned(), found.pattern())
        }
        Found::Knowledge { kind, id } => (words(kind), id.clone(), None),
    };
    ExtractedItem {
        kind,
        value,
        spelling: one.spelling.clone(),
        count: one.count,
        suggestion: match one.suggestion() {
            Suggestion::Accept => "accept".into(),
            Suggestion::Doubt => "doubt".into(),
        },
        doubts: one.doubts.iter().map(words).collect(),
        context: one
            .places
            .first()
            .map(|place| review.context(place).to_owned())
            .unwrap_or_default(),
        pattern,
    }
}

/// A word of the crate as JSON writes it.
fn words<T: Serialize>(word: &T) -> String {
    serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
