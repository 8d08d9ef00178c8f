//! `GET` and `PUT /api/v1/knowledge/decay`: how fast values fade, and how much each source's word weighs.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use feeds::decay::Model;
use intel::{Sight, decay, sources};
use model::event::IntelRuleChanged;
use platform::http::{Caller, Gate, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::KnowledgeError;
use crate::room::Knowledge;
use crate::sight;

/// The formula, as it is shown.
const FORMULA: &str =
    "score(t) = base × (1 − (t/τ)^(1/δ)), 0 from τ on; base = confidence × weight of the source";
/// Longest lifetime that can be chosen, days (a hundred years).
const MAX_LIFETIME_DAYS: f64 = 36_500.0;
/// Largest and smallest speed of decay.
const SPEED: std::ops::RangeInclusive<f64> = 0.01..=100.0;
/// Sources weighed in one request.
const MAX_WEIGHED: usize = 1_000;

/// How intelligence fades.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelDecay {
    /// The formula.
    formula: String,
    /// Parameters by kind of value.
    kinds: Vec<IntelDecayKind>,
    /// How much the word of each source weighs.
    sources: Vec<IntelWeight>,
}

/// Parameters of a kind of values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelDecayKind {
    /// The kind: `address`, `domain`, `hash` …; `other` holds for all that are not named.
    kind: String,
    /// τ: after so many days without a sighting nothing is left.
    lifetime_days: f64,
    /// δ: above 1 most is lost early, below 1 late.
    decay_speed: f64,
    /// Score below which a value raises nothing, 0 to 100.
    threshold: f64,
    /// Base where the source gives no confidence, 0 to 100.
    default_base: f64,
    /// Part of the way to 100 that a sighting raises the base, 0 to 1.
    sighting_gain: f64,
    /// Part of the base that a false positive takes away, 0 to 1.
    false_positive_cost: f64,
    /// Who chose them; absent for the program's own choice.
    chosen_by: Option<String>,
}

/// How much a source's word weighs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelWeight {
    /// Key of the source.
    key: String,
    /// Its name.
    name: String,
    /// Percent of what it says.
    weight: i64,
}

/// What shall be changed; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntelDecayChange {
    /// Parameters by kind.
    #[serde(default)]
    kinds: BTreeMap<String, IntelDecayValues>,
    /// Kinds for which the program's own choice shall hold again.
    #[serde(default)]
    reset: Vec<String>,
    /// Weights by key of the source, 0 to 100.
    #[serde(default)]
    sources: BTreeMap<String, i64>,
}

/// Parameters to change; absent ones stay.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntelDecayValues {
    /// Days, above 0, at most 36500.
    lifetime_days: Option<f64>,
    /// 0.01 to 100.
    decay_speed: Option<f64>,
    /// 0 to 100.
    threshold: Option<f64>,
    /// 0 to 100.
    default_base: Option<f64>,
    /// 0 to 1.
    sighting_gain: Option<f64>,
    /// 0 to 1.
    false_positive_cost: Option<f64>,
}

impl IntelDecayValues {
    fn over(&self, model: Model) -> Model {
        Model {
            lifetime_days: self.lifetime_days.unwrap_or(model.lifetime_days),
            decay_speed: self.decay_speed.unwrap_or(model.decay_speed),
            threshold: self.threshold.unwrap_or(model.threshold),
            default_base: self.default_base.unwrap_or(model.default_base),
            sighting_gain: self.sighting_gain.unwrap_or(model.sighting_gain),
            false_positive_cost: self.false_positive_cost.unwrap_or(model.false_positive_cost),
        }
    }
}

/// How values fade, and how much each source's word weighs.
#[utoipa::path(get, path = "/api/v1/knowledge/decay", tag = "knowledge", responses(
    (status = 200, description = "Parameters and weights", body = IntelDecay)))]
pub(crate) async fn decay(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
) -> Result<Json<IntelDecay>, Problem> {
    shown(&room, sight::of(&gate, &caller)?).await
}

async fn shown(room: &Knowledge, sight: Sight) -> Result<Json<IntelDecay>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let models = decay::models(&mut sql).await?;
    let kinds = models.all().map(|(kind, chosen)| IntelDecayKind {
        kind: kind.to_owned(),
        lifetime_days: chosen.model.lifetime_days,
        decay_speed: chosen.model.decay_speed,
        threshold: chosen.model.threshold,
        default_base: chosen.model.default_base,
        sighting_gain: chosen.model.sighting_gain,
        false_positive_cost: chosen.model.false_positive_cost,
        chosen_by: chosen.by.clone(),
    });
    let kinds = kinds.collect();
    let known = sources::all(&mut sql).await?;
    let in_sight = known.into_iter().filter(|one| sight.sees(intel::rank(one.source.tlp)));
    let sources = in_sight
        .map(|one| IntelWeight { key: one.source.key, name: one.source.name, weight: one.weight })
        .collect();
    Ok(Json(IntelDecay { formula: FORMULA.to_owned(), kinds, sources }))
}

