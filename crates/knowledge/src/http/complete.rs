//! `GET /api/v1/intel/complete`: ways to go on with a query.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use intel::search;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct CompleteQuery {
    /// The query so far; empty when absent.
    #[serde(default)]
    q: String,
    /// Characters before the cursor; the end when absent.
    cursor: Option<usize>,
}

/// One way to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelSuggestion {
    /// Replaces the characters from `from` to the cursor.
    text: String,
    /// What it means.
    hint: String,
    /// Characters before the place where it goes.
    from: usize,
}

/// Offers fields and values for the query language.
#[utoipa::path(get, path = "/api/v1/intel/complete", tag = "knowledge", params(CompleteQuery), responses(
    (status = 200, description = "Suggestions", body = Vec<IntelSuggestion>)))]
pub(crate) async fn complete(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<CompleteQuery>,
) -> Result<Json<Vec<IntelSuggestion>>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let mut sql = room.platform().db.read().await?;
    let cursor = query.cursor.unwrap_or(usize::MAX);
    let types = if search::completes_type(&query.q, cursor) {
        intel::objects::counts(&mut sql, sight).await?.into_iter().map(|(kind, _)| kind).collect()
    } else {
        vec![]
    };
    // A source is named to those who may see what it says when it marks nothing.
    let sources: Vec<String> = intel::sources::all(&mut sql)
        .await?
        .into_iter()
        .filter(|stored| sight.sees(intel::rank(stored.source.tlp)))
        .map(|stored| stored.source.name)
        .collect();
    let suggestions = search::complete(&query.q, cursor, &types, &sources);
    let shown = suggestions.into_iter().map(|suggestion| IntelSuggestion {
        text: suggestion.text,
        hint: suggestion.hint,
        from: suggestion.from,
    });
    Ok(Json(shown.collect()))
}
