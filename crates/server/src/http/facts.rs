//! `GET /api/v1/facts`: the history behind the live feed.

use axum::Extension;
use axum::extract::{Query, State};
use platform::db::{FactFilter, find_facts};
use platform::http::{Caller, Gate, Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::NodeState;
use super::events::{FactView, shown};

/// Which facts.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct FactsQuery {
    /// Only facts after this position.
    after: Option<i64>,
    /// Only facts before this position.
    before: Option<i64>,
    /// Only facts about this id or name.
    subject: Option<String>,
    /// Only facts of this kind, e.g. `incidents.opened`.
    kind: Option<String>,
    /// Facts wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// Facts, newest first, as far as the caller may read them.
#[utoipa::path(get, path = "/api/v1/facts", tag = "node", params(FactsQuery),
    responses((status = 200, body = Page<FactView>)))]
pub async fn facts(
    State(state): State<NodeState>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<FactsQuery>,
) -> Result<Json<Page<FactView>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let from_cursor = paging
        .after()?
        .map(|key| key.parse::<i64>())
        .transpose()
        .map_err(|_| Problem::bad_request("the cursor was not made by this list"))?;
    let filter = FactFilter {
        before: from_cursor.or(query.before),
        after: query.after,
        subject: query.subject,
        kind: query.kind,
        hidden: gate.hidden_facts(&caller),
    };
    let mut connection = state.platform.db.read().await?;
    let found = find_facts(&mut connection, &filter, i64::from(limit) + 1).await?;
    let items: Vec<FactView> = found.into_iter().map(shown).collect();
    Ok(Json(Page::from_surplus(items, limit, |fact| fact.seq.to_string())))
}
