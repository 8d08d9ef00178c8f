//! `/api/v1/views`: pages as people keep them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::ViewId;
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;
use crate::views::{Said, View};

/// A page as somebody keeps it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedView {
    /// Identity.
    #[schema(value_type = String)]
    id: ViewId,
    /// What it is called.
    name: String,
    /// The page with its query.
    path: String,
    /// Whether everybody here is offered it.
    shared: bool,
    /// Whether it is mine.
    own: bool,
    /// Who made it.
    owner: String,
    /// Its place among its owner's.
    position: i64,
}

impl SavedView {
    fn of(view: View, caller: &Caller) -> Self {
        let own = view.owner == caller.id;
        let View { id, owner_name: owner, name, path, shared, position, .. } = view;
        Self { id, name, path, shared, own, owner, position }
    }
}

/// A view to make or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedView {
    /// What it is called; a new one has a name.
    name: Option<String>,
    /// The page with its query; a new one has a path.
    path: Option<String>,
    /// Whether everybody here is offered it.
    shared: Option<bool>,
    /// Its place among mine.
    position: Option<i64>,
}

impl From<WantedView> for Said {
    fn from(wanted: WantedView) -> Self {
        let WantedView { name, path, shared, position } = wanted;
        Self { name, path, shared, position }
    }
}

fn id_of(text: &str) -> Result<ViewId, Problem> {
    text.parse().map_err(|_| Problem::not_found("this view"))
}

/// My views in my order, then what others share.
#[utoipa::path(get, path = "/api/v1/views", tag = "identity", operation_id = "list_views",
    responses((status = 200, body = Vec<SavedView>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
    caller: Caller,
) -> Result<Json<Vec<SavedView>>, Problem> {
    let views = identity.views(&caller).await?;
    Ok(Json(views.into_iter().map(|view| SavedView::of(view, &caller)).collect()))
}

/// Keeps a page under a name.
#[utoipa::path(post, path = "/api/v1/views", tag = "identity", operation_id = "add_view",
    request_body = WantedView, responses((status = 201, body = SavedView),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(identity): State<Identity>,
    caller: Caller,
    Json(wanted): Json<WantedView>,
) -> Result<(StatusCode, Json<SavedView>), Problem> {
    let view = identity.add_view(&caller, wanted.into()).await?;
    Ok((StatusCode::CREATED, Json(SavedView::of(view, &caller))))
}

/// Changes my view.
#[utoipa::path(patch, path = "/api/v1/views/{id}", tag = "identity", operation_id = "change_view",
    params(("id" = String, Path, description = "The view")), request_body = WantedView,
    responses((status = 200, body = SavedView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
    Json(wanted): Json<WantedView>,
) -> Result<Json<SavedView>, Problem> {
    let view = identity.change_view(&caller, id_of(&id)?, wanted.into()).await?;
    Ok(Json(SavedView::of(view, &caller)))
}

/// Removes my view; an administrator removes any shared one.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "identity", operation_id = "remove_view",
    params(("id" = String, Path, description = "The view")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    identity.remove_view(&caller, id_of(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
