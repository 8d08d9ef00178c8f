//! `GET /api/v1/intel/objects/{id}`: one object with all that is known around it.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use intel::excuse::Excuses;
use intel::standing::Standing;
use intel::{graph, objects, standing, values};
use model::Timestamp;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{IntelItem, Names, not_here, time};
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ObjectQuery {
    /// As known on this time.
    at: Option<String>,
}

/// One object.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelObject {
    /// What lists show of it.
    item: IntelItem,
    /// The object as it came.
    #[schema(value_type = Object)]
    object: Value,
    /// Who said this version.
    said: Vec<IntelSaid>,
    /// All versions in sight, the newest first.
    versions: Vec<IntelVersion>,
    /// Relations by kind.
    relations: Vec<IntelKindCount>,
    /// Values it names, and how many others name them; none for a version that is not the newest.
    values: Vec<IntelValue>,
}

/// Who said a version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelSaid {
    /// The source.
    source: String,
    /// `peer`, `feed`, `knowledge`, `person`, `import`, `own`.
    kind: String,
    /// 0 to 100, as this source says.
    confidence: Option<i64>,
    /// First said.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// Last said.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelVersion {
    /// By its author's clock; absent for what has no versions.
    #[schema(value_type = Option<String>, format = DateTime)]
    version: Option<Timestamp>,
    /// When this node learned of it.
    #[schema(value_type = String, format = DateTime)]
    known_at: Timestamp,
    /// When a newer one became known.
    #[schema(value_type = Option<String>, format = DateTime)]
    superseded_at: Option<Timestamp>,
    /// Whether it takes the object back.
    revoked: bool,
    /// Who told us first.
    source: String,
}

/// How many relations of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelKindCount {
    /// The kind.
    kind: String,
    /// How many.
    count: i64,
}

/// A value that an object names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelValue {
    /// The value.
    value: String,
    /// Its kind.
    kind: String,
    /// Objects and lists in sight that name it, this one included.
    held: i64,
    /// There are more: the value is too common to be listed in full.
    too_common: bool,
    /// What is left of this object's word on it now; for indicators.
    standing: Option<IntelStanding>,
    /// The lists of well-known values that hold it: it raises nothing and relates nothing.
    excused_by: Option<String>,
}

/// What is left of an indicator's word on a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelStanding {
    /// The score now, 0 to 100.
    score: f64,
    /// The base after all reports, 0 to 100.
    base: f64,
    /// Score below which it raises nothing.
    threshold: f64,
    /// `lives`, or why it does not count: `past-validity`, `ended`, `faded`, `excused`, `needs-more`.
    word: String,
    /// From when its age counts.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it stops to count if nothing else is said, or stopped.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Sightings, false positives and ends that were counted.
    reports: u64,
    /// False positives that were not counted, because their source says another one of the same object.
    repeated: u64,
}

impl IntelStanding {
    fn of(one: &Standing) -> Self {
        Self {
            score: one.score.value,
            base: one.score.base,
            threshold: one.threshold,
            word: one.why.word().to_owned(),
            since: Timestamp::from_micros(one.score.since_us),
            until: one.until_us.map(Timestamp::from_micros),
            reports: one.reports as u64,
            repeated: one.repeated,
        }
    }
}

/// One object, as known now or then.
#[utoipa::path(get, path = "/api/v1/intel/objects/{id}", tag = "knowledge",
    params(("id" = String, Path, description = "STIX id"), ObjectQuery), responses(
    (status = 200, description = "The object", body = IntelObject),
    (status = 404, description = "Not known, or not for you", body = Problem)))]
pub(crate) async fn object(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ObjectQuery>,
) -> Result<Json<IntelObject>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let at_us = time("at", query.at.as_deref())?.unwrap_or(i64::MAX);
    let mut sql = room.platform().db.read().await?;
    let stored = objects::known_at(&mut sql, &id, sight, at_us).await?;
    let stored = stored.ok_or_else(|| not_here(&id))?;
    let names = Names::read(&mut sql).await?;
    let said = objects::said(&mut sql, stored.seq).await?.into_iter().map(|said| IntelSaid {
        source: said.source,
        kind: said.kind,
        confidence: said.confidence,
        first_at: Timestamp::from_micros(said.first_us),
        last_at: Timestamp::from_micros(said.last_us),
    });
    let versions = objects::versions(&mut sql, &id, sight).await?;
    let kinds = graph::kinds(&mut sql, stored.node, sight, at_us).await?;
    // Values are those of the newest version.
    let named = match stored.superseded_us {
        None => values::named_by(&mut sql, stored.node, sight).await?,
        Some(_) => vec![],
    };
    let now_us = room.platform().now().as_micros();
    let excuses = Excuses::current(&mut sql).await?;
    let stand = match (stored.kind.as_str(), stored.superseded_us) {
        ("indicator", None) => standing::of_objects(&mut sql, &[stored.node], sight, now_us)
            .await?
            .remove(&stored.node),
        _ => None,
    };
    let of_value = |value: &str, kind: &str| {
        stand
            .iter()
            .flatten()
            .find(|one| one.named == value && one.known.kind == kind)
            .map(IntelStanding::of)
    };
    Ok(Json(IntelObject {
        item: IntelItem::new(&stored, &names).standing(stand.as_ref()),
        object: serde_json::from_str(&stored.body).map_err(Problem::internal)?,
        said: said.collect(),
        versions: versions
            .into_iter()
            .filter(|version| version.recorded_us <= at_us)
            .map(|version| IntelVersion {
                version: (version.version_us != 0)
                    .then(|| Timestamp::from_micros(version.version_us)),
                known_at: Timestamp::from_micros(version.recorded_us),
                superseded_at: version.superseded_us.map(Timestamp::from_micros),
                revoked: version.revoked,
                source: names.of(version.source),
            })
            .collect(),
        relations: kinds.into_iter().map(|(kind, count)| IntelKindCount { kind, count }).collect(),
        values: named
            .into_iter()
            .map(|(shared, held)| IntelValue {
                too_common: held >= values::MAX_HOLDERS,
                standing: of_value(&shared.value, &shared.kind),
                excused_by: excuses.of(&shared.value),
                value: shared.value,
                kind: shared.kind,
                held,
            })
            .collect(),
    }))
}
