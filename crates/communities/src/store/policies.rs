//! Own policies with their versions, and what they are tested by.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) version: i64,
    /// Cedar; empty when it was removed.
    pub(crate) text: String,
    pub(crate) changed_by: String,
    pub(crate) changed_us: i64,
}

/// The newest version of each, the removed ones left out.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM communities_policies p WHERE p.text <> '' AND p.version = (SELECT MAX(q.version) \
         FROM communities_policies q WHERE q.id = p.id) ORDER BY p.id",
    )
    .fetch_all(sql)
    .await?;
    rows.iter().map(stored).collect()
}

/// All versions of one, the newest first, removals among them.
pub(crate) async fn versions(sql: &mut AnyConnection, id: &str) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM communities_policies WHERE id = $1 ORDER BY version DESC LIMIT 1000",
    )
    .bind(id)
    .fetch_all(sql)
    .await?;
    rows.iter().map(stored).collect()
}

/// Adds a version; its number.
pub(crate) async fn add(
    sql: &mut AnyConnection,
    id: &str,
    text: &str,
    by: &str,
    now_us: i64,
) -> Result<i64, DbError> {
    let row = sqlx::query(
        "INSERT INTO communities_policies (id, version, text, changed_by, changed_at) \
         SELECT $1, COALESCE(MAX(version), 0) + 1, $2, $3, $4 FROM communities_policies WHERE id = $1 \
         RETURNING version",
    )
    .bind(id)
    .bind(text)
    .bind(by)
    .bind(now_us)
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// The tests, each as JSON, by name.
pub(crate) async fn tests(sql: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT body FROM communities_policy_tests ORDER BY name")
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Puts these tests, name and JSON, in the place of all others.
pub(crate) async fn put_tests(
    sql: &mut AnyConnection,
    tests: &[(String, String)],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM communities_policy_tests").execute(&mut *sql).await?;
    for (name, body) in tests {
        sqlx::query("INSERT INTO communities_policy_tests (name, body) VALUES ($1, $2)")
            .bind(name)
            .bind(body)
            .execute(&mut *sql)
            .await?;
    }
    Ok(())
}

fn stored(row: &AnyRow) -> Result<Stored, DbError> {
    Ok(Stored {
        id: row.try_get("id")?,
        version: row.try_get("version")?,
        text: row.try_get("text")?,
        changed_by: row.try_get("changed_by")?,
        changed_us: row.try_get("changed_at")?,
    })
}
