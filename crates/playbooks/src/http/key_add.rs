//! `POST /api/v1/playbook-keys`: trusts a key.

use axum::extract::State;
use axum::http::StatusCode;
use cacao::signature::{public_spki, thumbprint};
use model::event::PlaybookKeyChanged;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::keys::PlaybookKey;
use crate::store::keys::{self, Kept, MAX_KEYS};
use crate::{Playbooks, PlaybooksError};

/// Longest key that is taken, in bytes of PEM.
const MAX_PEM_BYTES: usize = 64 << 10;
/// Longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A key to trust.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyWanted {
    /// Whose it is, in words.
    name: String,
    /// A public key or a certificate, PEM.
    pem: String,
}

/// Trusts a key to sign playbooks. The same key again changes nothing.
#[utoipa::path(post, path = "/api/v1/playbook-keys", tag = "playbooks",
    operation_id = "trust_playbook_key", request_body = KeyWanted,
    responses((status = 201, body = PlaybookKey), (status = 200, body = PlaybookKey),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(room): State<Playbooks>,
    caller: Caller,
    Json(wanted): Json<KeyWanted>,
) -> Result<(StatusCode, Json<PlaybookKey>), Problem> {
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        let text = format!("a key has a name of 1 to {MAX_NAME_CHARS} characters");
        return Err(PlaybooksError::invalid(text).into());
    }
    if wanted.pem.len() > MAX_PEM_BYTES {
        let text = format!("a key has at most {MAX_PEM_BYTES} bytes of PEM");
        return Err(PlaybooksError::invalid(text).into());
    }
    let (spki, key) = public_spki(wanted.pem.as_bytes()).map_err(PlaybooksError::invalid)?;
    let kept = Kept {
        fingerprint: key.fingerprint,
        name: name.to_owned(),
        spki,
        thumbprint: thumbprint(wanted.pem.as_bytes()),
        added_at: room.platform().now(),
        revoked_at: None,
    };
    let done: Result<(Kept, bool), PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let all = keys::all(tx.sql()).await?;
                if let Some(known) = all.into_iter().find(|it| it.fingerprint == kept.fingerprint) {
                    return Ok((known, false));
                }
                if keys::count(tx.sql()).await? >= MAX_KEYS {
                    let text = format!("a node trusts at most {MAX_KEYS} keys; remove one first");
                    return Err(PlaybooksError::Conflict(text));
                }
                keys::put(tx.sql(), &kept).await?;
                let fact = PlaybookKeyChanged {
                    fingerprint: kept.fingerprint.clone(),
                    name: kept.name.clone(),
                    what: "added".into(),
                    since: None,
                    by: caller.name.clone(),
                };
                tx.publish(&caller.name, &fact).await?;
                Ok((kept, true))
            })
        })
        .await;
    let (kept, new) = done?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(kept.into())))
}
