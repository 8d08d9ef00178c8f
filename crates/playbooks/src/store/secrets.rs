//! Sealed credentials.

use model::Timestamp;
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, time, to_json};

/// One sealed credential.
#[derive(Clone, Debug)]
pub(crate) struct SecretRow {
    pub name: String,
    pub sealed: String,
    pub hosts: Vec<String>,
    pub set_by: String,
    pub set_at: Timestamp,
}

pub(crate) async fn put(connection: &mut AnyConnection, it: &SecretRow) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_secrets (name, sealed, hosts, set_by, set_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, \
         hosts = excluded.hosts, set_by = excluded.set_by, set_at = excluded.set_at",
    )
    .bind(it.name.clone())
    .bind(it.sealed.clone())
    .bind(to_json(&it.hosts, "playbooks_secrets.hosts")?)
    .bind(it.set_by.clone())
    .bind(it.set_at.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn one(
    connection: &mut AnyConnection,
    name: &str,
) -> Result<Option<SecretRow>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_secrets WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All, by name.
pub(crate) async fn list(connection: &mut AnyConnection) -> Result<Vec<SecretRow>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM playbooks_secrets ORDER BY name").fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<usize, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM playbooks_secrets").fetch_one(connection).await?;
    Ok(usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}

/// True when there was one.
pub(crate) async fn remove(connection: &mut AnyConnection, name: &str) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM playbooks_secrets WHERE name = $1")
        .bind(name.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &AnyRow) -> Result<SecretRow, DbError> {
    Ok(SecretRow {
        name: row.try_get("name")?,
        sealed: row.try_get("sealed")?,
        hosts: json(&row.try_get::<String, _>("hosts")?, "playbooks_secrets.hosts")?,
        set_by: row.try_get("set_by")?,
        set_at: time(row, "set_at")?,
    })
}
