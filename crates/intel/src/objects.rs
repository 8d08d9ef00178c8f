//! Versions of objects: read by id, by version, as known at a time; written.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::prepare::Prepared;
use crate::sight::Sight;
use crate::sql::{ROWS, marks, tuples};
use crate::write::Batch;

/// One version of an object as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Row of this version.
    pub seq: i64,
    /// Number of the object.
    pub node: i64,
    /// STIX id.
    pub id: String,
    /// STIX type.
    pub kind: String,
    /// What lists show.
    pub name: String,
    /// Version key, microseconds UTC; 0 where there are no versions.
    pub version_us: i64,
    /// `created`, microseconds UTC.
    pub created_us: Option<i64>,
    /// `modified`, microseconds UTC.
    pub modified_us: Option<i64>,
    /// Whether it took its word back.
    pub revoked: bool,
    /// `2.0` or `2.1`.
    pub spec_version: String,
    /// TLP rank.
    pub tlp: i64,
    /// 0 to 100.
    pub confidence: Option<i64>,
    /// Who said it first.
    pub source: i64,
    /// When it became known here, microseconds UTC.
    pub recorded_us: i64,
    /// When a newer version became known; `None` for the newest.
    pub superseded_us: Option<i64>,
    /// The JSON text.
    pub body: String,
}

/// The columns of [`Stored`], of `intel_objects o` joined with `intel_nodes n`.
pub(crate) const COLUMNS: &str = "o.seq AS seq, o.node AS node, n.id AS id, o.type AS type, o.name AS name, \
     o.version AS version, o.created AS created, o.modified AS modified, o.revoked AS revoked, \
     o.spec_version AS spec_version, o.tlp AS tlp, o.confidence AS confidence, o.source AS source, \
     o.recorded_at AS recorded_at, o.superseded_at AS superseded_at, o.body AS body";

pub(crate) fn stored(row: &AnyRow) -> Result<Stored, DbError> {
    Ok(Stored {
        seq: row.try_get("seq")?,
        node: row.try_get("node")?,
        id: row.try_get("id")?,
        kind: row.try_get("type")?,
        name: row.try_get("name")?,
        version_us: row.try_get("version")?,
        created_us: row.try_get("created")?,
        modified_us: row.try_get("modified")?,
        revoked: row.try_get::<i64, _>("revoked")? != 0,
        spec_version: row.try_get("spec_version")?,
        tlp: row.try_get("tlp")?,
        confidence: row.try_get("confidence")?,
        source: row.try_get("source")?,
        recorded_us: row.try_get("recorded_at")?,
        superseded_us: row.try_get("superseded_at")?,
        body: row.try_get("body")?,
    })
}

/// The version of an object that was the newest known at `at_us`. What its newest version keeps from the asker is
/// not there at any time.
///
/// # Errors
/// The database says no.
pub async fn known_at(
    sql: &mut AnyConnection,
    id: &str,
    sight: Sight,
    at_us: i64,
) -> Result<Option<Stored>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM intel_nodes n JOIN intel_objects o ON o.node = n.node \
         WHERE n.id = $1 AND o.recorded_at <= $2 AND (o.superseded_at IS NULL OR o.superseded_at > $2) AND NOT EXISTS (SELECT 1 FROM intel_objects h \
         WHERE h.node = n.node AND h.superseded_at IS NULL AND h.tlp > $3) ORDER BY o.version DESC, o.seq LIMIT 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .bind(at_us)
        .bind(sight.most())
        .fetch_optional(sql)
        .await?;
    let found = row.as_ref().map(stored).transpose()?;
    Ok(found.filter(|object| sight.sees(object.tlp)))
}

/// The newest version of an object.
///
/// # Errors
/// The database says no.
pub async fn newest(
    sql: &mut AnyConnection,
    id: &str,
    sight: Sight,
) -> Result<Option<Stored>, DbError> {
    known_at(sql, id, sight, i64::MAX).await
}

/// Every version in sight, the newest first.
///
/// # Errors
/// The database says no.
pub async fn versions(
    sql: &mut AnyConnection,
    id: &str,
    sight: Sight,
) -> Result<Vec<Stored>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM intel_nodes n JOIN intel_objects o ON o.node = n.node \
         WHERE n.id = $1 AND o.tlp <= $2 ORDER BY o.version DESC, o.seq LIMIT 1000"
    );
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(id).bind(sight.most()).fetch_all(sql).await?;
    rows.iter().map(stored).collect()
}

