//! `GET /api/v1/search`: everything the node holds, by kind, as far as the caller may see.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use futures::future::join_all;
use platform::http::{Beyond, Caller, Gate, Json, Problem};
use ports::find::{Find, Found, MAX_FOUND, MAX_QUESTION_CHARS, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::NodeState;

/// Longest a kind may take; one that is slower is left out and named, so that typing never waits for it.
const MAX_KIND_MS: u64 = 800;
/// Things of each kind when the caller does not say.
const DEFAULT_PER_KIND: u32 = 5;

/// What is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct SearchEverything {
    /// Words, an address, the beginning of an id; at most 200 characters.
    q: Option<String>,
    /// Only this kind, e.g. `incidents`.
    kind: Option<String>,
    /// Things of each kind, 1 to 50; 5 when absent.
    limit: Option<u32>,
}

/// One thing that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundView {
    /// Its id.
    id: String,
    /// What it is called.
    title: String,
    /// What tells it from others of that name.
    detail: String,
    /// Its page in the console.
    path: String,
    /// When it was recorded.
    #[schema(value_type = Option<String>)]
    at: Option<model::Timestamp>,
}

/// What was found of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundKind {
    /// `incidents`, `findings`, `devices`, `intel`, `playbooks`, `runs` or `people`.
    kind: String,
    /// The best or newest.
    items: Vec<FoundView>,
    /// There are more.
    more: bool,
    /// It could not be looked through in time, or failed: there may be more.
    incomplete: bool,
}

/// What was found, kinds in a fixed order, those without a match left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundEverything {
    /// The question as it was understood.
    q: String,
    /// By kind.
    kinds: Vec<FoundKind>,
}

/// Looks for the same words in everything the caller may read.
#[utoipa::path(get, path = "/api/v1/search", tag = "node", params(SearchEverything),
    responses((status = 200, body = FoundEverything), (status = 400, body = Problem)))]
pub async fn search(
    State(state): State<NodeState>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    beyond: Beyond,
    Query(asked): Query<SearchEverything>,
) -> Result<Json<FoundEverything>, Problem> {
    let text = asked.q.unwrap_or_default();
    if text.chars().count() > MAX_QUESTION_CHARS {
        return Err(Problem::bad_request(format!(
            "the question is longer than {MAX_QUESTION_CHARS} characters (MAX_QUESTION_CHARS)"
        ))
        .remedy("Look for a few words of it."));
    }
    let limit = asked.limit.unwrap_or(DEFAULT_PER_KIND).clamp(1, MAX_FOUND);
    // One more than asked for tells whether there are more.
    let wanted = Wanted { limit: limit + 1, ..Wanted::new(&text, limit, beyond.0) };
    if wanted.text.is_empty() {
        return Ok(Json(FoundEverything { q: String::new(), kinds: vec![] }));
    }
    let of_kind = |finder: &&std::sync::Arc<dyn Find>| {
        asked.kind.as_deref().is_none_or(|kind| kind == finder.kind())
            && gate.check(&caller, finder.permission(), finder.permission()).is_ok()
    };
    let looking =
        state.finders.iter().filter(of_kind).map(|finder| look(finder.as_ref(), &wanted, limit));
    let kinds = join_all(looking).await;
    let kinds =
        kinds.into_iter().filter(|kind| kind.incomplete || !kind.items.is_empty()).collect();
    Ok(Json(FoundEverything { q: wanted.text, kinds }))
}

async fn look(finder: &dyn Find, wanted: &Wanted, limit: u32) -> FoundKind {
    let kind = finder.kind();
    let looked =
        tokio::time::timeout(Duration::from_millis(MAX_KIND_MS), finder.find(wanted)).await;
    let (mut found, incomplete) = match looked {
        Ok(Ok(found)) => (found, false),
        Ok(Err(cause)) => {
            tracing::warn!(kind, %cause, "search over everything");
            (vec![], true)
        }
        Err(_) => (vec![], true),
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let items = found.into_iter().map(shown).collect();
    FoundKind { kind: kind.into(), items, more, incomplete }
}

fn shown(found: Found) -> FoundView {
    let Found { id, title, detail, path, at } = found;
    FoundView { id, title, detail, path, at }
}
