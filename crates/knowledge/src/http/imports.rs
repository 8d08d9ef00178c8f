//! `/api/v1/intel/imports`: files that are taken in while their person looks on, or elsewhere.

use std::path::Path as File;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures::StreamExt;
use model::{JobId, Timestamp};
use platform::http::{Caller, Gate, Page, Problem};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use utoipa::{IntoParams, ToSchema};

use super::import::wanted;
use crate::error::KnowledgeError;
use crate::import::ImportProblem;
use crate::import_job::{KIND, MAX_OPEN, MAX_PROBLEMS, MAX_REMEMBERED};
use crate::room::Knowledge;
use crate::sight;
use crate::store::imports::{self, Kept, New};

/// Characters of a file's name kept.
const MAX_NAME_CHARS: usize = 120;
/// Imports in the list.
const LISTED: i64 = 20;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ImportBegin {
    /// What the source is called; the person who imports when absent.
    label: Option<String>,
    /// TLP of objects that carry no marking; `amber` when absent.
    tlp: Option<String>,
    /// What the file is called, for who reads the list.
    name: Option<String>,
}

/// An import and how far it got.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportState {
    /// UUID.
    id: String,
    /// What the file is called.
    name: String,
    /// What the source is called; empty: the person.
    label: String,
    /// Size of the file, bytes.
    bytes: u64,
    /// `waiting` (not read yet), `storing`, `done` or `failed`.
    state: String,
    /// Why it failed; empty else. What was counted up to there is stored, and importing again is harmless.
    error: String,
    /// Objects in the file, once it is read.
    objects: u64,
    /// Objects of which it is known what became of them.
    settled: u64,
    /// Ids that were not known.
    new: u64,
    /// Versions newer than all known.
    updated: u64,
    /// Versions not known, older than the newest.
    older: u64,
    /// Versions known with this content.
    same: u64,
    /// Versions known with another content; the first word stays.
    conflicts: u64,
    /// Objects that break a rule of STIX and were not stored.
    refused: u64,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl From<Kept> for ImportState {
    fn from(kept: Kept) -> Self {
        let report = kept.report;
        Self {
            id: kept.id,
            name: kept.name,
            label: kept.label,
            bytes: kept.bytes,
            state: kept.state,
            error: kept.error,
            objects: report.objects,
            settled: report.refused + kept.done,
            new: report.new,
            updated: report.updated,
            older: report.older,
            same: report.same,
            conflicts: report.conflicts,
            refused: report.refused,
            made_at: Timestamp::from_micros(kept.made_us),
            ended_at: kept.ended_us.map(Timestamp::from_micros),
        }
    }
}

fn too_many() -> Problem {
    let text = format!("{MAX_OPEN} imports are on their way, the limit");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-imports", text)
        .remedy("Wait until one of them has ended.")
}

/// Takes a STIX 2.1 bundle in. The answer comes when the file is on the disk; its objects are stored from there, also
/// after the node was stopped or killed.
#[utoipa::path(post, path = "/api/v1/intel/imports", tag = "knowledge", params(ImportBegin),
    request_body(content = Object, content_type = "application/json",
        description = "A STIX 2.1 bundle, a list of objects, or one object"),
    responses((status = 202, description = "The file is here", body = ImportState),
    (status = 413, description = "Too large", body = Problem),
    (status = 429, description = "Too many are on their way", body = Problem)))]
pub(crate) async fn begin(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<ImportBegin>,
    request: Request,
) -> Result<(StatusCode, Json<ImportState>), Problem> {
    sight::of(&gate, &caller)?;
    let (label, tlp) = wanted(query.label, query.tlp.as_deref())?;
    let name: String = query.name.unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    let _place = room.upload_place().ok_or_else(too_many)?;
    let id: JobId = room.platform().mint();
    let (id, file) = (id.to_string(), room.import_file(&id.to_string()));
    let kept = match take_file(&room, &file, request).await {
        Ok(bytes) => keep(&room, &caller, &id, [&name, &label, tlp.label()], bytes).await,
        Err(problem) => Err(problem),
    };
    match kept {
        Ok(kept) => Ok((StatusCode::ACCEPTED, Json(kept.into()))),
        Err(problem) => {
            let _ = tokio::fs::remove_file(&file).await;
            Err(problem)
        }
    }
}

