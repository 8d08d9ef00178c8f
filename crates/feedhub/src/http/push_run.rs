//! `POST /api/v1/pushes/{id}/run`: send now.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Problem};

use super::push_view::PushView;
use super::{Asker, finished};
use crate::room::Feedhub;

/// Sends what is new now; the answer comes when the other side has answered.
#[utoipa::path(post, path = "/api/v1/pushes/{id}/run", tag = "feeds",
    params(("id" = String, Path, description = "Id or name")), responses(
    (status = 200, description = "The push", body = PushView),
    (status = 404, description = "No such push", body = Problem),
    (status = 502, description = "The other side does not answer or refuses", body = Problem)))]
pub(crate) async fn run(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<PushView>, Problem> {
    let asker = Asker::new(&gate, &caller);
    let push = asker.push(&room, &name).await?;
    let own = room.clone();
    let push = finished(async move { own.send(&push).await }).await?;
    Ok(Json(asker.push_view(&room, push).await?))
}
