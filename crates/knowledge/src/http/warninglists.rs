//! `/api/v1/knowledge/warninglists`: lists of well-known values; what stands on one raises nothing.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use feeds::warninglist::{MAX_LIST_BYTES, shipped};
use intel::excuse::{self, ExcuseError, Loaded};
use model::Timestamp;
use model::event::IntelRuleChanged;
use platform::http::{Caller, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::KnowledgeError;
use crate::room::Knowledge;

/// Entries that cannot be used, told at most; the rest are counted.
const MAX_TOLD: usize = 100;

/// A list of well-known values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelWarninglist {
    /// Its name.
    name: String,
    /// What it holds and why a hit is worth a look.
    description: String,
    /// Its version.
    version: i64,
    /// How it matches: `string`, `substring`, `hostname`, `cidr`, `regex`.
    matching: String,
    /// Entries.
    entries: i64,
    /// Entries that cannot be used.
    left_out: i64,
    /// `loaded`: excuses everything that is known. `shipped`: keeps values out of feeds, and is a doubt in reviews.
    origin: String,
    /// Who loaded it.
    added_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    added_at: Option<Timestamp>,
}

impl From<Loaded> for IntelWarninglist {
    fn from(list: Loaded) -> Self {
        Self {
            name: list.name,
            description: list.description,
            version: list.version,
            matching: list.matching,
            entries: list.entries,
            left_out: list.left_out,
            origin: "loaded".into(),
            added_by: Some(list.by),
            added_at: Some(Timestamp::from_micros(list.recorded_us)),
        }
    }
}

/// A list that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelWarninglistAdded {
    /// The list.
    list: IntelWarninglist,
    /// Entries that cannot be used with the reason, the first hundred.
    left_out: Vec<String>,
}

/// The lists: those that people loaded, and those that ship with the program.
#[utoipa::path(get, path = "/api/v1/knowledge/warninglists", tag = "knowledge", responses(
    (status = 200, description = "Lists by name", body = Vec<IntelWarninglist>)))]
pub(crate) async fn list(
    State(room): State<Knowledge>,
) -> Result<Json<Vec<IntelWarninglist>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let loaded = excuse::all(&mut sql).await?;
    drop(sql);
    let shipped = tokio::task::spawn_blocking(shipped).await.map_err(Problem::internal)?;
    let shipped = shipped.map_err(Problem::internal)?.into_iter().map(|list| IntelWarninglist {
        name: list.name,
        description: list.description,
        version: i64::try_from(list.version).unwrap_or(i64::MAX),
        matching: format!("{:?}", list.matching).to_lowercase(),
        entries: i64::try_from(list.list.len()).unwrap_or(i64::MAX),
        left_out: 0,
        origin: "shipped".into(),
        added_by: None,
        added_at: None,
    });
    Ok(Json(loaded.into_iter().map(IntelWarninglist::from).chain(shipped).collect()))
}

/// Takes a list in MISP's format, in place of the one of its name; it holds at once for everything that is known.
#[utoipa::path(post, path = "/api/v1/knowledge/warninglists", tag = "knowledge",
    request_body(content = Object, content_type = "application/json",
        description = "`list.json` of MISP's warninglists"), responses(
    (status = 201, description = "The list", body = IntelWarninglistAdded),
    (status = 413, description = "Too large", body = Problem),
    (status = 422, description = "No list, or too much together with the others", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Knowledge>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<IntelWarninglistAdded>), Problem> {
    let too_large = |_| {
        let text = format!("the list is larger than {MAX_LIST_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text).remedy("Split it.")
    };
    let body =
        axum::body::to_bytes(request.into_body(), MAX_LIST_BYTES).await.map_err(too_large)?;
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::bad_request("the list is not UTF-8").remedy("Convert it first."))?;
    let _turn = room.import_turn().await;
    let mut sql = room.platform().db.read().await?;
    let tried = excuse::try_list(&mut sql, text).await.map_err(|error| match error {
        ExcuseError::Db(db) => db.into(),
        other => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", other.to_string())
            .remedy(
                "Send `list.json` of a list of github.com/MISP/misp-warninglists, or one like it.",
            ),
    })?;
    drop(sql);
    let told = tried.left_out.iter().take(MAX_TOLD);
    let left_out = told
        .map(|one| match one.entry.as_str() {
            "" => format!("the list {}", one.reason),
            entry => format!("'{entry}' {}", one.reason),
        })
        .collect();
    let by = caller.name;
    let put: Result<Loaded, KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let loaded = excuse::put(tx.sql(), &tried, &by, now_us).await?;
                let fact = IntelRuleChanged {
                    what: format!("warninglist {}", loaded.name),
                    detail: format!(
                        "{} entries excuse what they match, loaded by {by}",
                        loaded.entries
                    ),
                };
                tx.publish(&by, &fact).await?;
                Ok(loaded)
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(IntelWarninglistAdded { list: put?.into(), left_out })))
}

/// Takes a list away: what it excused counts again at once.
#[utoipa::path(delete, path = "/api/v1/knowledge/warninglists/{name}", tag = "knowledge",
    params(("name" = String, Path, description = "Name of the list")), responses(
    (status = 204, description = "It is gone"),
    (status = 404, description = "There is none of this name", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Knowledge>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let (by, wanted) = (caller.name, name.clone());
    let gone: Result<bool, KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let gone = excuse::remove(tx.sql(), &wanted).await?;
                if gone {
                    let fact = IntelRuleChanged {
                        what: format!("warninglist {wanted}"),
                        detail: format!("removed by {by}; it excuses nothing any more"),
                    };
                    tx.publish(&by, &fact).await?;
                }
                Ok(gone)
            })
        })
        .await;
    if gone? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let clip: String = name.chars().take(200).collect();
    Err(Problem::not_found(format!("warninglist '{clip}'")).remedy(
        "Lists that ship with the program cannot be removed; see `sereno intel warninglist list`.",
    ))
}
