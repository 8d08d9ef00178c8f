//! `GET /api/v1/incidents`: incidents, newest first.

use axum::extract::{Query, State};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::IncidentView;
use crate::store::Which;
use crate::{Incidents, IncidentsError, store};

/// Which incidents.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct IncidentsQuery {
    /// `open` (the default), `closed` or `all`.
    state: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// Incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(IncidentsQuery),
    responses((status = 200, body = Page<IncidentView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Incidents>,
    Query(query): Query<IncidentsQuery>,
) -> Result<Json<Page<IncidentView>>, Problem> {
    let which = match query.state.as_deref() {
        None | Some("open") => Which::Open,
        Some("closed") => Which::Closed,
        Some("all") => Which::All,
        Some(other) => {
            let shown: String = other.chars().take(32).collect();
            return Err(Problem::bad_request(format!("'{shown}' names no set of incidents"))
                .remedy("Use state=open, state=closed or state=all."));
        }
    };
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let before = paging.after()?.map(|key| position(&key)).transpose()?;
    let mut connection = room.platform.db.read().await.map_err(IncidentsError::from)?;
    let found = store::list(&mut connection, which, before, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(IncidentView::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &IncidentView| {
        format!("{} {}", it.recorded_at.as_micros(), it.id)
    })))
}

fn position(key: &str) -> Result<(i64, String), Problem> {
    key.split_once(' ')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| Problem::bad_request("the cursor was not made by this list"))
}
