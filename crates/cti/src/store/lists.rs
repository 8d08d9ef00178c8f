//! Lists loaded as a whole. What they name stands in the store of what is known.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// A list as loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) name: String,
    /// SHA-256 of the text, hex.
    pub(crate) digest: String,
    /// Values in it.
    pub(crate) held: i64,
    pub(crate) loaded_at_us: i64,
}

impl List {
    /// Key of the list among the sources.
    pub(crate) fn key(name: &str) -> String {
        format!("list:{name}")
    }
}

/// The lists, by name.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<List>, DbError> {
    let rows = sqlx::query("SELECT * FROM cti_lists ORDER BY name").fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(List {
                name: row.try_get("name")?,
                digest: row.try_get("digest")?,
                held: row.try_get("held")?,
                loaded_at_us: row.try_get("loaded_at")?,
            })
        })
        .collect()
}

/// Notes that a list was loaded.
pub(crate) async fn note(sql: &mut AnyConnection, list: &List) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_lists (name, digest, held, loaded_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, held = excluded.held, \
         loaded_at = excluded.loaded_at",
    )
    .bind(&list.name)
    .bind(&list.digest)
    .bind(list.held)
    .bind(list.loaded_at_us)
    .execute(sql)
    .await?;
    Ok(())
}
