//! Endpoints under `/api/v1/intel/`, one a file.

mod catalogues;
mod complete;
mod decay;
mod export;
mod held;
mod import;
mod imports;
mod layers;
mod layouts;
mod licences;
mod matrix;
mod object;
mod path;
mod relations;
mod reports;
mod search;
mod sightings;
pub(crate) mod stream;
mod warninglists;

use std::collections::HashMap;

use intel::objects::Stored;
use intel::standing::Standing;
use model::Timestamp;
use platform::http::{Permission, Problem, RoomRouter};
use serde::Serialize;
use sqlx::AnyConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::error::KnowledgeError;
use crate::room::Knowledge;

const READ: Permission = Permission("knowledge.read");
const IMPORT: Permission = Permission("knowledge.import");
const WRITE: Permission = Permission("knowledge.write");
const CONFIGURE: Permission = Permission("knowledge.configure");

pub(crate) fn routes() -> RoomRouter<Knowledge> {
    RoomRouter::default()
        .route(READ, routes!(search::search))
        .route(READ, routes!(complete::complete))
        .route(READ, routes!(object::object))
        .route(READ, routes!(relations::relations))
        .route(READ, routes!(path::path))
        .route(READ, routes!(held::held))
        .route(READ, routes!(export::export))
        .route(READ, routes!(matrix::matrix))
        .route(READ, routes!(matrix::layer))
        .route(READ, routes!(reports::extract))
        .route(READ, routes!(decay::decay))
        .route(READ, routes!(warninglists::list))
        .route(READ, routes!(stream::stream))
        .route(WRITE, routes!(reports::store))
        .route(WRITE, routes!(sightings::sighting))
        .route(CONFIGURE, routes!(decay::change))
        .route(CONFIGURE, routes!(warninglists::add))
        .route(CONFIGURE, routes!(warninglists::remove))
        .route(READ, routes!(licences::licences))
        // A layout is its person's own: whoever may read may keep one.
        .route(READ, routes!(layouts::list))
        .route(READ, routes!(layouts::layout, layouts::keep, layouts::forget))
        .route(IMPORT, routes!(catalogues::load))
        .route(IMPORT, routes!(layers::take))
        .route(IMPORT, routes!(import::import))
        // An import is its person's own: its list of problems names what may be out of others' sight.
        .route(IMPORT, routes!(imports::begin, imports::list))
        .route(IMPORT, routes!(imports::one))
        .route(IMPORT, routes!(imports::problems))
}

/// An object in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IntelItem {
    /// STIX id.
    id: String,
    /// STIX type.
    #[serde(rename = "type")]
    kind: String,
    /// Its name, or what stands for one.
    name: String,
    /// TLP label that holds here.
    tlp: String,
    /// 0 to 100, as its author says.
    confidence: Option<i64>,
    /// Whether its author took it back.
    revoked: bool,
    /// Who told us first.
    source: String,
    /// When the object was made, by its author's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    created: Option<Timestamp>,
    /// When this version was made, by its author's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    modified: Option<Timestamp>,
    /// When this node learned of this version.
    #[schema(value_type = String, format = DateTime)]
    known_at: Timestamp,
    /// What is left of an indicator's word now, 0 to 100, the strongest of its values; absent for what names none, and in
    /// lists of the past.
    score_now: Option<f64>,
    /// `lives`, or why it does not count: `past-validity`, `ended`, `faded`, `excused`, `needs-more`.
    standing: Option<String>,
}

impl IntelItem {
    /// With what is left of its word.
    fn standing(mut self, found: Option<&Vec<Standing>>) -> Self {
        let first = found.and_then(|all| all.first());
        self.score_now = first.map(|one| one.score.value);
        self.standing = first.map(|one| one.why.word().to_owned());
        self
    }

    fn new(stored: &Stored, sources: &Names) -> Self {
        Self {
            id: stored.id.clone(),
            kind: stored.kind.clone(),
            name: stored.name.clone(),
            tlp: intel::label(stored.tlp).label().to_owned(),
            confidence: stored.confidence,
            revoked: stored.revoked,
            source: sources.of(stored.source),
            created: stored.created_us.map(Timestamp::from_micros),
            modified: stored.modified_us.map(Timestamp::from_micros),
            known_at: Timestamp::from_micros(stored.recorded_us),
            score_now: None,
            standing: None,
        }
    }
}

/// Names of sources by their numbers.
pub(crate) struct Names(HashMap<i64, String>);

impl Names {
    pub(crate) async fn read(sql: &mut AnyConnection) -> Result<Self, KnowledgeError> {
        let sources = intel::sources::all(sql).await?;
        Ok(Self(sources.into_iter().map(|stored| (stored.id, stored.source.name)).collect()))
    }

    fn of(&self, source: i64) -> String {
        self.0.get(&source).cloned().unwrap_or_default()
    }
}

/// A time in a query.
pub(crate) fn time(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    stix::Timestamp::parse(text).map(|at| Some(at.unix_us())).map_err(|error| {
        let clip: String = text.chars().take(40).collect();
        Problem::bad_request(format!("{name}='{clip}' is no timestamp: {error}"))
            .remedy("Write it like 2026-11-30T08:00:00Z.")
    })
}

/// An object that is not there, or lies beyond what the caller may see: nobody can tell which.
pub(crate) fn not_here(id: &str) -> Problem {
    let clip: String = id.chars().take(120).collect();
    Problem::not_found(format!("object '{clip}'"))
}
