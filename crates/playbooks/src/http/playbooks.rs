//! `GET /api/v1/playbooks`: stored playbooks.

use axum::extract::{Query, State};
use platform::http::{Json, Page, PageQuery, Problem};

use super::PlaybookView;
use crate::{Playbooks, store};

/// Stored playbooks, in the order they came.
#[utoipa::path(get, path = "/api/v1/playbooks", tag = "playbooks", params(PageQuery),
    responses((status = 200, body = Page<PlaybookView>)))]
pub(crate) async fn playbooks(
    State(room): State<Playbooks>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<PlaybookView>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let mut connection = room.platform().db.read().await?;
    let found = store::playbooks::list(&mut connection, after, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(PlaybookView::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &PlaybookView| it.id.to_string())))
}
