//! `GET /api/v1/playbook-keys`: keys that are trusted to sign playbooks.

use axum::extract::State;
use model::Timestamp;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Playbooks;
use crate::config::Signatures;
use crate::store::keys::{self, Kept};

/// A trusted key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaybookKey {
    /// SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
    fingerprint: String,
    /// Whose it is, as the one who added it said.
    name: String,
    /// Since when it is trusted.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// Its signatures do not count from then on.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Kept> for PlaybookKey {
    fn from(it: Kept) -> Self {
        Self {
            fingerprint: it.fingerprint,
            name: it.name,
            added_at: it.added_at,
            revoked_at: it.revoked_at,
        }
    }
}

/// The keys, and what is asked of signatures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaybookKeys {
    /// `ignore`, `warn` or `require` (setting `[playbooks] signatures`).
    #[schema(value_type = String)]
    signatures: Signatures,
    /// Fingerprints of the setting `[playbooks] trusted_keys`.
    configured: Vec<String>,
    /// Keys that were added here, at most 1,000.
    items: Vec<PlaybookKey>,
}

/// Keys that are trusted to sign playbooks.
#[utoipa::path(get, path = "/api/v1/playbook-keys", tag = "playbooks",
    responses((status = 200, body = PlaybookKeys)))]
pub(crate) async fn keys(State(room): State<Playbooks>) -> Result<Json<PlaybookKeys>, Problem> {
    let mut connection = room.platform().db.read().await?;
    let items = keys::all(&mut connection).await?.into_iter().map(PlaybookKey::from).collect();
    let config = room.config();
    Ok(Json(PlaybookKeys {
        signatures: config.signatures,
        configured: config.trusted_keys.clone(),
        items,
    }))
}
