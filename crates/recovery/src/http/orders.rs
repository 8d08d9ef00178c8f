//! `GET /api/v1/recovery/orders`.

use axum::extract::{Query, State};
use platform::http::{Json, Page, PageQuery, Problem};

use super::OrderView;
use crate::Recovery;
use crate::store::{self, OrderRow};

/// Orders to checkpoint agents, the newest first.
#[utoipa::path(get, path = "/api/v1/recovery/orders", tag = "recovery", params(PageQuery),
    responses((status = 200, body = Page<OrderView>), (status = 400, body = Problem)))]
pub(crate) async fn orders(
    State(room): State<Recovery>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let limit = query.limit();
    let before = query.after()?.map(|text| place(&text)).transpose()?;
    let mut sql = room.platform.db.read().await?;
    let rows = store::orders(&mut sql, before, i64::from(limit) + 1).await?;
    let page = Page::from_surplus(rows, limit, |row: &OrderRow| {
        format!("{} {}", row.asked_at.as_micros(), row.key)
    });
    let items = page.items.into_iter().map(OrderView::from).collect();
    Ok(Json(Page { items, next: page.next, total: page.total }))
}

fn place(text: &str) -> Result<(i64, String), Problem> {
    let parts = text.split_once(' ').and_then(|(at, key)| Some((at.parse().ok()?, key.to_owned())));
    parts.ok_or_else(|| Problem::bad_request("the cursor is not one of this list"))
}
