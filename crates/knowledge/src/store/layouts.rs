//! Layouts of graphs.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Names of a person's layouts with when each was kept, microseconds UTC.
pub(crate) async fn names(
    sql: &mut AnyConnection,
    person: &str,
) -> Result<Vec<(String, i64)>, DbError> {
    let rows = sqlx::query(
        "SELECT name, recorded_at FROM knowledge_layouts WHERE person = $1 ORDER BY name",
    )
    .bind(person)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A layout's positions as JSON, with when it was kept.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    person: &str,
    name: &str,
) -> Result<Option<(String, i64)>, DbError> {
    let row = sqlx::query(
        "SELECT positions, recorded_at FROM knowledge_layouts WHERE person = $1 AND name = $2",
    )
    .bind(person)
    .bind(name)
    .fetch_optional(sql)
    .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Keeps a layout in place of the one of its name.
pub(crate) async fn put(
    sql: &mut AnyConnection,
    person: &str,
    name: &str,
    positions: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO knowledge_layouts (person, name, positions, recorded_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (person, name) DO UPDATE SET positions = excluded.positions, \
         recorded_at = excluded.recorded_at",
    )
    .bind(person)
    .bind(name)
    .bind(positions)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes a layout away; false when there is none.
pub(crate) async fn remove(
    sql: &mut AnyConnection,
    person: &str,
    name: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM knowledge_layouts WHERE person = $1 AND name = $2")
        .bind(person)
        .bind(name)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}
