//! `DELETE /api/v1/playbook-keys/{fingerprint}`: does not trust a key any more.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::Problem;

use super::no_key;
use crate::{Playbooks, PlaybooksError, store};

/// Does not trust a key any more. What it signed is as if signed by a stranger.
#[utoipa::path(delete, path = "/api/v1/playbook-keys/{fingerprint}", tag = "playbooks",
    params(("fingerprint" = String, Path, description = "The key's fingerprint")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Playbooks>,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted = fingerprint.clone();
    let gone: Result<bool, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| Box::pin(async move { Ok(store::keys::remove(tx.sql(), &wanted).await?) }))
        .await;
    if gone? { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&fingerprint)) }
}
