//! `GET /api/v1/feeds`: the feeds and how they are.

use axum::extract::State;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Page, Problem};

use super::{Asker, FeedView};
use crate::room::Feedhub;
use crate::store;

/// All feeds whose label the caller may see.
#[utoipa::path(get, path = "/api/v1/feeds", tag = "feeds", responses(
    (status = 200, description = "Feeds, by name", body = Page<FeedView>)))]
pub(crate) async fn list(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
) -> Result<Json<Page<FeedView>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let feeds = store::all(&mut sql).await?;
    let asker = Asker::new(&gate, &caller);
    let shown = feeds.into_iter().filter(|feed| asker.sees(feed)).map(|feed| asker.view(feed));
    Ok(Json(Page::whole(shown.collect())))
}
