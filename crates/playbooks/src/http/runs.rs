//! `GET /api/v1/runs`: runs, newest first.

use axum::extract::{Query, State};
use model::IncidentId;
use platform::http::{Beyond, Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{RunView, position};
use crate::run::RunState;
use crate::store::runs::Which;
use crate::{Playbooks, store};

/// Which runs.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct RunsQuery {
    /// Only runs that answer this incident.
    incident: Option<String>,
    /// Only runs in this state: `running`, `waiting`, `paused`, `succeeded`, `failed`, `cancelled`.
    state: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "playbooks", params(RunsQuery),
    responses((status = 200, body = Page<RunView>), (status = 400, body = Problem)))]
pub(crate) async fn runs(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Query(query): Query<RunsQuery>,
) -> Result<Json<Page<RunView>>, Problem> {
    let incident: Option<IncidentId> = query
        .incident
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .transpose()
        .map_err(|_| Problem::bad_request("incident must be the id of an incident"))?;
    let word = query.state.as_deref().filter(|word| !word.is_empty());
    let state = match word {
        None => None,
        Some(word) => Some(RunState::from_word(word).ok_or_else(|| {
            Problem::bad_request(format!("state '{}' is not a choice", word.escape_default()))
                .remedy("Use running, waiting, paused, succeeded, failed or cancelled.")
        })?),
    };
    let which = Which { incident, state, beyond: beyond.0 };
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let before = paging.after()?.map(|key| position(&key)).transpose()?;
    let mut connection = room.platform().db.read().await?;
    let found = store::runs::list(&mut connection, &which, before, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(RunView::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &RunView| {
        format!("{} {}", it.started_at.as_micros(), it.id)
    })))
}