/// Changes parameters and weights; nothing is changed where one of them cannot be.
#[utoipa::path(put, path = "/api/v1/knowledge/decay", tag = "knowledge",
    request_body = IntelDecayChange, responses(
    (status = 200, description = "As they are now", body = IntelDecay),
    (status = 404, description = "No such source, or not for you", body = Problem),
    (status = 422, description = "A parameter that cannot be", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Json(change): Json<IntelDecayChange>,
) -> Result<Json<IntelDecay>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let models = judged(&room, &change).await?;
    let weights = weighed(&room, change.sources, sight).await?;
    let by = caller.name;
    let done: Result<(), KnowledgeError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                for (kind, model) in models {
                    decay::choose(tx.sql(), kind, model, &by, now_us).await?;
                    let detail = match model {
                        None => format!("the program's own parameters hold again, says {by}"),
                        Some(model) => format!(
                            "lifetime {} days, speed {}, threshold {}, chosen by {by}",
                            model.lifetime_days, model.decay_speed, model.threshold
                        ),
                    };
                    let fact = IntelRuleChanged { what: format!("decay of {kind}"), detail };
                    tx.publish(&by, &fact).await?;
                }
                for (key, percent) in weights {
                    sources::weigh(tx.sql(), &key, percent).await?;
                    // The key alone: facts are read under every role, a source's name may not be.
                    let detail = format!("{percent} percent, chosen by {by}");
                    let fact = IntelRuleChanged { what: "weight of a source".into(), detail };
                    tx.publish(&by, &fact).await?;
                }
                Ok(())
            })
        })
        .await;
    done?;
    shown(&room, sight).await
}

async fn judged(
    room: &Knowledge,
    change: &IntelDecayChange,
) -> Result<Vec<(&'static str, Option<Model>)>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let now = decay::models(&mut sql).await?;
    let chosen = change.kinds.iter().map(|(name, values)| (name, Some(values)));
    let reset = change.reset.iter().map(|name| (name, None));
    let mut models = Vec::with_capacity(change.kinds.len());
    for (name, values) in chosen.chain(reset) {
        let Some(kind) = decay::kind(name) else {
            let clip: String = name.chars().take(60).collect();
            let all: Vec<&str> = now.all().map(|(kind, _)| kind).collect();
            return Err(cannot(format!("'{clip}' is no kind of value"))
                .remedy(format!("Kinds are {}.", all.join(", "))));
        };
        let model = values.map(|values| values.over(now.of(kind)));
        if let Some(model) = &model {
            let at = |text: String| cannot(format!("{kind}: {text}"));
            model.check().map_err(|error| at(error.to_string()))?;
            if model.lifetime_days > MAX_LIFETIME_DAYS {
                return Err(at(format!("lifetime_days is at most {MAX_LIFETIME_DAYS}")));
            }
            if !SPEED.contains(&model.decay_speed) {
                return Err(at(format!(
                    "decay_speed lies between {} and {}",
                    SPEED.start(),
                    SPEED.end()
                )));
            }
        }
        models.push((kind, model));
    }
    Ok(models)
}

async fn weighed(
    room: &Knowledge,
    weights: BTreeMap<String, i64>,
    sight: Sight,
) -> Result<Vec<(String, i64)>, Problem> {
    if weights.len() > MAX_WEIGHED {
        return Err(cannot(format!("one request weighs at most {MAX_WEIGHED} sources")));
    }
    let mut sql = room.platform().db.read().await?;
    for (key, percent) in &weights {
        let known = sources::by_key(&mut sql, key).await?;
        if !known.is_some_and(|one| sight.sees(intel::rank(one.source.tlp))) {
            let clip: String = key.chars().take(120).collect();
            return Err(Problem::not_found(format!("source '{clip}'")));
        }
        if !(0..=100).contains(percent) {
            return Err(cannot(format!("the weight {percent} does not lie between 0 and 100")));
        }
    }
    Ok(weights.into_iter().collect())
}

fn cannot(text: String) -> Problem {
    Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
        .remedy("See GET /api/v1/knowledge/decay for what holds now.")
}
