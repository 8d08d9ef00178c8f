//! `POST /api/v1/federation/shares`, `GET` of all and of one: who gets what, and where it stands.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::{CommunityId, PeerId, ShareId, Timestamp};
use platform::http::{Caller, Gate, Json as Body, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Seen, all_in_sight, label, sight};
use crate::error::FederationError;
use crate::room::Federation;
use crate::shares::{self as deciding, MAX_HANDS, MAX_SHARED, NewShare};
use crate::store::hands::{self, Hand};
use crate::store::shares::{self, Share};

/// Recipients named in one request at most.
const MAX_NAMED: usize = 100;
/// Characters of a note at most.
const MAX_NOTE_CHARS: usize = 1_000;

/// Recipients.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareRecipients {
    /// Peers, by id or name.
    #[serde(default)]
    peers: Vec<String>,
    /// Communities, by id.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    communities: Vec<CommunityId>,
}

/// What is to be shared with whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareObjectsRequest {
    /// STIX ids, 1 to 1000.
    objects: Vec<String>,
    /// Recipients.
    to: ShareRecipients,
    /// Why; it stays on this node.
    #[serde(default)]
    note: String,
}

/// One object for one recipient.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharedObject {
    /// The recipient.
    peer: String,
    /// Its organisation's name; empty when it is no peer any more.
    peer_name: String,
    /// STIX id.
    object: String,
    /// The community it goes through.
    community: Option<String>,
    /// `withheld`, `queued`, `sent`, `received` (signed receipt verified), `refused`, `cancelled`, `retracting`, `retracted`.
    state: &'static str,
    /// Why it stands so, where that needs a reason.
    reason: Option<String>,
    /// `modified` of the version last sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    version: Option<Timestamp>,
    /// The label it went or would go under.
    tlp: String,
    /// When its state changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// A share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectShare {
    /// Id.
    id: String,
    /// `person`, `standing` (by rule) or `onward` (through a community).
    kind: String,
    /// Who decided it.
    made_by: String,
    /// Why.
    note: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Recipients and objects in sight by state.
    counts: BTreeMap<&'static str, u64>,
    /// Recipients and objects in sight; only when one share is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<SharedObject>>,
}

/// Shares objects: each is judged for each recipient, and once more when it leaves.
#[utoipa::path(post, path = "/api/v1/federation/shares", tag = "federation", request_body = ShareObjectsRequest,
    responses((status = 201, description = "What was decided", body = ObjectShare),
    (status = 404, description = "An object or recipient is not known", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn create(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Body(asked): Body<ShareObjectsRequest>,
) -> Result<(StatusCode, Json<ObjectShare>), Problem> {
    check(&asked)?;
    let sight = sight(&gate, &caller);
    all_in_sight(&room, &asked.objects, sight).await?;
    let peers = named(&room, &asked.to.peers).await?;
    let ways = room.ways(&peers, &asked.to.communities).await?;
    if ways.is_empty() {
        let text = "nobody would get it: the communities have no other members";
        return Err(FederationError::Invalid(text.into()).into());
    }
    let mut objects = asked.objects;
    objects.sort_unstable();
    objects.dedup();
    let new = NewShare { kind: "person", made_by: caller.name, note: asked.note, objects, ways };
    let own = room.clone();
    let made: Result<ShareId, FederationError> = room
        .platform()
        .db
        .write(move |tx| Box::pin(async move { deciding::create(&own, tx, &new).await }))
        .await;
    let shown = one(&room, made?, sight).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

fn check(asked: &ShareObjectsRequest) -> Result<(), FederationError> {
    let count = asked.objects.len();
    let named = asked.to.peers.len() + asked.to.communities.len();
    let wrong = if count == 0 || count > MAX_SHARED {
        format!("objects: {count} ids; a share has 1 to {MAX_SHARED}")
    } else if named == 0 || named > MAX_NAMED {
        format!("to: {named} recipients; a share names 1 to {MAX_NAMED} peers and communities")
    } else if asked.note.chars().count() > MAX_NOTE_CHARS {
        format!("note: more than {MAX_NOTE_CHARS} characters")
    } else {
        return Ok(());
    };
    Err(FederationError::Invalid(wrong))
}

/// Peers by id or name.
async fn named(room: &Federation, names: &[String]) -> Result<Vec<PeerId>, FederationError> {
    let peers = room.peers().peers().await?;
    let find = |name: &String| {
        let found = peers.iter().find(|peer| peer.id.to_string() == *name || peer.name == *name);
        let unknown =
            || FederationError::NotFound(format!("peer '{}'", crate::wire::clip(name, 120)));
        found.map(|peer| peer.id).ok_or_else(unknown)
    };
    names.iter().map(find).collect()
}

/// Shares with objects in sight, the newest first.
#[utoipa::path(get, path = "/api/v1/federation/shares", tag = "federation", params(PageQuery), responses(
    (status = 200, description = "Shares", body = Page<ObjectShare>)))]
