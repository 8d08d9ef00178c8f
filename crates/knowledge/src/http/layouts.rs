//! `/api/v1/knowledge/layouts`: how a person laid out a graph. Everybody has their own and sees no other's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use platform::http::{Caller, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::KnowledgeError;
use crate::room::Knowledge;
use crate::store::layouts;

/// Layouts of one person.
const MAX_LAYOUTS: usize = 200;
/// Objects of one layout.
const MAX_OBJECTS: usize = 2_000;
/// Bytes of a name and of an id.
const MAX_NAME_BYTES: usize = 300;
/// Furthest place from the middle.
const MAX_PLACE: f64 = 1e6;

/// Where the objects of a graph stand.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GraphPositions {
    /// Object id to x and y.
    positions: BTreeMap<String, [f64; 2]>,
}

/// A layout by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GraphLayout {
    /// Its name.
    name: String,
    /// When it was kept.
    #[schema(value_type = String, format = DateTime)]
    kept_at: Timestamp,
}

/// The caller's layouts.
#[utoipa::path(get, path = "/api/v1/knowledge/layouts", tag = "knowledge", responses(
    (status = 200, description = "Layouts by name", body = Vec<GraphLayout>)))]
pub(crate) async fn list(
    State(room): State<Knowledge>,
    caller: Caller,
) -> Result<Json<Vec<GraphLayout>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let names = layouts::names(&mut sql, &caller.id).await?;
    let shown = names
        .into_iter()
        .map(|(name, at)| GraphLayout { name, kept_at: Timestamp::from_micros(at) });
    Ok(Json(shown.collect()))
}

/// One of the caller's layouts.
#[utoipa::path(get, path = "/api/v1/knowledge/layouts/{name}", tag = "knowledge",
    params(("name" = String, Path, description = "Its name, e.g. the id of the object in the middle")), responses(
    (status = 200, description = "Where the objects stand", body = GraphPositions),
    (status = 404, description = "The caller has none of this name", body = Problem)))]
pub(crate) async fn layout(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<GraphPositions>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let (positions, _) =
        layouts::get(&mut sql, &caller.id, &name).await?.ok_or_else(|| nothing(&name))?;
    let positions = serde_json::from_str(&positions).map_err(Problem::internal)?;
    Ok(Json(GraphPositions { positions }))
}

/// Keeps a layout of the caller's, in place of the one of its name; nobody else sees it.
#[utoipa::path(put, path = "/api/v1/knowledge/layouts/{name}", tag = "knowledge",
    params(("name" = String, Path, description = "Its name")), request_body = GraphPositions, responses(
    (status = 204, description = "It is kept"),
    (status = 409, description = "The caller has too many", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn keep(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(name): Path<String>,
    Body(layout): Body<GraphPositions>,
) -> Result<StatusCode, Problem> {
    let cannot = |text: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(cannot(format!("a name has 1 to {MAX_NAME_BYTES} bytes and no control signs")));
    }
    if layout.positions.len() > MAX_OBJECTS
        || layout.positions.keys().any(|id| id.len() > MAX_NAME_BYTES)
    {
        return Err(cannot(format!("a layout places at most {MAX_OBJECTS} objects")));
    }
    let far = |place: &[f64; 2]| place.iter().any(|at| !at.is_finite() || at.abs() > MAX_PLACE);
    if layout.positions.values().any(far) {
        return Err(cannot(format!("a place lies further out than {MAX_PLACE}")));
    }
    let positions = serde_json::to_string(&layout.positions).map_err(Problem::internal)?;
    let kept: Result<bool, KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let names = layouts::names(tx.sql(), &caller.id).await?;
                if names.len() >= MAX_LAYOUTS && !names.iter().any(|(known, _)| *known == name) {
                    return Ok(false);
                }
                layouts::put(tx.sql(), &caller.id, &name, &positions, now_us).await?;
                Ok(true)
            })
        })
        .await;
    if kept? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::conflict(format!("you have {MAX_LAYOUTS} layouts, the limit"))
        .remedy("Remove one that you no longer need."))
}

/// Forgets a layout of the caller's.
#[utoipa::path(delete, path = "/api/v1/knowledge/layouts/{name}", tag = "knowledge",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 204, description = "It is gone"),
    (status = 404, description = "The caller has none of this name", body = Problem)))]
pub(crate) async fn forget(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted = name.clone();
    let gone: Result<bool, KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move { Ok(layouts::remove(tx.sql(), &caller.id, &wanted).await?) })
        })
        .await;
    if gone? { Ok(StatusCode::NO_CONTENT) } else { Err(nothing(&name)) }
}

fn nothing(name: &str) -> Problem {
    let clip: String = name.chars().take(120).collect();
    Problem::not_found(format!("layout '{clip}'"))
}
