//! `PUT /api/v1/secrets/{name}`: keeps a credential.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::Playbooks;

/// A credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretWanted {
    /// Password, token or private key; never given out again.
    value: String,
    /// Hosts it may be used with; `*` is any.
    hosts: Vec<String>,
}

/// Keeps a credential under a name, over an older one.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", tag = "playbooks",
    params(("name" = String, Path, description = "The name playbooks use")),
    request_body = SecretWanted,
    responses((status = 204), (status = 422, body = Problem)))]
pub(crate) async fn set(
    State(room): State<Playbooks>,
    Path(name): Path<String>,
    caller: Caller,
    Json(wanted): Json<SecretWanted>,
) -> Result<StatusCode, Problem> {
    let by = caller.name.clone();
    let value = Zeroizing::new(wanted.value);
    room.outside.secrets.set(&name, value, wanted.hosts, caller.name).await?;
    tracing::info!(secret = %name, by = %by, "a secret was set");
    Ok(StatusCode::NO_CONTENT)
}
