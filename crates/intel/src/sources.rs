//! Who tells us things: people, peers, feeds, knowledge bases.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use stix::Tlp;

use crate::sight::{label, rank};

/// Short number of a source.
pub type SourceId = i64;

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Stable name of its own, e.g. `peer:UUID`, `feed:kev`, `knowledge:attack`.
    pub key: String,
    /// What people read.
    pub name: String,
    /// `peer`, `feed`, `misp`, `taxii`, `knowledge`, `person`, `import`, `own`.
    pub kind: String,
    /// What holds for objects that carry no TLP marking themselves.
    pub tlp: Tlp,
    /// Under which terms it may be used; may be empty.
    pub licence: String,
}

/// A source as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSource {
    /// Its number.
    pub id: SourceId,
    /// The source.
    pub source: Source,
    /// First seen, microseconds UTC.
    pub recorded_us: i64,
    /// How much its word weighs, percent.
    pub weight: i64,
}

/// The number of a source; it is added or brought up to date.
///
/// # Errors
/// The database says no.
pub async fn ensure(
    sql: &mut AnyConnection,
    source: &Source,
    now_us: i64,
) -> Result<SourceId, DbError> {
    let row = sqlx::query(
        "INSERT INTO intel_sources (key, name, kind, tlp, licence, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO UPDATE SET name = excluded.name, \
         kind = excluded.kind, licence = excluded.licence, \
         tlp = CASE WHEN excluded.kind IN ('person', 'import') AND intel_sources.tlp < excluded.tlp \
         THEN intel_sources.tlp ELSE excluded.tlp END RETURNING source",
    )
    .bind(&source.key)
    .bind(&source.name)
    .bind(&source.kind)
    .bind(rank(source.tlp))
    .bind(&source.licence)
    .bind(now_us)
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// All sources, by name.
///
/// # Errors
/// The database says no.
pub async fn all(sql: &mut AnyConnection) -> Result<Vec<StoredSource>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM intel_sources ORDER BY name, source").fetch_all(sql).await?;
    rows.iter().map(source).collect()
}

/// A source by its key.
///
/// # Errors
/// The database says no.
pub async fn by_key(sql: &mut AnyConnection, key: &str) -> Result<Option<StoredSource>, DbError> {
    let row = sqlx::query("SELECT * FROM intel_sources WHERE key = $1")
        .bind(key)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(source).transpose()
}

/// Weighs a source's word, 0 to 100 percent; false when there is none of that key.
///
/// # Errors
/// The database says no.
pub async fn weigh(sql: &mut AnyConnection, key: &str, percent: i64) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE intel_sources SET weight = $1 WHERE key = $2")
        .bind(percent.clamp(0, 100))
        .bind(key)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn source(row: &AnyRow) -> Result<StoredSource, DbError> {
    Ok(StoredSource {
        id: row.try_get("source")?,
        source: Source {
            key: row.try_get("key")?,
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            tlp: label(row.try_get("tlp")?),
            licence: row.try_get("licence")?,
        },
        recorded_us: row.try_get("recorded_at")?,
        weight: row.try_get("weight")?,
    })
}
