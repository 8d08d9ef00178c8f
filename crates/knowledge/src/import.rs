//! Taking a bundle in: read, judged object by object, stored in transactions of bounded size.

use axum::body::Bytes;
use intel::{Batch, Prepared, Put, Source, write};
use platform::db::{DbError, Tx};
use platform::http::Problem;
use serde::Serialize;
use stix::json::Limits;
use stix::{Object, Tlp, validate};
use utoipa::ToSchema;

use crate::error::KnowledgeError;
use crate::room::Knowledge;

/// Objects of one transaction: others who write wait no longer than for these.
pub(crate) const OBJECTS_PER_COMMIT: usize = 2_048;
/// Bytes of a bundle for each JSON value it may hold: real ones have more, and a value costs about a hundred in memory.
const BYTES_PER_VALUE: usize = 16;
/// Refused objects named in a report; the rest are counted.
const MAX_REFUSED_NAMED: usize = 1_000;

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ImportReport {
    /// Objects in the bundle.
    pub(crate) objects: u64,
    /// Ids that were not known.
    pub(crate) new: u64,
    /// Versions newer than all known.
    pub(crate) updated: u64,
    /// Versions not known, older than the newest.
    pub(crate) older: u64,
    /// Versions known with this content.
    pub(crate) same: u64,
    /// Versions known with another content; the first word stays.
    pub(crate) conflicts: u64,
    /// Objects that break a rule of STIX and were not stored.
    pub(crate) refused: u64,
    /// Which were refused or in conflict and why, the first thousand.
    pub(crate) problems: Vec<ImportProblem>,
}

/// An object that was not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ImportProblem {
    /// Place in the bundle, from 0.
    pub(crate) index: u64,
    /// Id as written; may be empty.
    pub(crate) id: String,
    /// Why.
    pub(crate) reason: String,
}

impl ImportReport {
    fn problem(&mut self, index: usize, id: &str, reason: String) {
        self.problem_of(MAX_REFUSED_NAMED, index, id, reason);
    }

    fn problem_of(&mut self, most: usize, index: usize, id: &str, reason: String) {
        if self.problems.len() < most {
            let id = id.chars().take(300).collect();
            self.problems.push(ImportProblem { index: index as u64, id, reason });
        }
    }

    /// Counts what became of objects that stand at these places.
    pub(crate) fn count_all(
        &mut self,
        most: usize,
        puts: &[Put],
        places: &[usize],
        ids: &[String],
    ) {
        for ((put, place), id) in puts.iter().zip(places).zip(ids) {
            self.count(*put);
            if *put == Put::Conflict {
                let reason = "this version is known with another content, which stays; \
                     give the change a later `modified`";
                self.problem_of(most, *place, id, reason.to_owned());
            }
        }
    }

    fn count(&mut self, put: Put) {
        *match put {
            Put::New => &mut self.new,
            Put::Updated => &mut self.updated,
            Put::Older => &mut self.older,
            Put::Same => &mut self.same,
            // An import goes into no collection: nothing is kept beside.
            Put::Beside | Put::Conflict => &mut self.conflicts,
        } += 1;
    }
}

/// Where an import comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The source it is kept under.
    pub(crate) source: Source,
}

impl Origin {
    /// An import by a person.
    pub(crate) fn person(name: &str, label: &str, tlp: Tlp) -> Self {
        let key =
            if label.is_empty() { format!("person:{name}") } else { format!("import:{label}") };
        let source = Source {
            key,
            name: if label.is_empty() { name.to_owned() } else { label.to_owned() },
            kind: if label.is_empty() { "person" } else { "import" }.to_owned(),
            tlp,
            licence: String::new(),
        };
        Self { source }
    }
}

/// Objects with their places, and what was refused.
pub(crate) struct Judged {
    pub(crate) sound: Vec<(usize, Prepared)>,
    pub(crate) report: ImportReport,
}

