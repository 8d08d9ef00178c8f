//! `GET /api/v1/feeds`: the feeds and how they are.

use axum::Json;
use axum::extract::State;
use platform::http::{Page, Problem};

use super::FeedView;
use crate::room::Feedhub;
use crate::store;

/// All feeds.
#[utoipa::path(get, path = "/api/v1/feeds", tag = "feeds", responses(
    (status = 200, description = "Feeds, by name", body = Page<FeedView>)))]
pub(crate) async fn list(State(room): State<Feedhub>) -> Result<Json<Page<FeedView>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let feeds = store::all(&mut sql).await?;
    Ok(Json(Page::whole(feeds.into_iter().map(FeedView::from).collect())))
}
