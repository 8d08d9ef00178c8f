//! `GET /api/v1/incidents`.

use axum::extract::{Query, State};
use platform::http::{Beyond, Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::IncidentView;
use crate::Incidents;
use crate::store::{self, Which};

/// Which incidents.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// `open`, `closed` or `all` (default).
    state: Option<String>,
    /// Items wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// Incidents, newest first; those of others only as far as the caller sees.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(ListQuery),
    responses((status = 200, body = Page<IncidentView>)))]
pub(crate) async fn list(
    State(room): State<Incidents>,
    beyond: Beyond,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<IncidentView>>, Problem> {
    let which = match query.state.as_deref() {
        None | Some("all") => Which::All,
        Some("open") => Which::Open,
        Some("closed") => Which::Closed,
        Some(other) => {
            return Err(Problem::bad_request(format!("state '{other}' is not a choice"))
                .remedy("Use open, closed or all."));
        }
    };
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let after = match paging.after()? {
        None => None,
        Some(key) => Some(
            position(&key)
                .ok_or_else(|| Problem::bad_request("the cursor was not made by this list"))?,
        ),
    };
    let limit = paging.limit();
    let mut connection = room.platform.db.read().await?;
    let found = store::list(&mut connection, which, &beyond.0, after, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(IncidentView).collect();
    Ok(Json(Page::from_surplus(items, limit, |last: &IncidentView| {
        format!("{} {}", last.0.recorded_at.as_micros(), last.0.id)
    })))
}

fn position(key: &str) -> Option<(i64, String)> {
    let (at, id) = key.split_once(' ')?;
    Some((at.parse().ok()?, id.to_owned()))
}
