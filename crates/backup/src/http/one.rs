//! `GET` and `DELETE /api/v1/backups/{name}`, `POST …/verify`.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use crate::error::BackupError;
use crate::read::Checked;
use crate::sealing::Opening;
use crate::{Backups, sound, verify as verify_file};

/// The file itself, to be kept somewhere else.
#[utoipa::path(get, path = "/api/v1/backups/{name}", tag = "backups",
    params(("name" = String, Path, description = "As the list has it")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Problem)))]
pub(crate) async fn download(
    State(room): State<Backups>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let path = room.shelf().find(&name)?;
    let file = tokio::fs::File::open(&path).await.map_err(BackupError::io(&path))?;
    let bytes = file.metadata().await.map_err(BackupError::io(&path))?.len();
    // A copy of everything leaves the node: that stands in the log.
    room.told(&name, format!("{} took {name} away", caller.name), &caller.name).await;
    let mut response = Body::from_stream(ReaderStream::new(file)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    // The name was found on the shelf: digits and letters alone.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// What opens it, where it is sealed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BackupKey {
    /// The passphrase.
    passphrase: Option<String>,
    /// An age identity (`AGE-SECRET-KEY-1…`); it is used and forgotten.
    identity: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackupVerdict {
    /// Whether it could be restored.
    sound: bool,
    /// `sound`, or what is wrong.
    verdict: String,
    /// What was read, when it could be read to its end.
    checked: Option<Checked>,
}

/// Reads a backup to its signed end and asks SQLite about the database inside.
#[utoipa::path(post, path = "/api/v1/backups/{name}/verify", tag = "backups", request_body = BackupKey,
    params(("name" = String, Path, description = "As the list has it")),
    responses((status = 200, body = BackupVerdict), (status = 404, body = Problem),
    (status = 422, description = "It is sealed and does not open", body = Problem)))]
pub(crate) async fn verify(
    State(room): State<Backups>,
    caller: Caller,
    Path(name): Path<String>,
    Json(key): Json<BackupKey>,
) -> Result<Json<BackupVerdict>, Problem> {
    let path = room.shelf().find(&name)?;
    let found = if name.ends_with(".db") {
        let said = sound::integrity(&path).await?;
        (said.clone(), None)
    } else {
        match verify_file(&path, Opening::of(key.passphrase, key.identity)).await {
            Ok(checked) => (checked.database.clone(), Some(checked)),
            Err(BackupError::Damaged(text)) => (text, None),
            Err(other) => return Err(other.into()),
        }
    };
    let sound = found.0 == "ok";
    let verdict = if sound { "sound".to_owned() } else { found.0 };
    if let Some(mut shelved) = room.shelf().look(&name) {
        shelved.note.verified_at = Some(room.inner.platform.now().to_string());
        shelved.note.verdict = Some(verdict.clone());
        room.shelf().note(&name, &shelved.note)?;
    }
    let text = format!("{} read {name} through: {verdict}", caller.name);
    room.told(&name, text, &caller.name).await;
    Ok(Json(BackupVerdict { sound, verdict, checked: found.1 }))
}

/// Removes a backup.
#[utoipa::path(delete, path = "/api/v1/backups/{name}", tag = "backups",
    params(("name" = String, Path, description = "As the list has it")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Backups>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    room.shelf().remove(&name)?;
    room.told(&name, format!("{} removed {name}", caller.name), &caller.name).await;
    Ok(StatusCode::NO_CONTENT)
}