/// Writes the body to the disk as it comes; its size, bytes.
async fn take_file(room: &Knowledge, file: &File, request: Request) -> Result<u64, Problem> {
    let most = room.config().max_import_bytes as u64;
    if let Some(folder) = file.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(Problem::internal)?;
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut out = options.open(file).await.map_err(Problem::internal)?;
    let mut body = request.into_body().into_data_stream();
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::bad_request("the file broke off; nothing was stored").remedy("Send it again.")
        })?;
        bytes += chunk.len() as u64;
        if bytes > most {
            let text = format!("the bundle is larger than {most} bytes; nothing was stored");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
                .remedy("Send it in parts, or raise knowledge.max_import_bytes."));
        }
        out.write_all(&chunk).await.map_err(Problem::internal)?;
    }
    out.flush().await.map_err(Problem::internal)?;
    out.sync_all().await.map_err(Problem::internal)?;
    Ok(bytes)
}

/// Notes the import and the work it makes, in one transaction.
async fn keep(
    room: &Knowledge,
    caller: &Caller,
    id: &str,
    words: [&str; 3],
    bytes: u64,
) -> Result<Kept, Problem> {
    let (wanted, caller) = (id.to_owned(), caller.clone());
    let [name, label, tlp] = words.map(str::to_owned);
    let kept: Result<Option<Kept>, KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                if imports::open(tx.sql()).await?.len() >= MAX_OPEN {
                    return Ok(None);
                }
                let now = tx.now();
                let new = New {
                    id: &wanted,
                    person: &caller.id,
                    made_by: &caller.name,
                    name: &name,
                    label: &label,
                    tlp: &tlp,
                    bytes,
                };
                imports::insert(tx.sql(), &new, now.as_micros()).await?;
                imports::forget(tx.sql(), MAX_REMEMBERED).await?;
                tx.enqueue(KIND, &wanted, &serde_json::Value::Null, now).await?;
                Ok(imports::get(tx.sql(), &wanted).await?)
            })
        })
        .await;
    kept?.ok_or_else(too_many)
}

/// Your imports, the newest first.
#[utoipa::path(get, path = "/api/v1/intel/imports", tag = "knowledge",
    responses((status = 200, description = "Imports", body = Page<ImportState>)))]
pub(crate) async fn list(
    State(room): State<Knowledge>,
    caller: Caller,
) -> Result<Json<Page<ImportState>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all = imports::all_of(&mut sql, &caller.id, LISTED).await?;
    Ok(Json(Page::whole(all.into_iter().map(ImportState::from).collect())))
}

async fn own(room: &Knowledge, caller: &Caller, id: &str) -> Result<Kept, Problem> {
    let mut sql = room.platform().db.read().await?;
    let clip: String = id.chars().take(120).collect();
    imports::of(&mut sql, &caller.id, id)
        .await?
        .ok_or_else(|| Problem::not_found(format!("import '{clip}'")))
}

/// One of your imports and how far it got.
#[utoipa::path(get, path = "/api/v1/intel/imports/{id}", tag = "knowledge",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The import", body = ImportState),
    (status = 404, description = "No such import of yours", body = Problem)))]
pub(crate) async fn one(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ImportState>, Problem> {
    Ok(Json(own(&room, &caller, &id).await?.into()))
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ProblemsQuery {
    /// Problems wanted; all that are kept (at most 10,000) when absent.
    limit: Option<u32>,
}

/// What of an import was not stored, with its place in the file and the reason.
#[utoipa::path(get, path = "/api/v1/intel/imports/{id}/problems", tag = "knowledge",
    params(("id" = String, Path, description = "Id"), ProblemsQuery), responses(
    (status = 200, description = "Problems, by place", body = Page<ImportProblem>),
    (status = 404, description = "No such import of yours", body = Problem)))]
pub(crate) async fn problems(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ProblemsQuery>,
) -> Result<Json<Page<ImportProblem>>, Problem> {
    let kept = own(&room, &caller, &id).await?;
    let most = MAX_PROBLEMS as i64;
    let limit = query.limit.map_or(most, i64::from).clamp(1, most);
    let mut sql = room.platform().db.read().await?;
    Ok(Json(Page::whole(imports::problems(&mut sql, &kept.id, limit).await?)))
}
