//! What others said of an object: it was seen, it was none, it has ended.
//!
//! | STIX object | report |
//! |---|---|
//! | `sighting` with a count above 0 or none | seen, at `last_seen`, else `first_seen`, else `created` |
//! | `opinion` "strongly-disagree" (as MISP's false positives are written) | a false positive, at `created` |
//! | `note` with the label [`ENDED`] | it has ended, at `created` |
//!
//! Each object counts once, whatever its `count` says: many sensors that saw one thing are one word of one teller. Of the
//! false positives that one source reports of an object only the newest counts: who repeats itself says nothing new, and
//! could otherwise talk any indicator down.

use std::collections::HashMap;

use feeds::decay::Report;
use platform::db::DbError;
use serde_json::Value;
use sqlx::{AnyConnection, Row};
use stix::{Object, Timestamp};

use crate::prepare::{Prepared, Reported};
use crate::sight::Sight;
use crate::sql::{ROWS, marks, tuples};
use crate::write::Batch;

/// Label of a note that says of what it refers to: this has ended.
pub const ENDED: &str = "sereno:expiration";
/// Reports read for one answer, the newest of them.
pub const MAX_REPORTS: i64 = 2_000;
/// Objects that one opinion or note speaks of at most; the rest are not counted.
const MAX_TARGETS: usize = 100;

/// What an object reports of others.
pub(crate) fn of(object: &Object) -> Vec<Reported> {
    let time = |names: &[&str]| {
        names.iter().find_map(|name| object.timestamp(name)).map_or(0, Timestamp::unix_us)
    };
    let (report, at_us) = match object.kind() {
        "sighting" if object.get("count").and_then(Value::as_i64) != Some(0) => {
            (Report::Sighting, time(&["last_seen", "first_seen", "created"]))
        }
        "opinion" if object.text("opinion") == Some("strongly-disagree") => {
            (Report::FalsePositive, time(&["created"]))
        }
        "note" if has_label(object, ENDED) => (Report::Expiration, time(&["created"])),
        _ => return vec![],
    };
    let one = object.text("sighting_of_ref").into_iter();
    let many = object.get("object_refs").and_then(Value::as_array).into_iter().flatten();
    one.chain(many.filter_map(Value::as_str).take(MAX_TARGETS))
        .filter(|target| *target != object.id_text())
        .map(|target| Reported { target: target.to_owned(), report, at_us })
        .collect()
}

fn has_label(object: &Object, wanted: &str) -> bool {
    let labels = object.get("labels").and_then(Value::as_array);
    labels.into_iter().flatten().any(|label| label.as_str() == Some(wanted))
}

const fn number(report: Report) -> i64 {
    match report {
        Report::Sighting => 0,
        Report::FalsePositive => 1,
        Report::Expiration => 2,
    }
}

const fn report(number: i64) -> Report {
    match number {
        0 => Report::Sighting,
        1 => Report::FalsePositive,
        _ => Report::Expiration,
    }
}

/// Notes what the newest versions report. A time in the future is no time to come back to: it counts from now.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    newest: &[(i64, &Prepared)],
    nodes: &HashMap<&str, i64>,
) -> Result<(), DbError> {
    let mut rows = HashMap::new();
    for (teller, object) in newest {
        for said in &object.reports {
            if let Some(target) = nodes.get(said.target.as_str()) {
                let tlp = object.tlp.unwrap_or(batch.unmarked);
                rows.insert((*target, *teller), (said.report, said.at_us.min(batch.now_us), tlp));
            }
        }
    }
    let rows: Vec<_> = rows.into_iter().collect();
    for chunk in rows.chunks(ROWS) {
        let text = format!(
            "INSERT INTO intel_reports (target, teller, kind, seen_at, tlp) VALUES {} \
             ON CONFLICT (target, teller) DO UPDATE SET kind = excluded.kind, \
             seen_at = excluded.seen_at, tlp = excluded.tlp",
            tuples(chunk.len(), 5)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for ((target, teller), (said, at_us, tlp)) in chunk {
            query = query.bind(*target).bind(*teller).bind(number(*said)).bind(*at_us).bind(*tlp);
        }
        query.execute(&mut *sql).await?;
    }
    Ok(())
}

/// Takes away what an object reported.
pub(crate) async fn forget(sql: &mut AnyConnection, node: i64) -> Result<(), DbError> {
    sqlx::query("DELETE FROM intel_reports WHERE teller = $1").bind(node).execute(sql).await?;
    Ok(())
}

/// What was said of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What counts, with the times.
    pub reports: Vec<(i64, Report)>,
    /// False positives that do not count, because their source says another one.
    pub repeated: u64,
}

/// What was reported of objects by those in sight, by the object's number.
///
/// # Errors
/// The database says no.
pub async fn on(
    sql: &mut AnyConnection,
    nodes: &[i64],
    sight: Sight,
) -> Result<HashMap<i64, Said>, DbError> {
    let mut found: HashMap<i64, Said> = HashMap::new();
    for chunk in nodes.chunks(ROWS) {
        let text = format!(
            "SELECT target, kind, seen_at FROM intel_reports WHERE target IN ({}) AND kind <> {} AND tlp <= ? \
             ORDER BY seen_at DESC LIMIT ?",
            marks(chunk.len()),
            number(Report::FalsePositive)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for node in chunk {
            query = query.bind(*node);
        }
        for row in query.bind(sight.most()).bind(MAX_REPORTS).fetch_all(&mut *sql).await? {
            let target: i64 = row.try_get(0)?;
            let one = (row.try_get(2)?, report(row.try_get(1)?));
            found.entry(target).or_default().reports.push(one);
        }
        false_positives(sql, chunk, sight, &mut found).await?;
    }
    Ok(found)
}

/// The newest false positive of each source about each object, and how many more there are.
async fn false_positives(
    sql: &mut AnyConnection,
    nodes: &[i64],
    sight: Sight,
    found: &mut HashMap<i64, Said>,
) -> Result<(), DbError> {
    let text = format!(
        "SELECT r.target, MAX(r.seen_at), COUNT(*) FROM intel_reports r \
         LEFT JOIN intel_objects o ON o.node = r.teller AND o.superseded_at IS NULL \
         WHERE r.target IN ({}) AND r.kind = {} AND r.tlp <= ? \
         GROUP BY r.target, o.source ORDER BY MAX(r.seen_at) DESC LIMIT ?",
        marks(nodes.len()),
        number(Report::FalsePositive)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for node in nodes {
        query = query.bind(*node);
    }
    for row in query.bind(sight.most()).bind(MAX_REPORTS).fetch_all(&mut *sql).await? {
        let said = found.entry(row.try_get(0)?).or_default();
        said.reports.push((row.try_get(1)?, Report::FalsePositive));
        said.repeated += u64::try_from(row.try_get::<i64, _>(2)? - 1).unwrap_or(0);
    }
    Ok(())
}