pub(crate) async fn list(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ObjectShare>>, Problem> {
    let mut seen = Seen::new(sight(&gate, &caller));
    let limit = page.limit();
    let mut before = page.after()?.unwrap_or_default();
    let mut sql = room.platform().db.read().await?;
    let mut shown = Vec::new();
    // Shares that are wholly out of sight are not there: they do not shorten the page.
    while shown.len() <= limit as usize {
        let found = shares::before(&mut sql, &before, i64::from(limit) + 1).await?;
        let Some(last) = found.last() else { break };
        before = last.id.to_string();
        for share in found {
            let hands = visible(&mut sql, &mut seen, &share).await?;
            if !hands.is_empty() {
                shown.push(view(share, &hands));
            }
        }
    }
    shown.truncate(limit as usize + 1);
    Ok(Json(Page::from_surplus(shown, limit, |share| share.id.clone())))
}

/// One share with every recipient and object in sight.
#[utoipa::path(get, path = "/api/v1/federation/shares/{id}", tag = "federation",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The share", body = ObjectShare),
    (status = 404, description = "No such share", body = Problem)))]
pub(crate) async fn show(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ObjectShare>, Problem> {
    let id: ShareId = id.parse().map_err(|_| Problem::not_found("the share"))?;
    Ok(Json(one(&room, id, sight(&gate, &caller)).await?))
}

async fn one(room: &Federation, id: ShareId, sight: intel::Sight) -> Result<ObjectShare, Problem> {
    let peers = room.peers().peers().await?;
    let mut sql = room.platform().db.read().await?;
    let share = shares::get(&mut sql, id).await?.ok_or_else(|| Problem::not_found("the share"))?;
    let hands = visible(&mut sql, &mut Seen::new(sight), &share).await?;
    if hands.is_empty() {
        return Err(Problem::not_found("the share"));
    }
    let mut shown = view(share, &hands);
    let name = |id| peers.iter().find(|peer| peer.id == id).map(|peer| peer.name.clone());
    let objects = hands.into_iter().map(|hand| SharedObject {
        peer: hand.peer.to_string(),
        peer_name: name(hand.peer).unwrap_or_default(),
        object: hand.object,
        community: hand.community.map(|id| id.to_string()),
        state: hand.state.word(),
        reason: hand.reason,
        version: hand.version.filter(|version| *version != 0).map(Timestamp::from_micros),
        tlp: label(hand.tlp),
        changed_at: Timestamp::from_micros(hand.changed_us),
    });
    shown.objects = Some(objects.collect());
    Ok(shown)
}

async fn visible(
    sql: &mut sqlx::AnyConnection,
    seen: &mut Seen,
    share: &Share,
) -> Result<Vec<Hand>, Problem> {
    let limit = i64::try_from(MAX_HANDS).unwrap_or(i64::MAX);
    let mut shown = Vec::new();
    for hand in hands::of_share(sql, share.id, limit).await? {
        if seen.sees(sql, &hand.object, hand.tlp).await? {
            shown.push(hand);
        }
    }
    Ok(shown)
}

fn view(share: Share, hands: &[Hand]) -> ObjectShare {
    let mut counts = BTreeMap::new();
    for hand in hands {
        *counts.entry(hand.state.word()).or_insert(0) += 1;
    }
    ObjectShare {
        id: share.id.to_string(),
        kind: share.kind,
        made_by: share.made_by,
        note: share.note,
        recorded_at: Timestamp::from_micros(share.recorded_us),
        counts,
        objects: None,
    }
}
