//! How a value stands now: who names it, what is left of their word, and why it counts or does not.
//!
//! The base is the confidence of the object (the default of its kind where it has none), times the weight of the source.
//! It fades from the last time somebody stood by it: for an object the later of `valid_from` and `modified`, for a line
//! of a list the last run that still listed it, or a sighting after that. Scores of lists are in scales of their own and
//! are no base. Everything is computed when it is read.

use std::collections::HashMap;

use feeds::decay::{self, Score};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::decay::Models;
use crate::excuse::Excuses;
use crate::reports::{self, Said};
use crate::sight::Sight;
use crate::sql::{ROWS, marks};
use crate::terms::around;
use crate::values::{Known, MAX_HOLDERS};

/// Answers of one lookup.
const MAX_ANSWERS: usize = 50;
/// Values looked at of one list of objects.
const MAX_OF_OBJECTS: i64 = 10_000;

/// Why a word on a value counts, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It counts.
    Lives,
    /// Its `valid_until` is past.
    PastValidity,
    /// Somebody said that it has ended.
    Ended,
    /// Its score fell below the threshold.
    Faded,
    /// A list of well-known values excuses it; the names.
    Excused(String),
    /// It holds only together with something else; what, as a STIX pattern says it.
    Needs(String),
}

impl Why {
    /// One word: `lives`, `past-validity`, `ended`, `faded`, `excused`, `needs-more`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Lives => "lives",
            Self::PastValidity => "past-validity",
            Self::Ended => "ended",
            Self::Faded => "faded",
            Self::Excused(_) => "excused",
            Self::Needs(_) => "needs-more",
        }
    }
}

/// One source's word on a value and what is left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Who says what.
    pub known: Known,
    /// The object's number; 0 for a list.
    pub node: i64,
    /// The value that it names: the one asked for, or a network around it.
    pub named: String,
    /// The score now.
    pub score: Score,
    /// Score below which it no longer counts.
    pub threshold: f64,
    /// Why it counts or not.
    pub why: Why,
    /// When it stops to count if nothing else is said, or stopped, microseconds UTC.
    pub until_us: Option<i64>,
    /// Sightings, false positives and ends that were counted.
    pub reports: usize,
    /// False positives that were not counted, because their source says another one of the same object.
    pub repeated: u64,
}

impl Standing {
    /// Whether it may raise something.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.why == Why::Lives
    }
}

/// What sources in sight say of a value or of networks around it: what counts first, the strongest first.
///
/// # Errors
/// The database says no.
pub async fn of_value(
    sql: &mut AnyConnection,
    value: &str,
    sight: Sight,
    now_us: i64,
) -> Result<Vec<Standing>, DbError> {
    let mut names = around(value);
    names.insert(0, value.to_owned());
    let filter = format!("t.value IN ({})", marks(names.len()));
    let rows = fetch(sql, &filter, Asked::Texts(&names), (sight, now_us, MAX_HOLDERS)).await?;
    let mut found = judge(sql, rows, Some(value), sight, now_us).await?;
    found.truncate(MAX_ANSWERS);
    Ok(found)
}

/// What is left of the word of objects, by their numbers; nothing for objects that name no value.
///
/// # Errors
/// The database says no.
pub async fn of_objects(
    sql: &mut AnyConnection,
    nodes: &[i64],
    sight: Sight,
    now_us: i64,
) -> Result<HashMap<i64, Vec<Standing>>, DbError> {
    let mut found: HashMap<i64, Vec<Standing>> = HashMap::new();
    for chunk in nodes.chunks(ROWS) {
        let filter = format!("m.node IN ({})", marks(chunk.len()));
        let bounds = (sight, i64::MAX, MAX_OF_OBJECTS);
        let rows = fetch(&mut *sql, &filter, Asked::Numbers(chunk), bounds).await?;
        for standing in judge(&mut *sql, rows, None, sight, now_us).await? {
            found.entry(standing.node).or_default().push(standing);
        }
    }
    Ok(found)
}