/// The newest versions of some objects by their numbers, in no order.
///
/// # Errors
/// The database says no.
pub async fn by_nodes(
    sql: &mut AnyConnection,
    nodes: &[i64],
    sight: Sight,
) -> Result<Vec<Stored>, DbError> {
    let mut found = Vec::with_capacity(nodes.len());
    for chunk in nodes.chunks(ROWS) {
        let text = format!(
            "SELECT {COLUMNS} FROM intel_objects o JOIN intel_nodes n ON n.node = o.node \
             WHERE o.tlp <= ? AND o.superseded_at IS NULL AND o.node IN ({})",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(sight.most());
        for node in chunk {
            query = query.bind(*node);
        }
        for row in query.fetch_all(&mut *sql).await? {
            found.push(stored(&row)?);
        }
    }
    Ok(found)
}

/// The number of an id, where it is known or spoken of.
///
/// # Errors
/// The database says no.
pub async fn node(sql: &mut AnyConnection, id: &str) -> Result<Option<i64>, DbError> {
    let row = sqlx::query("SELECT node FROM intel_nodes WHERE id = $1")
        .bind(id)
        .fetch_optional(sql)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Who said a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Name of the source.
    pub source: String,
    /// Kind of the source.
    pub kind: String,
    /// 0 to 100, as this source says.
    pub confidence: Option<i64>,
    /// First said, microseconds UTC.
    pub first_us: i64,
    /// Last said, microseconds UTC.
    pub last_us: i64,
}

/// Who said a version, the first first.
///
/// # Errors
/// The database says no.
pub async fn said(sql: &mut AnyConnection, seq: i64) -> Result<Vec<Said>, DbError> {
    let rows = sqlx::query(
        "SELECT s.name AS name, s.kind AS kind, d.confidence AS confidence, d.first_at AS first_at, \
         d.last_at AS last_at FROM intel_said d JOIN intel_sources s ON s.source = d.source \
         WHERE d.seq = $1 ORDER BY d.first_at, s.name LIMIT 1000",
    )
    .bind(seq)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Said {
                source: row.try_get("name")?,
                kind: row.try_get("kind")?,
                confidence: row.try_get("confidence")?,
                first_us: row.try_get("first_at")?,
                last_us: row.try_get("last_at")?,
            })
        })
        .collect()
}

/// How many newest versions are in sight, by type, the most first.
///
/// # Errors
/// The database says no.
pub async fn counts(sql: &mut AnyConnection, sight: Sight) -> Result<Vec<(String, i64)>, DbError> {
    let rows = sqlx::query(
        "SELECT type, COUNT(*) AS held FROM intel_objects \
         WHERE superseded_at IS NULL AND tlp <= $1 GROUP BY type ORDER BY held DESC, type",
    )
    .bind(sight.most())
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The newest row of all, a sign of whether anything changed.
///
/// # Errors
/// The database says no.
pub async fn last_seq(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM intel_objects").fetch_one(sql).await?;
    Ok(row.try_get(0)?)
}

/// What became known after a row, oldest first; versions that are not the newest are among it.
///
/// # Errors
/// The database says no.
pub async fn since(
    sql: &mut AnyConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM intel_objects o JOIN intel_nodes n ON n.node = o.node WHERE o.seq > $1 \
         ORDER BY o.seq LIMIT $2"
    );
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(after).bind(limit).fetch_all(sql).await?;
    rows.iter().map(stored).collect()
}

/// When a row became known; `None` where there is none.
///
/// # Errors
/// The database says no.
pub async fn recorded(sql: &mut AnyConnection, seq: i64) -> Result<Option<i64>, DbError> {
    let row = sqlx::query("SELECT recorded_at FROM intel_objects WHERE seq = $1")
        .bind(seq)
        .fetch_optional(sql)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The last row up to `seq` that became known by `at_us`: numbers of rows that were taken out are given out again.
///
/// # Errors
/// The database says no.
pub async fn last_by(sql: &mut AnyConnection, seq: i64, at_us: i64) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT COALESCE(MIN(seq) - 1, $1) FROM intel_objects WHERE seq <= $1 AND seq > $1 - 10000 \
         AND recorded_at > $2",
    )
    .bind(seq)
    .bind(at_us)
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// The texts of the newest versions of some types, as far as they are clear to everybody.
///
/// # Errors
/// The database says no.
pub async fn clear_bodies(
    sql: &mut AnyConnection,
    types: &[&str],
    limit: i64,
) -> Result<Vec<String>, DbError> {
    let text = format!(
        "SELECT body FROM intel_objects WHERE superseded_at IS NULL AND tlp = 0 AND type IN ({}) \
         ORDER BY seq LIMIT {limit}",
        marks(types.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for kind in types {
        query = query.bind(*kind);
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A version to be written: the number of the object, what it says, and since when another one is newer.
pub(crate) type Version<'a> = (i64, &'a Prepared, Option<i64>);

/// Writes versions, at least one; their rows by object and version.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    rows: &[Version<'_>],
) -> Result<HashMap<(i64, i64), i64>, DbError> {
    let text = format!(
        "INSERT INTO intel_objects (node, version, type, name, created, modified, revoked, \
         spec_version, tlp, confidence, source, body, recorded_at, superseded_at) VALUES {} \
         RETURNING seq, node, version",
        tuples(rows.len(), 14)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (node, object, superseded) in rows {
        query = query
            .bind(*node)
            .bind(object.version_us)
            .bind(object.kind.as_str())
            .bind(object.name.as_str())
            .bind(object.created_us)
            .bind(object.modified_us)
            .bind(i64::from(object.revoked))
            .bind(object.spec_version.as_str())
            .bind(object.tlp.unwrap_or(batch.unmarked))
            .bind(object.confidence)
            .bind(batch.source)
            .bind(object.body.as_str())
            .bind(batch.now_us)
            .bind(*superseded);
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter().map(|row| Ok(((row.try_get(1)?, row.try_get(2)?), row.try_get(0)?))).collect()
}
