//! `GET /api/v1/detection/laws/{edge}/{protocol}`: a model of laws, with its versions.

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::laws::LawView;
use crate::Detection;
use crate::error::DetectionError;
use crate::laws::memory::{LawModel, Protocol};
use crate::laws::versions::no_law;
use crate::registry;
use crate::state::moment;
use crate::store::law_models::{self, LawModelRow};

/// Publishers and pairs that one answer lists; those beyond are counted.
const MAX_LISTED: usize = 500;
/// Versions that one answer lists, the newest.
const MAX_VERSIONS: i64 = 50;

/// A model of laws.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LawModelView {
    /// How it stands.
    now: LawView,
    /// What it knows: control blocks, or pairs of ends.
    speakers: Vec<Speaker>,
    /// Speakers that are not listed.
    speakers_beyond: usize,
    /// Laws that training itself broke: broken as often they are no alarm.
    broken_in_training: Vec<BrokenInTraining>,
    /// The versions, newest first.
    versions: Vec<LawVersion>,
}

/// Who speaks, and how.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Speaker {
    /// The control block, or the direction of an association.
    name: String,
    /// The device that speaks.
    device: String,
    /// Messages learned from.
    messages: u64,
    /// Mean time between two messages in rest, milliseconds; none for MMS.
    rest_ms: Option<f64>,
    /// Lawful changes of state seen; for MMS the kinds of messages.
    changes: u64,
}

/// A law that training broke.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BrokenInTraining {
    /// Its name.
    law: String,
    /// In words.
    meaning: String,
    /// The most breaks in one window.
    largest: u32,
    /// Windows with a break.
    windows: u64,
}

/// One version.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LawVersion {
    /// Number of the version, from 1.
    version: i64,
    /// `active` or `retired`.
    state: String,
    /// Why it was made.
    reason: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Messages learned from.
    messages: i64,
    /// Packet time of the first.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Packet time of the last.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// SHA-256 of its file.
    file: String,
    /// Ed25519 by the node's key, hex.
    signature: String,
    /// The public key, hex.
    signed_by: String,
    /// Whether the signature fits.
    signature_valid: bool,
}

/// The protocol of a path.
pub(crate) fn protocol(word: &str) -> Result<Protocol, DetectionError> {
    let cut: String = word.chars().take(20).collect();
    Protocol::from_word(word)
        .ok_or_else(|| DetectionError::NotFound(format!("protocol '{cut}' (goose or mms)")))
}

/// A model of laws: how it stands, whom it knows, what its training broke, and its versions.
#[utoipa::path(get, path = "/api/v1/detection/laws/{edge}/{protocol}", tag = "detection",
    params(("edge" = String, Path, description = "The edge's name"),
        ("protocol" = String, Path, description = "`goose` or `mms`")),
    responses((status = 200, body = LawModelView), (status = 404, body = Problem)))]
pub(crate) async fn law(
    State(detection): State<Detection>,
    Path((edge, word)): Path<(String, String)>,
) -> Result<Json<LawModelView>, Problem> {
    let protocol = protocol(&word)?;
    let law = detection.engine().await?.law(&edge, protocol).cloned();
    let law = law.ok_or_else(|| no_law(&edge, protocol))?;
    let platform = &detection.inner.platform;
    let mut connection = platform.db.read().await.map_err(DetectionError::from)?;
    let rows = law_models::of(&mut connection, &edge, protocol, i64::MAX, MAX_VERSIONS).await?;
    let version = |row: LawModelRow| LawVersion {
        signature_valid: registry::check_law(platform, &row).is_ok(),
        version: row.number,
        state: row.state,
        reason: row.reason,
        made_at: moment(row.created_at),
        messages: row.messages,
        from: moment(row.trained_from),
        to: moment(row.trained_to),
        file: row.blob,
        signature: row.signature,
        signed_by: row.signed_by,
    };
    let mut speakers = law.model.as_ref().map(speakers).unwrap_or_default();
    let speakers_beyond = speakers.len().saturating_sub(MAX_LISTED);
    speakers.truncate(MAX_LISTED);
    Ok(Json(LawModelView {
        now: LawView::new(&law, &detection.inner.config),
        speakers,
        speakers_beyond,
        broken_in_training: law.model.as_ref().map(broken).unwrap_or_default(),
        versions: rows.into_iter().map(version).collect(),
    }))
}

fn speakers(model: &LawModel) -> Vec<Speaker> {
    match model {
        LawModel::Goose(model) => {
            let all = model.publishers.iter().map(|(control, own)| Speaker {
                name: control.clone(),
                device: own.device.to_string(),
                messages: own.messages,
                rest_ms: own.rest.mean().map(|mean| mean as f64 / 1e3),
                changes: own.changes,
            });
            all.collect()
        }
        LawModel::Mms(model) => {
            let mut speakers: Vec<Speaker> = Vec::new();
            // Kinds are in the order of their ends.
            for (kind, used) in &model.kinds {
                let name = format!("{} → {}", kind.from, kind.to);
                match speakers.last_mut().filter(|last| last.name == name) {
                    Some(last) => {
                        last.messages += used.count;
                        last.changes += 1;
                    }
                    None => speakers.push(Speaker {
                        name,
                        device: kind.from.to_string(),
                        messages: used.count,
                        rest_ms: None,
                        changes: 1,
                    }),
                }
            }
            speakers
        }
    }
}

fn broken(model: &LawModel) -> Vec<BrokenInTraining> {
    let limits = match model {
        LawModel::Goose(model) => &model.limits,
        LawModel::Mms(model) => &model.limits,
    };
    let of = |law: usize| {
        let (name, words, _) = model.protocol().law(law);
        let largest = limits.largest.get(law).copied().unwrap_or(0);
        let windows = limits.broken.get(law).copied().unwrap_or(0);
        let meaning = words.to_owned();
        (largest > 0).then(|| BrokenInTraining { law: name.to_owned(), meaning, largest, windows })
    };
    (0..limits.largest.len()).filter_map(of).collect()
}
