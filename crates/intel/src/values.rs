//! Values and who names them: lookup and correlation, with a hard bound on what one value costs.

use std::collections::{HashMap, HashSet};

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::prepare::{Named, Prepared};
use crate::sight::Sight;
use crate::sources::SourceId;
use crate::sql::{ROWS, marks, tuples};
use crate::write::Batch;

/// Holders of one value that a read looks at; beyond it they are only counted.
pub const MAX_HOLDERS: i64 = 1_000;
/// Answers of one lookup.
const MAX_ANSWERS: i64 = 50;

/// One source's word on a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Name of the source.
    pub source: String,
    /// Key of the source.
    pub source_key: String,
    /// The object that names it; `None` for a list.
    pub object: Option<String>,
    /// Kind of the value.
    pub kind: String,
    /// As the source scores it.
    pub score: Option<f64>,
    /// From when, microseconds UTC.
    pub since_us: i64,
    /// Until when, microseconds UTC.
    pub until_us: Option<i64>,
    /// When this source last said so, microseconds UTC.
    pub last_us: i64,
}

/// What sources in sight say of a value at a time, the strongest first.
///
/// # Errors
/// The database says no.
pub async fn lookup(
    sql: &mut AnyConnection,
    value: &str,
    sight: Sight,
    now_us: i64,
) -> Result<Vec<Known>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM (SELECT s.name AS source, s.key AS source_key, n.id AS object, t.kind AS kind, \
         m.score AS score, m.since AS since, m.until AS until, m.last_at AS last_at FROM intel_terms t \
         JOIN intel_marks m ON m.term = t.term JOIN intel_sources s ON s.source = m.source \
         LEFT JOIN intel_nodes n ON n.node = m.node \
         LEFT JOIN intel_objects o ON o.node = m.node AND o.superseded_at IS NULL \
         WHERE t.value = $1 AND m.since <= $2 AND (m.until IS NULL OR m.until > $2) \
         AND COALESCE(o.tlp, s.tlp) <= $3 LIMIT $5) x ORDER BY score DESC, source, object LIMIT $4",
    )
    .bind(value)
    .bind(now_us)
    .bind(sight.most())
    .bind(MAX_ANSWERS)
    .bind(MAX_HOLDERS)
    .fetch_all(sql)
    .await?;
    rows.iter().map(known).collect()
}

fn known(row: &AnyRow) -> Result<Known, DbError> {
    Ok(Known {
        source: row.try_get("source")?,
        source_key: row.try_get("source_key")?,
        object: row.try_get("object")?,
        kind: row.try_get("kind")?,
        score: row.try_get("score")?,
        since_us: row.try_get("since")?,
        until_us: row.try_get("until")?,
        last_us: row.try_get("last_at")?,
    })
}

/// One line of a list that is no STIX object.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The value in its normal form.
    pub value: String,
    /// Kind of the value.
    pub kind: &'static str,
    /// As the list scores it.
    pub score: Option<f64>,
    /// From when, microseconds UTC.
    pub since_us: i64,
    /// Until when, microseconds UTC.
    pub until_us: Option<i64>,
}

/// How a list changed what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListCounts {
    /// Values this source did not list.
    pub new: u64,
    /// Values it lists with another score or time.
    pub updated: u64,
    /// Values it lists as before.
    pub same: u64,
}

/// Takes what a list says now; a value stands once, however often it is said.
///
/// # Errors
/// The database says no.
pub async fn list(
    sql: &mut AnyConnection,
    source: SourceId,
    lines: &[Listed],
    now_us: i64,
) -> Result<ListCounts, DbError> {
    let mut counts = ListCounts::default();
    for chunk in lines.chunks(ROWS) {
        let mut last: HashMap<(&str, &'static str), &Listed> = HashMap::with_capacity(chunk.len());
        for line in chunk {
            if last.insert((&line.value, line.kind), line).is_some() {
                counts.same += 1;
            }
        }
        let keys: Vec<(&str, &'static str)> = last.keys().copied().collect();
        let terms = intern(sql, &keys).await?;
        let before = marks_of(sql, source, terms.values().copied()).await?;
        let mut wanted = Vec::with_capacity(last.len());
        for (key, line) in last {
            let Some(term) = terms.get(&key) else { continue };
            match before.get(term) {
                None => counts.new += 1,
                Some(was) if *was == (line.score, line.since_us, line.until_us) => {
                    counts.same += 1;
                }
                Some(_) => counts.updated += 1,
            }
            wanted.push(Mark {
                term: *term,
                node: 0,
                source,
                score: line.score,
                since_us: line.since_us,
                until_us: line.until_us,
                besides: None,
            });
        }
        let fresh: Vec<i64> =
            wanted.iter().map(|m| m.term).filter(|term| !before.contains_key(term)).collect();
        hold(sql, &fresh).await?;
        mark(sql, &wanted, now_us).await?;
    }
    Ok(counts)
}

type Said = (Option<f64>, i64, Option<i64>);

async fn marks_of(
    sql: &mut AnyConnection,
    source: SourceId,
    terms: impl ExactSizeIterator<Item = i64>,
) -> Result<HashMap<i64, Said>, DbError> {
    let text = format!(
        "SELECT term, score, since, until FROM intel_marks \
         WHERE node = 0 AND source = ? AND term IN ({})",
        marks(terms.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source);
    for term in terms {
        query = query.bind(term);
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))))
        .collect()
}

