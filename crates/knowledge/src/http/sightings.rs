//! `POST /api/v1/knowledge/objects/{id}/sightings`: a person saw it, says it was none, or that it has ended.
//!
//! What is said becomes a STIX object of this node's own: a `sighting`, an `opinion` "strongly-disagree" for a false
//! positive (as MISP's are written in STIX), a `note` with a label of ours for an end. Each carries the label of
//! what it speaks of; who said it stands in the provenance.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use intel::{objects, own, reports};
use platform::http::{Caller, Gate, Json, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stix::{Object, StixId};
use utoipa::ToSchema;

use super::not_here;
use crate::import::{self, Origin};
use crate::room::Knowledge;
use crate::sight;

/// Characters of a place and of a comment.
const MAX_TEXT_CHARS: usize = 500;
/// How far in the future a sighting may lie, microseconds: clocks differ (five minutes).
const MAX_AHEAD_US: i64 = 300_000_000;
/// Most sightings that one object tells (STIX 2.1 §5.2).
const MAX_COUNT: u64 = 999_999_999;

/// What is said of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SightingType {
    /// It was seen: its score rises, its age starts anew.
    Sighting,
    /// It was no indicator there: its score falls.
    FalsePositive,
    /// It has ended: it raises nothing until it is seen again.
    Expiration,
}

/// What a person says.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSighting {
    /// What is said.
    #[serde(rename = "type")]
    kind: SightingType,
    /// How often it was seen; 1 when absent.
    count: Option<u64>,
    /// When; now when absent.
    seen_at: Option<String>,
    /// Where, in words.
    #[serde(rename = "where")]
    place: Option<String>,
    /// Why, in words.
    comment: Option<String>,
}

/// What was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SightingKept {
    /// Id of the sighting, opinion or note.
    id: String,
    /// What is left of the object's word now, 0 to 100; absent where it names no value.
    score_now: Option<f64>,
    /// `lives`, or why it does not count.
    standing: Option<String>,
}

/// Says of an object that it was seen, was none, or has ended.
#[utoipa::path(post, path = "/api/v1/knowledge/objects/{id}/sightings", tag = "knowledge",
    params(("id" = String, Path, description = "STIX id")), request_body = NewSighting, responses(
    (status = 201, description = "It is kept", body = SightingKept),
    (status = 404, description = "Not known, or not for you", body = Problem),
    (status = 422, description = "It cannot be said of this object, or in this way", body = Problem)))]
pub(crate) async fn sighting(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Json(new): Json<NewSighting>,
) -> Result<(StatusCode, Json<SightingKept>), Problem> {
    let sight = sight::of(&gate, &caller)?;
    let now = room.platform().now();
    let mut sql = room.platform().db.read().await?;
    let stored = objects::known_at(&mut sql, &id, sight, i64::MAX).await?;
    let stored = stored.ok_or_else(|| not_here(&id))?;
    drop(sql);
    let at_us = time_of(&new, now.as_micros())?;
    let tlp = intel::label(stored.tlp);
    let object = made(&room, &stored.id, &new, at_us, tlp);
    let made_id = object.id_text().to_owned();
    if let Some(error) = stix::validate::object(&object).first_error() {
        let text = format!("{}: {}", error.property, error.message);
        return Err(cannot(&text).remedy("Sight the indicator that names it."));
    }
    import::keep(&room, Origin::person(&caller.name, "", tlp).source, vec![object]).await?;
    let mut sql = room.platform().db.read().await?;
    let now_us = room.platform().now().as_micros();
    let found = intel::standing::of_objects(&mut sql, &[stored.node], sight, now_us).await?;
    let first = found.get(&stored.node).and_then(|all| all.first());
    Ok((
        StatusCode::CREATED,
        Json(SightingKept {
            id: made_id,
            score_now: first.map(|one| one.score.value),
            standing: first.map(|one| one.why.word().to_owned()),
        }),
    ))
}

fn time_of(new: &NewSighting, now_us: i64) -> Result<i64, Problem> {
    for (name, text) in [("where", &new.place), ("comment", &new.comment)] {
        let text = text.as_deref().unwrap_or_default();
        if text.chars().count() > MAX_TEXT_CHARS || text.chars().any(char::is_control) {
            return Err(cannot(&format!(
                "{name} has at most {MAX_TEXT_CHARS} characters and no control signs"
            )));
        }
    }
    if !new.count.is_none_or(|count| (1..=MAX_COUNT).contains(&count)) {
        return Err(cannot(&format!("count lies between 1 and {MAX_COUNT}")));
    }
    let at_us = super::time("seen_at", new.seen_at.as_deref())?.unwrap_or(now_us);
    if at_us > now_us.saturating_add(MAX_AHEAD_US) {
        return Err(cannot("seen_at lies in the future"));
    }
    Ok(at_us.min(now_us))
}

fn made(room: &Knowledge, target: &str, new: &NewSighting, at_us: i64, tlp: stix::Tlp) -> Object {
    let at = |us: i64| model::Timestamp::from_micros(us).to_millis_text();
    let (kind, mut more) = match new.kind {
        SightingType::Sighting => (
            "sighting",
            json!({ "sighting_of_ref": target, "count": new.count.unwrap_or(1),
                "first_seen": at(at_us), "last_seen": at(at_us) }),
        ),
        SightingType::FalsePositive => (
            "opinion",
            json!({ "opinion": "strongly-disagree", "object_refs": [target],
                "explanation": said("False positive", new) }),
        ),
        SightingType::Expiration => (
            "note",
            json!({ "abstract": "Expired", "content": said("It has ended", new),
                "object_refs": [target], "labels": [reports::ENDED] }),
        ),
    };
    if new.kind == SightingType::Sighting && (new.place.is_some() || new.comment.is_some()) {
        more["description"] = Value::String(said("Seen", new));
    }
    let id = StixId::new(kind, room.platform().uuid4());
    let node = room.platform().node.id.to_string();
    // A report without a time of its own holds from when it was made.
    let is_sighting = new.kind == SightingType::Sighting;
    let created = if is_sighting { room.platform().now().as_micros() } else { at_us };
    own::object(&id, &node, &at(created), tlp, more)
}

/// One sentence: what, where, why.
fn said(what: &str, new: &NewSighting) -> String {
    let mut text = what.to_owned();
    for part in [&new.place, &new.comment].into_iter().flatten().filter(|part| !part.is_empty()) {
        text.push_str(": ");
        text.push_str(part);
    }
    text
}

fn cannot(text: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text.to_owned())
}
