//! `GET /api/v1/shares/{id}`: one share with its history and its bundle.

use axum::Json;
use axum::extract::{Path, State};
use model::{ShareId, Timestamp};
use platform::http::Problem;
use serde::Serialize;
use serde_json::Value;
use stix::{Bundle, Object, StixId};
use utoipa::ToSchema;

use super::shares::ShareItem;
use crate::room::Cti;
use crate::store::shares as store;

/// One line of a share's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareHistoryItem {
    /// When.
    #[schema(value_type = String)]
    at: Timestamp,
    /// What.
    text: String,
}

/// A share in full.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareInFull {
    /// The share.
    #[serde(flatten)]
    share: ShareItem,
    /// Its history, oldest first.
    history: Vec<ShareHistoryItem>,
    /// What travelled, as a STIX 2.1 bundle; absent when the policy said no.
    #[schema(value_type = Option<Object>)]
    bundle: Option<Value>,
}

/// One share.
#[utoipa::path(get, path = "/api/v1/shares/{id}", tag = "cti",
    params(("id" = String, Path, description = "The share")), responses(
    (status = 200, description = "The share", body = ShareInFull),
    (status = 404, description = "No such share", body = Problem)))]
pub(crate) async fn share(
    State(cti): State<Cti>,
    Path(id): Path<String>,
) -> Result<Json<ShareInFull>, Problem> {
    let missing = || Problem::not_found(format!("share {id}"));
    let share_id: ShareId = id.parse().map_err(|_| missing())?;
    let mut sql = cti.platform().db.read().await?;
    let share = store::get(&mut sql, share_id).await?.ok_or_else(missing)?;
    let history = store::history(&mut sql, share_id).await?;
    let bundle = bundle(share_id, &share.envelope);
    Ok(Json(ShareInFull {
        share: share.into(),
        history: history.into_iter().map(|(at, text)| ShareHistoryItem { at, text }).collect(),
        bundle,
    }))
}

/// The envelope's objects as a bundle: the form that people and other tools read from a file.
fn bundle(share: ShareId, envelope: &str) -> Option<Value> {
    let mut envelope: Value = serde_json::from_str(envelope).ok()?;
    let Value::Array(items) = envelope.get_mut("objects")?.take() else { return None };
    let objects = items.into_iter().filter_map(Object::from_value).collect();
    let id = StixId::derived("bundle", crate::NAMESPACE, &share.to_string());
    Some(Bundle::new(&id, objects).to_value())
}
