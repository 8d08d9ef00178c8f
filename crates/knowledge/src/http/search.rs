//! `GET /api/v1/intel/objects`: search.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use intel::objects::Stored;
use intel::search::{self, Wanted};
use intel::standing;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{IntelItem, Names, time};
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct SearchQuery {
    /// What is looked for, in the query language: words, `type:indicator`, `tlp<=green`, `value:198.51.100.7` …
    q: Option<String>,
    /// As known on this time; words are those of the newest versions.
    at: Option<String>,
    /// Objects on the page, at most 500.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
    /// Count all, by type.
    count: Option<bool>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelFound {
    /// The objects, the last learned first.
    items: Vec<IntelItem>,
    /// Cursor of the next page.
    next: Option<String>,
    /// How many there are by type, where asked for.
    by_type: Vec<TypeCount>,
    /// How many there are, where asked for.
    total: Option<i64>,
    /// There are more than `total`: counting stopped there.
    more_than_total: bool,
}

/// How many of one type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TypeCount {
    /// STIX type.
    #[serde(rename = "type")]
    kind: String,
    /// How many.
    count: i64,
}

/// The query as text, read.
pub(crate) fn read(text: Option<&str>, now_us: i64) -> Result<search::Query, Problem> {
    search::parse(text.unwrap_or_default(), now_us).map_err(|error| {
        Problem::bad_request(format!("the query cannot be read {error}"))
            .remedy("Fields are offered while you type; quotes make any text a phrase.")
    })
}

/// Searches what is known, as far as the caller may see.
#[utoipa::path(get, path = "/api/v1/intel/objects", tag = "knowledge", params(SearchQuery), responses(
    (status = 200, description = "What was found", body = IntelFound),
    (status = 400, description = "The query cannot be read", body = Problem)))]
pub(crate) async fn search(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<IntelFound>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let parsed = read(query.q.as_deref(), room.platform().now().as_micros())?;
    let before_seq = match &query.cursor {
        Some(cursor) => Some(place(&platform::http::decode_cursor(cursor)?)?),
        None => None,
    };
    let wanted = Wanted {
        query: &parsed,
        sight,
        at_us: time("at", query.at.as_deref())?,
        before_seq,
        limit: i64::from(query.limit.unwrap_or(50).clamp(1, 500)),
        count: query.count.unwrap_or(false),
    };
    let _turn = room.turn().await;
    let mut sql = room.platform().db.read().await?;
    let found = search::run(&mut sql, &wanted).await?;
    let names = Names::read(&mut sql).await?;
    let total = wanted
        .count
        .then(|| found.by_type.iter().map(|(_, held)| held).sum::<i64>().min(search::MAX_COUNT));
    let indicators: Vec<i64> = match wanted.at_us {
        Some(_) => vec![],
        None => {
            found.hits.iter().filter(|hit| hit.kind == "indicator").map(|hit| hit.node).collect()
        }
    };
    let now_us = room.platform().now().as_micros();
    let stand = standing::of_objects(&mut sql, &indicators, sight, now_us).await?;
    let shown = |hit: &Stored| IntelItem::new(hit, &names).standing(stand.get(&hit.node));
    Ok(Json(IntelFound {
        items: found.hits.iter().map(shown).collect(),
        next: found.next_seq.map(|seq| platform::http::encode_cursor(&seq.to_string())),
        by_type: found.by_type.into_iter().map(|(kind, count)| TypeCount { kind, count }).collect(),
        total,
        more_than_total: found.more_than_counted,
    }))
}

/// The row inside a cursor.
pub(crate) fn place(key: &str) -> Result<i64, Problem> {
    key.parse().map_err(|_| {
        Problem::bad_request("the cursor was not made by this list")
            .remedy("Use `next` of the page before, unchanged.")
    })
}