/// Reads and stores a bundle, a list of objects, or one object.
///
/// # Errors
/// The text cannot be read (then nothing is stored), or the database says no (then what the report would
/// have counted up to there is stored; importing again is harmless).
pub(crate) async fn run(
    room: &Knowledge,
    origin: Origin,
    body: Bytes,
) -> Result<ImportReport, Problem> {
    let max_bytes = room.config().max_import_bytes;
    let _turn = room.import_turn().await;
    let judging = move || judge(&body, max_bytes, MAX_REFUSED_NAMED);
    let Judged { sound, mut report } = tokio::task::spawn_blocking(judging)
        .await
        .map_err(Problem::internal)?
        .map_err(|text| Problem::bad_request(text).remedy("Send a STIX 2.1 bundle as JSON."))?;
    let mut sound = sound.into_iter();
    loop {
        let (places, objects): (Vec<usize>, Vec<Prepared>) =
            sound.by_ref().take(OBJECTS_PER_COMMIT).unzip();
        if objects.is_empty() {
            return Ok(report);
        }
        let ids: Vec<String> = objects.iter().map(|object| object.id.clone()).collect();
        let puts = store(room, origin.source.clone(), objects).await?;
        report.count_all(MAX_REFUSED_NAMED, &puts, &places, &ids);
    }
}

/// Keeps objects that this node made itself, in one transaction.
///
/// # Errors
/// The database says no; nothing is kept.
pub(crate) async fn keep(
    room: &Knowledge,
    source: Source,
    objects: Vec<Object>,
) -> Result<Vec<Put>, KnowledgeError> {
    store(room, source, objects.iter().map(Prepared::new).collect()).await
}

/// Like [`keep`], with what became of every object.
///
/// # Errors
/// The database says no; nothing is kept.
pub(crate) async fn keep_counted(
    room: &Knowledge,
    source: Source,
    objects: Vec<Object>,
) -> Result<ImportReport, KnowledgeError> {
    let mut report = ImportReport { objects: objects.len() as u64, ..ImportReport::default() };
    let ids: Vec<String> = objects.iter().map(|object| object.id_text().to_owned()).collect();
    for (place, put) in keep(room, source, objects).await?.into_iter().enumerate() {
        report.count(put);
        if put == Put::Conflict {
            let reason = "this version is known with another content, which stays".to_owned();
            report.problem(place, &ids[place], reason);
        }
    }
    Ok(report)
}

async fn store(
    room: &Knowledge,
    source: Source,
    objects: Vec<Prepared>,
) -> Result<Vec<Put>, KnowledgeError> {
    room.platform()
        .db
        .write(move |tx| Box::pin(async move { Ok(store_in(tx, &source, &objects).await?) }))
        .await
}

/// Stores objects within a transaction.
pub(crate) async fn store_in(
    tx: &mut Tx,
    source: &Source,
    objects: &[Prepared],
) -> Result<Vec<Put>, DbError> {
    let now_us = tx.now().as_micros();
    let id = intel::sources::ensure(tx.sql(), source, now_us).await?;
    let unmarked = intel::rank(source.tlp);
    let batch = Batch { source: id, unmarked, collection: None, objects, now_us };
    write::store(tx.sql(), &batch).await
}

/// Reads a bundle and judges each object; `most` of those refused are named.
///
/// # Errors
/// One sentence that says where it cannot be read.
pub(crate) fn judge(body: &[u8], max_bytes: usize, most: usize) -> Result<Judged, String> {
    let limits =
        Limits { max_bytes, max_values: max_bytes / BYTES_PER_VALUE, ..stix::json::DEFAULT_LIMITS };
    let value = stix::json::read(body, limits).map_err(|error| error.to_string())?;
    let objects = match value {
        serde_json::Value::Array(items) => items,
        serde_json::Value::Object(mut map) if map.get("type").is_some_and(|t| t == "bundle") => {
            match map.shift_remove("objects") {
                Some(serde_json::Value::Array(items)) => items,
                Some(_) => return Err("`objects` of the bundle is no list".into()),
                None => vec![],
            }
        }
        object @ serde_json::Value::Object(_) => vec![object],
        _ => return Err("neither a bundle, a list of objects, nor an object".into()),
    };
    let mut judged =
        Judged { sound: Vec::with_capacity(objects.len()), report: ImportReport::default() };
    judged.report.objects = objects.len() as u64;
    for (place, value) in objects.into_iter().enumerate() {
        let Some(object) = Object::from_value(value) else {
            judged.report.refused += 1;
            judged.report.problem_of(most, place, "", "not a JSON object".into());
            continue;
        };
        let found = validate::object(&object);
        match found.first_error() {
            None => judged.sound.push((place, Prepared::new(&object))),
            Some(error) => {
                judged.report.refused += 1;
                let reason = format!("{} ({}): {}", error.property, error.clause, error.message);
                judged.report.problem_of(most, place, object.id_text(), reason);
            }
        }
    }
    Ok(judged)
}
