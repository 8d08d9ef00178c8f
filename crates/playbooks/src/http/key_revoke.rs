//! `POST /api/v1/playbook-keys/{fingerprint}/revoke`: its signatures do not count from a time on.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::event::PlaybookKeyChanged;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::no_key;
use crate::{Playbooks, PlaybooksError, store};

/// Since when the key is not to be trusted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeyRevoked {
    /// RFC 3339; now without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// Revokes a key: it was lost or stolen. Its signatures do not count any more, from the time that is given on.
#[utoipa::path(post, path = "/api/v1/playbook-keys/{fingerprint}/revoke", tag = "playbooks",
    params(("fingerprint" = String, Path, description = "The key's fingerprint")),
    request_body = KeyRevoked, responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(room): State<Playbooks>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Json(revoked): Json<KeyRevoked>,
) -> Result<StatusCode, Problem> {
    let wanted = fingerprint.clone();
    let since = revoked.since.unwrap_or_else(|| room.platform().now());
    let done: Result<bool, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let Some(key) = store::keys::one(tx.sql(), &wanted).await? else {
                    return Ok(false);
                };
                store::keys::revoke(tx.sql(), &wanted, since).await?;
                let fact = PlaybookKeyChanged {
                    fingerprint: key.fingerprint,
                    name: key.name,
                    what: "revoked".into(),
                    since: Some(since),
                    by: caller.name.clone(),
                };
                tx.publish(&caller.name, &fact).await?;
                Ok(true)
            })
        })
        .await;
    if done? { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&fingerprint)) }
}
