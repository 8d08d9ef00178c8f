//! `/soarca/playbook/…`: stored playbooks.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use bytes::Bytes;
use platform::http::Problem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{LIST_LIMIT, Refusal, json, refuse};
use crate::http::store::keep;
use crate::store::playbooks::{Stored, by_cacao_id, list as stored_list, remove as stored_remove};
use crate::{Playbooks, PlaybooksError};

/// What is to be known of a playbook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaPlaybookMeta)]
pub(crate) struct Meta {
    id: String,
    name: String,
    description: String,
    valid_from: String,
    valid_until: String,
    labels: Vec<String>,
}

async fn all(room: &Playbooks) -> Result<Vec<Value>, PlaybooksError> {
    let mut connection = room.platform().db.read().await?;
    let stored = stored_list(&mut connection, None, LIST_LIMIT).await?;
    Ok(stored.iter().filter_map(|it| serde_json::from_str(&it.body).ok()).collect())
}

/// Stored playbooks, the first 100.
#[utoipa::path(get, path = "/soarca/playbook/", tag = "soarca",
    responses((status = 200, body = Vec<Object>), (status = 403, body = Refusal)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Vec<Value>>, Refusal> {
    all(&room).await.map(Json).map_err(refuse(&uri))
}

/// The same without the slash.
#[utoipa::path(get, path = "/soarca/playbook", tag = "soarca",
    responses((status = 200, body = Vec<Object>), (status = 403, body = Refusal)))]
pub(crate) async fn list_plain(
    state: State<Playbooks>,
    uri: OriginalUri,
) -> Result<Json<Vec<Value>>, Refusal> {
    list(state, uri).await
}

/// What is to be known of the stored playbooks.
#[utoipa::path(get, path = "/soarca/playbook/meta", tag = "soarca",
    responses((status = 200, body = Vec<Meta>), (status = 403, body = Refusal)))]
pub(crate) async fn meta(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Vec<Meta>>, Refusal> {
    let found = all(&room).await.map_err(refuse(&uri))?;
    let text = |it: &Value, name: &str| {
        it.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let labels = |it: &Value| {
        let labels = it.get("labels").and_then(Value::as_array);
        labels.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let metas = found.iter().map(|it| Meta {
        id: text(it, "id"),
        name: text(it, "name"),
        description: text(it, "description"),
        valid_from: text(it, "valid_from"),
        valid_until: text(it, "valid_until"),
        labels: labels(it),
    });
    Ok(Json(metas.collect()))
}

/// The stored playbook with a CACAO id.
pub(super) async fn find(
    room: &Playbooks,
    uri: &axum::http::Uri,
    id: &str,
) -> Result<Stored, Refusal> {
    let found = async {
        let mut connection = room.platform().db.read().await?;
        Ok::<_, PlaybooksError>(by_cacao_id(&mut connection, id).await?)
    };
    let found = found.await.map_err(refuse(uri))?;
    found.ok_or_else(|| Refusal::not_found(uri, &format!("playbook {id}")))
}

fn body(uri: &axum::http::Uri, stored: &Stored) -> Result<Json<Value>, Refusal> {
    let value = serde_json::from_str(&stored.body);
    value.map(Json).map_err(|cause| Refusal::of(uri, Problem::internal(cause)))
}

/// One playbook.
#[utoipa::path(get, path = "/soarca/playbook/{id}", tag = "soarca",
    params(("id" = String, Path, description = "Its CACAO id")),
    responses((status = 200, body = Object), (status = 404, body = Refusal)))]
pub(crate) async fn one(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    body(&uri, &find(&room, &uri, &id).await?)
}

/// Stores what was sent; the same id and `modified` with other content is refused.
pub(super) async fn take(
    room: &Playbooks,
    uri: &axum::http::Uri,
    bytes: Bytes,
) -> Result<Stored, Refusal> {
    let sent = json(uri, &bytes)?;
    let (stored, _, _) = keep(room, bytes).await.map_err(|problem| Refusal::of(uri, problem))?;
    let kept: Option<Value> = serde_json::from_str(&stored.body).ok();
    if kept.as_ref() != Some(&sent) {
        let text = "another playbook with the same id and `modified` is stored here";
        return Err(Refusal::of(
            uri,
            Problem::conflict(text).remedy("Send it with a later `modified`."),
        ));
    }
    Ok(stored)
}

/// Stores a playbook.
#[utoipa::path(post, path = "/soarca/playbook/", tag = "soarca", request_body = Object,
    responses((status = 200, body = Object), (status = 422, body = Refusal)))]
pub(crate) async fn add(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    body(&uri, &take(&room, &uri, bytes).await?)
}

/// The same without the slash.
#[utoipa::path(post, path = "/soarca/playbook", tag = "soarca", request_body = Object,
    responses((status = 200, body = Object), (status = 422, body = Refusal)))]
pub(crate) async fn add_plain(
    state: State<Playbooks>,
    uri: OriginalUri,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    add(state, uri, bytes).await
}

/// Stores a newer version of a playbook.
#[utoipa::path(put, path = "/soarca/playbook/{id}", tag = "soarca", request_body = Object,
    params(("id" = String, Path, description = "Its CACAO id")),
    responses((status = 200, body = Object), (status = 404, body = Refusal)))]
pub(crate) async fn change(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    find(&room, &uri, &id).await?;
    let sent = json(&uri, &bytes)?;
    if sent.get("id").and_then(Value::as_str) != Some(id.as_str()) {
        let text = "the playbook sent has another id than the path";
        return Err(Refusal::of(&uri, Problem::bad_request(text)));
    }
    body(&uri, &take(&room, &uri, bytes).await?)
}

/// Forgets a playbook; its runs keep what they execute.
#[utoipa::path(delete, path = "/soarca/playbook/{id}", tag = "soarca",
    params(("id" = String, Path, description = "Its CACAO id")),
    responses((status = 200), (status = 404, body = Refusal)))]
pub(crate) async fn remove(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
) -> Result<(), Refusal> {
    let wanted = id.clone();
    let removed: Result<bool, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| Box::pin(async move { Ok(stored_remove(tx.sql(), &wanted).await?) }))
        .await;
    if removed.map_err(refuse(&uri))? {
        return Ok(());
    }
    Err(Refusal::not_found(&uri, &format!("playbook {id}")))
}
