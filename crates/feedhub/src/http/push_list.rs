//! `GET /api/v1/pushes`: the pushes and how they are.

use axum::extract::State;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Page, Problem};

use super::Asker;
use super::push_view::PushView;
use crate::room::Feedhub;
use crate::store::pushes;

/// All pushes whose highest label the caller may see.
#[utoipa::path(get, path = "/api/v1/pushes", tag = "feeds", responses(
    (status = 200, description = "Pushes, by name", body = Page<PushView>)))]
pub(crate) async fn list(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
) -> Result<Json<Page<PushView>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all = pushes::all(&mut sql).await?;
    drop(sql);
    let asker = Asker::new(&gate, &caller);
    let mut shown = Vec::new();
    for push in all.into_iter().filter(|push| asker.sees_push(push)) {
        shown.push(asker.push_view(&room, push).await?);
    }
    Ok(Json(Page::whole(shown)))
}