/// Lets go what a list no longer says: everything it said before `since_us` and not after; how many.
///
/// # Errors
/// The database says no.
pub async fn drop_unsaid(
    sql: &mut AnyConnection,
    source: SourceId,
    since_us: i64,
) -> Result<u64, DbError> {
    sqlx::query(
        "UPDATE intel_terms SET held = held - 1 WHERE term IN (SELECT term FROM intel_marks \
         WHERE node = 0 AND source = $1 AND last_at < $2)",
    )
    .bind(source)
    .bind(since_us)
    .execute(&mut *sql)
    .await?;
    let done =
        sqlx::query("DELETE FROM intel_marks WHERE node = 0 AND source = $1 AND last_at < $2")
            .bind(source)
            .bind(since_us)
            .execute(sql)
            .await?;
    Ok(done.rows_affected())
}

struct Mark {
    term: i64,
    node: i64,
    source: SourceId,
    score: Option<f64>,
    since_us: i64,
    until_us: Option<i64>,
    besides: Option<String>,
}

/// Notes what the newest versions name.
pub(crate) async fn name(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    newest: &[(i64, &Prepared)],
) -> Result<(), DbError> {
    let named: Vec<(i64, &Named)> = newest
        .iter()
        .flat_map(|(node, object)| object.named.iter().map(move |named| (*node, named)))
        .collect();
    for chunk in named.chunks(ROWS) {
        let mut keys: Vec<(&str, &'static str)> =
            chunk.iter().map(|(_, named)| (named.value.as_str(), named.kind)).collect();
        keys.sort_unstable();
        keys.dedup();
        let terms = intern(sql, &keys).await?;
        let mut wanted = Vec::with_capacity(chunk.len());
        let mut counted = Vec::with_capacity(chunk.len());
        let mut seen = HashSet::with_capacity(chunk.len());
        for (node, named) in chunk {
            let Some(term) = terms.get(&(named.value.as_str(), named.kind)).copied() else {
                continue;
            };
            if !seen.insert((term, *node)) {
                continue;
            }
            counted.push(term);
            wanted.push(Mark {
                term,
                node: *node,
                source: batch.source,
                score: named.score,
                since_us: named.since_us,
                until_us: named.until_us,
                besides: named.besides.clone(),
            });
        }
        hold(sql, &counted).await?;
        mark(sql, &wanted, batch.now_us).await?;
    }
    Ok(())
}

/// Takes away what an object named.
pub(crate) async fn forget_node(sql: &mut AnyConnection, node: i64) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE intel_terms SET held = held - 1 \
         WHERE term IN (SELECT term FROM intel_marks WHERE node = $1)",
    )
    .bind(node)
    .execute(&mut *sql)
    .await?;
    sqlx::query("DELETE FROM intel_marks WHERE node = $1").bind(node).execute(sql).await?;
    Ok(())
}

