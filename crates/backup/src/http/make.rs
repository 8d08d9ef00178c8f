//! `POST /api/v1/backups`.

use axum::extract::State;
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Backups;
use crate::make::Wanted;
use crate::sealing::Seal;

/// What the backup shall be. No field: everything but keys, not sealed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewBackup {
    /// Seals it: 14 characters or more.
    passphrase: Option<String>,
    /// Seals it for these: age recipients (`age1…`), 16 at most.
    recipients: Vec<String>,
    /// Whether the node's keys go in; only sealed.
    keys: bool,
}

/// The backup that is being made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackupBegun {
    /// Its name, once it is there; until then it stands as `running` in the list.
    name: String,
}

/// Begins a backup while the node runs; one at a time.
#[utoipa::path(post, path = "/api/v1/backups", tag = "backups", request_body = NewBackup, responses(
    (status = 202, body = BackupBegun),
    (status = 409, description = "Another one is being made", body = Problem),
    (status = 422, description = "It cannot be sealed like that", body = Problem)))]
pub(crate) async fn make(
    State(room): State<Backups>,
    caller: Caller,
    Json(asked): Json<NewBackup>,
) -> Result<(StatusCode, Json<BackupBegun>), Problem> {
    let seal = Seal::of(asked.passphrase.as_deref(), &asked.recipients)?;
    let name = room.begin(Wanted { seal, keys: asked.keys, by: caller.name })?;
    Ok((StatusCode::ACCEPTED, Json(BackupBegun { name })))
}
