//! `GET /api/v1/webhooks`.

use axum::extract::State;
use axum::{Extension, Json};
use intel::Sight;
use platform::http::{Caller, Gate, Page, Problem};

use super::WebhookView;
use crate::room::Webhooks;
use crate::store;

/// The webhooks and how they are.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses(
    (status = 200, description = "Webhooks by name", body = Page<WebhookView>)))]
pub(crate) async fn list(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
) -> Result<Json<Page<WebhookView>>, Problem> {
    let sight = Sight::of(&gate, &caller);
    let mut sql = room.platform().db.read().await?;
    let hooks = store::all(&mut sql).await?;
    drop(sql);
    let mut items = Vec::with_capacity(hooks.len());
    for hook in hooks.into_iter().filter(|hook| sight.sees(hook.new.tlp)) {
        items.push(WebhookView::of(&room, hook).await?);
    }
    Ok(Json(Page::whole(items)))
}
