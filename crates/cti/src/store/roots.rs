//! API roots besides the node's own.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// An API root (TAXII 2.1 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// Its place in the path.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Largest request body, bytes.
    pub(crate) max_content_length: usize,
    /// Roles and `peer:NODE` that see it; empty: everybody who may read over TAXII.
    pub(crate) seen_by: Vec<String>,
}

/// Adds a root; false when its name is taken.
pub(crate) async fn add(
    sql: &mut AnyConnection,
    root: &Root,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO cti_roots (name, title, description, max_content_length, seen_by, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(&root.name)
    .bind(&root.title)
    .bind(&root.description)
    .bind(i64::try_from(root.max_content_length).unwrap_or(i64::MAX))
    .bind(serde_json::json!(root.seen_by).to_string())
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All of them, oldest first.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Root>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM cti_roots ORDER BY recorded_at, name").fetch_all(sql).await?;
    rows.iter().map(root).collect()
}

/// Takes a root away; false when there is none.
pub(crate) async fn remove(sql: &mut AnyConnection, name: &str) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM cti_roots WHERE name = $1").bind(name).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

fn root(row: &AnyRow) -> Result<Root, DbError> {
    let seen_by: String = row.try_get("seen_by")?;
    Ok(Root {
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        max_content_length: usize::try_from(row.try_get::<i64, _>("max_content_length")?)
            .unwrap_or_default(),
        seen_by: super::json(&seen_by, "cti_roots.seen_by")?,
    })
}
