//! `GET /api/v1/backups`.

use axum::extract::State;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Backups;
use crate::make::{Running, locked};
use crate::shelf::Shelved;

/// What lies on the shelf.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackupList {
    /// Newest first.
    items: Vec<Shelved>,
    /// The one being made.
    running: Option<Running>,
    /// Why the last one failed; empty when it did not.
    failed: String,
    /// The folder.
    folder: String,
    /// Hours between two made by themselves; 0: none.
    every_h: u32,
    /// How many of those are kept.
    keep: u32,
    /// Whether those are sealed.
    sealed: bool,
}

/// Backups, newest first, and the one being made.
#[utoipa::path(get, path = "/api/v1/backups", tag = "backups", responses((status = 200, body = BackupList)))]
pub(crate) async fn list(State(room): State<Backups>) -> Result<Json<BackupList>, Problem> {
    let inner = &room.inner;
    Ok(Json(BackupList {
        items: room.shelf().list()?,
        running: locked(&inner.running).clone(),
        failed: locked(&inner.failed).clone(),
        folder: room.shelf().folder().display().to_string(),
        every_h: inner.config.every_h,
        keep: inner.config.keep,
        sealed: !inner.seal.is_open(),
    }))
}