/// The numbers of values, given out where there is none yet.
async fn intern<'k>(
    sql: &mut AnyConnection,
    keys: &[(&'k str, &'static str)],
) -> Result<HashMap<(&'k str, &'static str), i64>, DbError> {
    let text = format!(
        "INSERT INTO intel_terms (value, kind, held) VALUES {} ON CONFLICT (value, kind) DO NOTHING",
        tuples(keys.len(), 3)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (value, kind) in keys {
        query = query.bind(*value).bind(*kind).bind(0_i64);
    }
    query.execute(&mut *sql).await?;
    let text =
        format!("SELECT term, value, kind FROM intel_terms WHERE value IN ({})", marks(keys.len()));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (value, _) in keys {
        query = query.bind(*value);
    }
    let by_text: HashMap<(&str, &str), (&'k str, &'static str)> =
        keys.iter().map(|key| (*key, *key)).collect();
    let mut terms = HashMap::with_capacity(keys.len());
    for row in query.fetch_all(sql).await? {
        let (value, kind): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        if let Some(key) = by_text.get(&(value, kind)) {
            terms.insert(*key, row.try_get(0)?);
        }
    }
    Ok(terms)
}

/// Counts one more holder for each term, as often as it stands in the list.
async fn hold(sql: &mut AnyConnection, terms: &[i64]) -> Result<(), DbError> {
    let mut times: HashMap<i64, i64> = HashMap::with_capacity(terms.len());
    for term in terms {
        *times.entry(*term).or_default() += 1;
    }
    let mut by_times: HashMap<i64, Vec<i64>> = HashMap::new();
    for (term, more) in times {
        by_times.entry(more).or_default().push(term);
    }
    for (more, terms) in by_times {
        let text = format!(
            "UPDATE intel_terms SET held = held + ? WHERE term IN ({})",
            marks(terms.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(more);
        for term in terms {
            query = query.bind(term);
        }
        query.execute(&mut *sql).await?;
    }
    Ok(())
}

async fn mark(sql: &mut AnyConnection, wanted: &[Mark], now_us: i64) -> Result<(), DbError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO intel_marks (term, node, source, score, since, until, first_at, last_at, besides) \
         VALUES {} ON CONFLICT (term, node, source) DO UPDATE SET score = excluded.score, \
         since = excluded.since, until = excluded.until, last_at = excluded.last_at, \
         besides = excluded.besides",
        tuples(wanted.len(), 9)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for mark in wanted {
        query = query
            .bind(mark.term)
            .bind(mark.node)
            .bind(mark.source)
            .bind(mark.score)
            .bind(mark.since_us)
            .bind(mark.until_us)
            .bind(now_us)
            .bind(now_us)
            .bind(mark.besides.as_deref());
    }
    query.execute(sql).await?;
    Ok(())
}

/// A value as the correlation view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The value.
    pub value: String,
    /// Its kind.
    pub kind: String,
    /// How many name it, those beyond the cap included.
    pub held: i64,
}

/// The values that most name: candidates of too much correlation, the most held first.
///
/// # Errors
/// The database says no.
pub async fn most_held(
    sql: &mut AnyConnection,
    least: i64,
    limit: i64,
) -> Result<Vec<Shared>, DbError> {
    let rows = sqlx::query(
        "SELECT value, kind, held FROM intel_terms WHERE held >= $1 \
         ORDER BY held DESC LIMIT $2",
    )
    .bind(least)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(shared).collect()
}

fn shared(row: &AnyRow) -> Result<Shared, DbError> {
    Ok(Shared {
        value: row.try_get("value")?,
        kind: row.try_get("kind")?,
        held: row.try_get("held")?,
    })
}

/// Values that an object names, each with how many in sight name it (counted up to [`MAX_HOLDERS`]).
///
/// # Errors
/// The database says no.
pub async fn named_by(
    sql: &mut AnyConnection,
    node: i64,
    sight: Sight,
) -> Result<Vec<(Shared, i64)>, DbError> {
    let rows = sqlx::query(
        "SELECT t.value AS value, t.kind AS kind, t.held AS held, \
         (SELECT COUNT(*) FROM (SELECT 1 FROM intel_marks x JOIN intel_sources s ON s.source = x.source \
          LEFT JOIN intel_objects o ON o.node = x.node AND o.superseded_at IS NULL \
          WHERE x.term = m.term AND COALESCE(o.tlp, s.tlp) <= $2 LIMIT $3) y) AS seen \
         FROM intel_marks m JOIN intel_terms t ON t.term = m.term \
         WHERE m.node = $1 ORDER BY t.kind, t.value LIMIT 200",
    )
    .bind(node)
    .bind(sight.most())
    .bind(MAX_HOLDERS)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((shared(row)?, row.try_get("seen")?))).collect()
}

/// How many values a source lists.
///
/// # Errors
/// The database says no.
pub async fn count_listed(sql: &mut AnyConnection, source: SourceId) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM intel_marks WHERE node = 0 AND source = $1")
        .bind(source)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// How many values objects in sight name.
///
/// # Errors
/// The database says no.
pub async fn count_named(sql: &mut AnyConnection, sight: Sight) -> Result<i64, DbError> {
    // Who sees everything waits for no join over all of them.
    let text = if sight == Sight::ALL {
        "SELECT COUNT(*) FROM intel_marks WHERE node > 0 AND $1 >= 0"
    } else {
        "SELECT COUNT(*) FROM intel_marks m JOIN intel_sources s ON s.source = m.source \
         LEFT JOIN intel_objects o ON o.node = m.node AND o.superseded_at IS NULL \
         WHERE m.node > 0 AND COALESCE(o.tlp, s.tlp) <= $1"
    };
    let row = sqlx::query(text).bind(sight.most()).fetch_one(sql).await?;
    Ok(row.try_get(0)?)
}
