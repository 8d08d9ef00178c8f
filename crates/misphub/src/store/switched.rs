//! What people switched on of what ships.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// How something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) enabled: bool,
    pub(crate) required: bool,
}

/// All things of a kind that somebody switched, by name.
pub(crate) async fn all(
    sql: &mut AnyConnection,
    kind: &str,
) -> Result<HashMap<String, State>, DbError> {
    let rows = sqlx::query("SELECT name, enabled, required FROM misphub_switched WHERE kind = $1")
        .bind(kind)
        .fetch_all(sql)
        .await?;
    let state = |row: &sqlx::any::AnyRow| -> Result<(String, State), DbError> {
        let enabled = row.try_get::<i64, _>("enabled")? != 0;
        let required = row.try_get::<i64, _>("required")? != 0;
        Ok((row.try_get("name")?, State { enabled, required }))
    };
    rows.iter().map(state).collect()
}

/// Switches something.
pub(crate) async fn set(
    sql: &mut AnyConnection,
    kind: &str,
    name: &str,
    state: State,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO misphub_switched (kind, name, enabled, required) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, name) DO UPDATE SET enabled = excluded.enabled, required = excluded.required",
    )
    .bind(kind)
    .bind(name)
    .bind(i64::from(state.enabled))
    .bind(i64::from(state.required))
    .execute(sql)
    .await?;
    Ok(())
}
