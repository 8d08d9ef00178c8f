//! `GET /api/v1/secrets`: which credentials there are; never their values.

use axum::extract::State;
use model::Timestamp;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::secrets::{SecretRow, list};
use crate::{Playbooks, PlaybooksError};

/// A credential without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretView {
    /// The name playbooks use.
    name: String,
    /// Hosts it may be used with.
    hosts: Vec<String>,
    /// Who set it.
    set_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    set_at: Timestamp,
}

impl From<SecretRow> for SecretView {
    fn from(it: SecretRow) -> Self {
        Self { name: it.name, hosts: it.hosts, set_by: it.set_by, set_at: it.set_at }
    }
}

/// All credentials, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretList {
    /// At most 500.
    items: Vec<SecretView>,
}

/// Which credentials there are; their values are never given out.
#[utoipa::path(get, path = "/api/v1/secrets", tag = "playbooks",
    responses((status = 200, body = SecretList)))]
pub(crate) async fn secrets(State(room): State<Playbooks>) -> Result<Json<SecretList>, Problem> {
    let mut connection = room.platform().db.read().await?;
    let rows = list(&mut connection).await.map_err(PlaybooksError::from)?;
    Ok(Json(SecretList { items: rows.into_iter().map(SecretView::from).collect() }))
}
