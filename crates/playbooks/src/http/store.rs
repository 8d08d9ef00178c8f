//! `POST /api/v1/playbooks`: stores a playbook, or a newer version of one.

use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::PlaybookView;
use crate::store::playbooks::{Put, Stored, one, put};
use crate::trust::Asked;
use crate::validate::{Report, validate_bytes};
use crate::{Playbooks, PlaybooksError, cacao};

/// The stored playbook with what validation said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoredPlaybook {
    /// Its row in the list.
    #[serde(flatten)]
    view: PlaybookView,
    /// Warnings, and whether this node can run it.
    report: Report,
}

/// Stores a CACAO v2.0 playbook. The same version again changes nothing; an older one is refused.
#[utoipa::path(post, path = "/api/v1/playbooks", tag = "playbooks",
    request_body(content = Object, description = "CACAO v2.0 JSON", content_type = "application/json"),
    responses((status = 201, body = StoredPlaybook), (status = 200, body = StoredPlaybook),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn store(
    State(room): State<Playbooks>,
    body: Bytes,
) -> Result<(StatusCode, Json<StoredPlaybook>), Problem> {
    let (stored, put, report) = keep(&room, body).await?;
    let status = if put == Put::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(StoredPlaybook { view: stored.into(), report })))
}

/// Stores what was sent, if it keeps the standard.
pub(crate) async fn keep(room: &Playbooks, body: Bytes) -> Result<(Stored, Put, Report), Problem> {
    let mut report = validate_bytes(&body, room.abilities());
    if !report.valid {
        let summary = format!("not a valid CACAO v2.0 playbook: {} errors", report.errors.len());
        return Err(PlaybooksError::Invalid { summary, errors: report.errors }.into());
    }
    let text = String::from_utf8(body.into())
        .map_err(|_| PlaybooksError::invalid("a playbook is UTF-8 text"))?;
    let playbook = cacao::Playbook::parse(&text)
        .map_err(|cause| PlaybooksError::invalid(format!("cannot be read: {cause}")))?;
    let mut connection = room.platform().db.read().await?;
    let asked = Asked::read(room.config(), &mut connection).await?;
    drop(connection);
    report.warnings.extend(asked.doubt(&text, room.platform().now()));
    let unsaved = Stored::unsaved(&playbook, text, room.platform().now());
    let done: Result<(Option<Stored>, Put), PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let (id, put) = put(tx, &unsaved).await?;
                let stored = one(tx.sql(), id).await?;
                if let Some(kept) = stored.as_ref().filter(|kept| kept.modified > unsaved.modified)
                {
                    let text = format!("a newer version is stored, modified {}", kept.modified);
                    return Err(PlaybooksError::Conflict(text));
                }
                Ok((stored, put))
            })
        })
        .await;
    let (stored, put) = done?;
    let stored =
        stored.ok_or_else(|| Problem::internal("a playbook vanished while it was stored"))?;
    Ok((stored, put, report))
}
