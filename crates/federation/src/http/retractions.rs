//! `POST /api/v1/federation/retractions`, `GET` of all and of one: taking back, and who knows of it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Json as Body, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Seen, all_in_sight, sight};
use crate::error::FederationError;
use crate::outbox::MAX_REASON_CHARS;
use crate::retract::{self, MAX_RETRACTED, Start};
use crate::room::Federation;
use crate::store::retractions::{self, Retraction, Withdrawal};

/// Rows of one retraction that are shown at most.
const MAX_ROWS: i64 = 10_000;

/// What is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetractRequest {
    /// STIX ids, 1 to 1000.
    objects: Vec<String>,
    /// Why; recipients read it.
    reason: String,
}

/// One object that one recipient is told to forget.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetractedObject {
    /// The recipient.
    peer: String,
    /// Its organisation's name; empty when it is no peer any more.
    peer_name: String,
    /// STIX id.
    object: String,
    /// `waiting`, `acknowledged`, `refused`, `cancelled`.
    state: String,
    /// When its state changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// Those behind a recipient, as it counts them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetractedBehind {
    /// The recipient.
    peer: String,
    /// Its organisation's name; empty when it is no peer any more.
    peer_name: String,
    /// How many it and those behind it told.
    reached: i64,
    /// How many of them acknowledged.
    acknowledged: i64,
}

/// A retraction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectRetraction {
    /// Id.
    id: String,
    /// Who took it back: a person, `peer:NAME` when a peer's word is passed on, `system` when a recipient may not have it any more.
    made_by: String,
    /// Why.
    reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Recipients and objects in sight by state.
    counts: BTreeMap<String, u64>,
    /// Recipients and objects in sight; only when one retraction is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<RetractedObject>>,
    /// What recipients tell of those behind them; only when one retraction is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<Vec<RetractedBehind>>,
}

/// Takes objects back from everybody who got them.
#[utoipa::path(post, path = "/api/v1/federation/retractions", tag = "federation", request_body = RetractRequest,
    responses((status = 201, description = "Who is told", body = ObjectRetraction),
    (status = 404, description = "An object is not known", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn create(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Body(asked): Body<RetractRequest>,
) -> Result<(StatusCode, Json<ObjectRetraction>), Problem> {
    let count = asked.objects.len();
    let characters = asked.reason.chars().count();
    if count == 0 || count > MAX_RETRACTED {
        let text = format!("objects: {count} ids; a retraction has 1 to {MAX_RETRACTED}");
        return Err(FederationError::Invalid(text).into());
    }
    if characters == 0 || characters > MAX_REASON_CHARS {
        let text = format!("reason: {characters} characters; it has 1 to {MAX_REASON_CHARS}");
        return Err(FederationError::Invalid(text).into());
    }
    all_in_sight(&room, &asked.objects, sight(&gate, &caller)).await?;
    let (own, made_by) = (room.clone(), caller.name.clone());
    let made: Result<String, FederationError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let start = Start {
                    ids: &asked.objects,
                    reason: &asked.reason,
                    made_by: &made_by,
                    origin: None,
                    because: None,
                    only: None,
                };
                Ok(retract::start(&own, tx, &start).await?.id)
            })
        })
        .await;
    let mut sql = room.platform().db.read().await?;
    let row = retractions::get(&mut sql, &made?).await?;
    let row = row.ok_or_else(|| Problem::not_found("the retraction"))?;
    drop(sql);
    // Its maker sees that nobody was told, too.
    let (shown, _) = view(&room, row, &mut Seen::new(sight(&gate, &caller)), true).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Retractions with objects in sight, the newest first.
#[utoipa::path(get, path = "/api/v1/federation/retractions", tag = "federation", params(PageQuery), responses(
    (status = 200, description = "Retractions", body = Page<ObjectRetraction>)))]
pub(crate) async fn list(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ObjectRetraction>>, Problem> {
    let mut seen = Seen::new(sight(&gate, &caller));
    let limit = page.limit();
    let mut before = page.after()?.unwrap_or_default();
    let mut shown = Vec::new();
    while shown.len() <= limit as usize {
        let mut sql = room.platform().db.read().await?;
        let found = retractions::before(&mut sql, &before, i64::from(limit) + 1).await?;
        drop(sql);
        let Some(last) = found.last() else { break };
        before = last.id.clone();
        for row in found {
            let (one, any) = view(&room, row, &mut seen, false).await?;
            if any {
                shown.push(one);
            }
        }
    }
    shown.truncate(limit as usize + 1);
    Ok(Json(Page::from_surplus(shown, limit, |row| row.id.clone())))
}

/// One retraction with every recipient and object in sight, and the counts of those behind.
#[utoipa::path(get, path = "/api/v1/federation/retractions/{id}", tag = "federation",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The retraction", body = ObjectRetraction),
    (status = 404, description = "No such retraction", body = Problem)))]
pub(crate) async fn show(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ObjectRetraction>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let row = retractions::get(&mut sql, &id).await?;
    drop(sql);
    let unknown = || Problem::not_found("the retraction");
    let row = row.ok_or_else(unknown)?;
    match view(&room, row, &mut Seen::new(sight(&gate, &caller)), true).await? {
        (shown, true) => Ok(Json(shown)),
        (_, false) => Err(unknown()),
    }
}

/// A retraction as it is shown, and whether any object of it is in sight.
async fn view(
    room: &Federation,
    row: Retraction,
    seen: &mut Seen,
    whole: bool,
) -> Result<(ObjectRetraction, bool), Problem> {
    let peers = room.peers().peers().await?;
    let name = |id| {
        let found = peers.iter().find(|peer| peer.id == id);
        found.map(|peer| peer.name.clone()).unwrap_or_default()
    };
    let mut sql = room.platform().db.read().await?;
    let mut told: Vec<Withdrawal> = Vec::new();
    for one in retractions::of(&mut sql, &row.id, MAX_ROWS).await? {
        if seen.sees(&mut sql, &one.object, one.tlp).await? {
            told.push(one);
        }
    }
    let any = !told.is_empty();
    let mut counts = BTreeMap::new();
    for one in &told {
        *counts.entry(one.state.clone()).or_insert(0) += 1;
    }
    let behind = match whole && any {
        true => retractions::behind(&mut sql, &row.id).await?,
        false => vec![],
    };
    let objects = told.into_iter().map(|one| RetractedObject {
        peer: one.peer.to_string(),
        peer_name: name(one.peer),
        object: one.object,
        state: one.state,
        changed_at: Timestamp::from_micros(one.changed_us),
    });
    let behind = behind.into_iter().map(|(peer, reached, acknowledged)| RetractedBehind {
        peer: peer.to_string(),
        peer_name: name(peer),
        reached,
        acknowledged,
    });
    let shown = ObjectRetraction {
        id: row.id,
        made_by: row.made_by,
        reason: row.reason,
        recorded_at: Timestamp::from_micros(row.recorded_us),
        counts,
        objects: whole.then(|| objects.collect()),
        behind: whole.then(|| behind.collect()),
    };
    Ok((shown, any))
}
