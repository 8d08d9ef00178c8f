//! Pages as people keep them.

use model::ViewId;
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::views::View;

const COLUMNS: &str = "id, owner, owner_name, name, path, shared, position";

fn view(row: &AnyRow) -> Result<View, DbError> {
    let id: String = row.try_get("id")?;
    let shared: i64 = row.try_get("shared")?;
    Ok(View {
        id: super::parsed(&id, "identity_views.id")?,
        owner: row.try_get("owner")?,
        owner_name: row.try_get("owner_name")?,
        name: row.try_get("name")?,
        path: row.try_get("path")?,
        shared: shared != 0,
        position: row.try_get("position")?,
    })
}

/// A person's own, in their order, then what others share, by name.
pub(crate) async fn seen_by(
    sql: &mut AnyConnection,
    user: &str,
    most: i64,
) -> Result<Vec<View>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM identity_views WHERE owner = $1 OR shared = 1 \
         ORDER BY CASE WHEN owner = $2 THEN 0 ELSE 1 END, \
         CASE WHEN owner = $3 THEN position ELSE 0 END, name, id LIMIT $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(user)
        .bind(user)
        .bind(user)
        .bind(most)
        .fetch_all(sql)
        .await?;
    rows.iter().map(view).collect()
}

pub(crate) async fn find(sql: &mut AnyConnection, id: ViewId) -> Result<Option<View>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM identity_views WHERE id = $1");
    let row =
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_string()).fetch_optional(sql).await?;
    row.as_ref().map(view).transpose()
}

/// How many a person keeps, and the last place in their order.
pub(crate) async fn count(sql: &mut AnyConnection, user: &str) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS n, COALESCE(MAX(position), 0) AS last FROM identity_views WHERE owner = $1",
    )
    .bind(user)
    .fetch_one(sql)
    .await?;
    Ok((row.try_get("n")?, row.try_get("last")?))
}

/// Writes a view, new or changed.
pub(crate) async fn put(tx: &mut Tx, view: &View) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO identity_views (id, owner, owner_name, name, path, shared, position, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         path = excluded.path, shared = excluded.shared, position = excluded.position",
    )
    .bind(view.id.to_string())
    .bind(&view.owner)
    .bind(&view.owner_name)
    .bind(&view.name)
    .bind(&view.path)
    .bind(i64::from(view.shared))
    .bind(view.position)
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(())
}

pub(crate) async fn remove(tx: &mut Tx, id: ViewId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM identity_views WHERE id = $1")
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}