enum Asked<'a> {
    Texts(&'a [String]),
    Numbers(&'a [i64]),
}

/// A row before it is judged.
struct Mark {
    known: Known,
    node: i64,
    named: String,
    weight: i64,
    /// Last stood by, microseconds UTC.
    stood_us: i64,
    /// What must be seen besides.
    besides: Option<String>,
}

async fn fetch(
    sql: &mut AnyConnection,
    filter: &str,
    asked: Asked<'_>,
    (sight, since_us, most): (Sight, i64, i64),
) -> Result<Vec<Mark>, DbError> {
    let text = format!(
        "SELECT t.value AS value, t.kind AS kind, s.name AS source, s.key AS source_key, s.weight AS weight, \
         m.node AS node, n.id AS object, m.score AS score, m.since AS since, m.until AS until, \
         m.last_at AS last_at, m.besides AS besides, o.modified AS modified FROM intel_terms t \
         JOIN intel_marks m ON m.term = t.term JOIN intel_sources s ON s.source = m.source \
         LEFT JOIN intel_nodes n ON n.node = m.node \
         LEFT JOIN intel_objects o ON o.node = m.node AND o.superseded_at IS NULL \
         WHERE {filter} AND m.since <= ? AND COALESCE(o.tlp, s.tlp) <= ? LIMIT ?"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    match asked {
        Asked::Texts(texts) => {
            for text in texts {
                query = query.bind(text.as_str());
            }
        }
        Asked::Numbers(numbers) => {
            for number in numbers {
                query = query.bind(*number);
            }
        }
    }
    let rows = query.bind(since_us).bind(sight.most()).bind(most).fetch_all(sql).await?;
    rows.iter().map(row_of).collect()
}

fn row_of(row: &AnyRow) -> Result<Mark, DbError> {
    let known = Known {
        source: row.try_get("source")?,
        source_key: row.try_get("source_key")?,
        object: row.try_get("object")?,
        kind: row.try_get("kind")?,
        score: row.try_get("score")?,
        since_us: row.try_get("since")?,
        until_us: row.try_get("until")?,
        last_us: row.try_get("last_at")?,
    };
    let modified: Option<i64> = row.try_get("modified")?;
    let stood_us = match &known.object {
        None => known.last_us,
        // Nobody stands by something later than we heard of it.
        Some(_) => modified.map_or(known.last_us, |at| at.max(known.since_us).min(known.last_us)),
    };
    Ok(Mark {
        node: row.try_get("node")?,
        named: row.try_get("value")?,
        weight: row.try_get("weight")?,
        known,
        stood_us,
        besides: row.try_get("besides")?,
    })
}

async fn judge(
    sql: &mut AnyConnection,
    rows: Vec<Mark>,
    asked: Option<&str>,
    sight: Sight,
    now_us: i64,
) -> Result<Vec<Standing>, DbError> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let models = crate::decay::models(&mut *sql).await?;
    let excuses = Excuses::current(&mut *sql).await?;
    let mut nodes: Vec<i64> = rows.iter().map(|row| row.node).filter(|node| *node != 0).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let reports = reports::on(sql, &nodes, sight).await?;
    let silent = Said::default();
    let excused = asked.and_then(|value| excuses.of(value));
    let mut found: Vec<Standing> = rows
        .into_iter()
        .map(|row| {
            let said = reports.get(&row.node).unwrap_or(&silent);
            let excused = excused.clone().or_else(|| excuses.of(&row.named));
            one(row, &models, said, excused, now_us)
        })
        .collect();
    found.sort_by(|a, b| {
        let rank = |s: &Standing| (s.counts(), s.score.value);
        rank(b)
            .partial_cmp(&rank(a))
            .unwrap_or(std::cmp::Ordering::Equal)
            .then_with(|| a.known.source.cmp(&b.known.source))
            .then_with(|| a.known.object.cmp(&b.known.object))
    });
    Ok(found)
}

fn one(row: Mark, models: &Models, said: &Said, excused: Option<String>, now_us: i64) -> Standing {
    let reports = said.reports.as_slice();
    let model = models.of(&row.known.kind);
    let confidence = row.known.object.as_ref().and(row.known.score);
    // A weight is 0 to 100: exact in a float.
    #[allow(clippy::cast_precision_loss)]
    let weight = row.weight as f64 / 100.0;
    let base = confidence.unwrap_or(model.default_base) * weight;
    let mut score = decay::score(&model, Some(base), row.stood_us, reports, now_us);
    let past = row.known.until_us.filter(|until| *until <= now_us);
    let ended = last_end(reports, now_us);
    let (why, until_us) = match (excused, past) {
        (Some(lists), _) => (Why::Excused(lists), None),
        (None, Some(until)) => (Why::PastValidity, Some(until)),
        (None, None) if ended.is_some() => (Why::Ended, ended),
        (None, None) if score.expired => (Why::Faded, faded_at(&model, &score)),
        (None, None) => {
            let fades = decay::expires_at(&model, &score);
            let until = [fades, row.known.until_us].into_iter().flatten().min();
            (row.besides.map_or(Why::Lives, Why::Needs), until)
        }
    };
    if past.is_some() {
        score.value = 0.0;
        score.expired = true;
    }
    Standing {
        node: row.node,
        named: row.named,
        score,
        threshold: model.threshold,
        why,
        until_us,
        reports: reports.iter().filter(|(at, _)| *at <= now_us).count(),
        repeated: said.repeated,
        known: row.known,
    }
}

/// When an end was reported after which nothing was seen.
fn last_end(reports: &[(i64, decay::Report)], now_us: i64) -> Option<i64> {
    let last = |wanted: decay::Report| {
        let at = reports.iter().filter(|(at, report)| *report == wanted && *at <= now_us);
        at.map(|(at, _)| *at).max()
    };
    let ended = last(decay::Report::Expiration)?;
    // At the same time being seen is the stronger word, as in the score.
    last(decay::Report::Sighting).is_none_or(|seen| seen < ended).then_some(ended)
}

/// When a score fell below the threshold.
fn faded_at(model: &decay::Model, score: &Score) -> Option<i64> {
    // Where false positives took the base below the threshold there is no such time.
    (score.base >= model.threshold)
        .then(|| decay::expires_at(model, &Score { expired: false, ..*score }))
        .flatten()
}
