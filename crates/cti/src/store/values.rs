//! The lookup index: values that lists and indicators name.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Rows written by one statement.
const ROWS_PER_INSERT: usize = 500;

/// A list as loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) held: i64,
    pub(crate) licence: String,
    pub(crate) loaded_at_us: i64,
}

/// One source's word on a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) source: String,
    pub(crate) object: String,
    pub(crate) score: Option<f64>,
    pub(crate) since_us: i64,
}

/// The lists, by name.
pub(crate) async fn sources(sql: &mut AnyConnection) -> Result<Vec<Source>, DbError> {
    let rows = sqlx::query("SELECT * FROM cti_sources ORDER BY name").fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Source {
                name: row.try_get("name")?,
                digest: row.try_get("digest")?,
                held: row.try_get("held")?,
                licence: row.try_get("licence")?,
                loaded_at_us: row.try_get("loaded_at")?,
            })
        })
        .collect()
}

/// Replaces a list as a whole.
pub(crate) async fn replace_list(
    sql: &mut AnyConnection,
    source: &Source,
    since_us: i64,
    values: &[(String, f64)],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM cti_values WHERE source = $1")
        .bind(&source.name)
        .execute(&mut *sql)
        .await?;
    for chunk in values.chunks(ROWS_PER_INSERT) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|n| format!("(${}, 'address', $1, '', ${}, $2, NULL)", 2 * n + 3, 2 * n + 4))
            .collect();
        let text = format!(
            "INSERT INTO cti_values (value, kind, source, object, score, since, until) VALUES {} \
             ON CONFLICT (value, source, object) DO NOTHING",
            rows.join(", ")
        );
        let mut query =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(source.name.clone()).bind(since_us);
        for (value, score) in chunk {
            query = query.bind(value.clone()).bind(*score);
        }
        query.execute(&mut *sql).await?;
    }
    sqlx::query(
        "INSERT INTO cti_sources (name, digest, held, licence, loaded_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, held = excluded.held, \
         licence = excluded.licence, loaded_at = excluded.loaded_at",
    )
    .bind(&source.name)
    .bind(&source.digest)
    .bind(source.held)
    .bind(&source.licence)
    .bind(source.loaded_at_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// A value named by an indicator.
#[derive(Clone, Debug)]
pub(crate) struct Indicated {
    pub(crate) value: String,
    pub(crate) kind: &'static str,
    pub(crate) score: Option<f64>,
    pub(crate) since_us: i64,
    pub(crate) until_us: Option<i64>,
}

/// Replaces what an indicator names, as its newest version says.
pub(crate) async fn replace_indicator(
    sql: &mut AnyConnection,
    source: &str,
    object: &str,
    values: &[Indicated],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM cti_values WHERE object = $1 AND source = $2")
        .bind(object)
        .bind(source)
        .execute(&mut *sql)
        .await?;
    for value in values {
        sqlx::query(
            "INSERT INTO cti_values (value, kind, source, object, score, since, until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (value, source, object) DO NOTHING",
        )
        .bind(&value.value)
        .bind(value.kind)
        .bind(source)
        .bind(object)
        .bind(value.score)
        .bind(value.since_us)
        .bind(value.until_us)
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// What sources say of a value at a time.
pub(crate) async fn lookup(
    sql: &mut AnyConnection,
    value: &str,
    now_us: i64,
) -> Result<Vec<Known>, DbError> {
    let rows = sqlx::query(
        "SELECT source, object, score, since FROM cti_values \
         WHERE value = $1 AND since <= $2 AND (until IS NULL OR until > $2) \
         ORDER BY source, object LIMIT 50",
    )
    .bind(value)
    .bind(now_us)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                source: row.try_get("source")?,
                object: row.try_get("object")?,
                score: row.try_get("score")?,
                since_us: row.try_get("since")?,
            })
        })
        .collect()
}

/// How many values indicators of the STIX store name.
pub(crate) async fn count(sql: &mut AnyConnection, source: &str) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM cti_values WHERE source = $1")
        .bind(source)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}
