//! `GET /api/v1/incidents`.

use axum::extract::{Query, State};
use lists::{Query as Asked, Test};
use platform::http::{Beyond, Caller, Json, Problem};
use platform::lists::{ListPage, ListQuery, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::IncidentView;
use crate::Incidents;
use crate::listing::{self, LIST};

/// Which incidents, besides the query.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct StateQuery {
    /// `open`, `closed` or `all` (default); the same as `is:` in the query.
    state: Option<String>,
}

/// An incident in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentRow {
    #[serde(flatten)]
    incident: IncidentView,
    /// Who deals with it.
    owner: Option<String>,
    /// Its tags.
    tags: Vec<String>,
}

impl From<listing::Row> for IncidentRow {
    fn from((incident, owner, tags): listing::Row) -> Self {
        Self { incident: IncidentView(incident), owner, tags }
    }
}

/// The condition of the old parameter.
fn of_state(said: Option<&str>) -> Result<Option<&'static str>, Problem> {
    match said {
        None | Some("all") => Ok(None),
        Some("open") => Ok(Some("l.open = 1")),
        Some("closed") => Ok(Some("l.open = 0")),
        Some(other) => Err(Problem::bad_request(format!(
            "state '{}' is not a choice",
            other.chars().take(40).collect::<String>()
        ))
        .remedy("Use open, closed or all.")),
    }
}

/// Incidents, newest first or as sorted; those of others only as far as the caller sees.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(StateQuery, ListQuery),
    responses((status = 200, body = ListPage<IncidentRow>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Query(state): Query<StateQuery>,
    Query(query): Query<ListQuery>,
) -> Result<Json<ListPage<IncidentRow>>, Problem> {
    let now_us = room.platform.now().as_micros();
    let mut asked = listing::read(query.q.as_deref(), now_us, &caller.name)?;
    if let Some(flag) = of_state(state.state.as_deref())? {
        asked = with(asked, flag);
    }
    let (sort, down) = query.order(&LIST)?;
    let place = query.place(sort, down)?;
    let limit = query.limit();
    let sight = listing::sight(&beyond);
    let mut connection = room.platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, &asked).await?;
    let wanted = Wanted { list: &LIST, query: &asked, sight: &sight, known: &known, sort, down };
    let after = place.as_ref().map(|(key, seq)| (key.as_str(), *seq));
    let mut hits =
        platform::lists::page(&mut connection, &wanted, after, i64::from(limit) + 1).await?;
    let next = ListPage::<IncidentRow>::next(&hits, limit, sort, down);
    hits.truncate(limit as usize);
    let items = listing::rows(&mut connection, &hits).await?;
    let (total, more_than_total) = if query.count == Some(true) {
        let (total, more) = platform::lists::count(&mut connection, &wanted).await?;
        (Some(total), more)
    } else {
        (None, false)
    };
    let items = items.into_iter().map(IncidentRow::from).collect();
    Ok(Json(ListPage { items, next, total, more_than_total }))
}

/// The query, and a condition of the list's own besides.
fn with(query: Asked, flag: &'static str) -> Asked {
    let own = Asked::Term(lists::Term {
        at: lists::Place(1),
        name: "is",
        compare: lists::Compare::Is,
        given: vec![],
        test: Test::Flags(vec![flag]),
    });
    match query {
        Asked::All => own,
        Asked::And(mut all) => {
            all.push(own);
            Asked::And(all)
        }
        other => Asked::And(vec![other, own]),
    }
}
