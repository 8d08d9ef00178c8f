//! SQL of layers.

use model::Timestamp;
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Layer, MAX_LAYERS};

fn layer(row: &AnyRow) -> Result<Layer, DbError> {
    let number = |name: &str| row.try_get::<Option<i64>, _>(name);
    let bytes: i64 = row.try_get("bytes")?;
    Ok(Layer {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        form: row.try_get("form")?,
        media: row.try_get("media")?,
        bytes: bytes.unsigned_abs(),
        width: number("width")?.map(i64::unsigned_abs),
        height: number("height")?.map(i64::unsigned_abs),
        added_by: row.try_get("added_by")?,
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
        blob: row.try_get("blob")?,
    })
}

/// All layers, in the order of their names.
pub(crate) async fn list(connection: &mut AnyConnection) -> Result<Vec<Layer>, DbError> {
    let rows = sqlx::query("SELECT * FROM assets_layers ORDER BY name, id LIMIT $1")
        .bind(MAX_LAYERS)
        .fetch_all(connection)
        .await?;
    rows.iter().map(layer).collect()
}

/// One layer.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Layer>, DbError> {
    let row = sqlx::query("SELECT * FROM assets_layers WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(layer).transpose()
}

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM assets_layers").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// Writes a new layer.
pub(crate) async fn insert(tx: &mut Tx, layer: &Layer) -> Result<(), DbError> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO assets_layers (id, name, form, media, bytes, width, height, blob, added_by, \
         recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(layer.id.clone())
    .bind(layer.name.clone())
    .bind(layer.form.clone())
    .bind(layer.media.clone())
    .bind(number(layer.bytes))
    .bind(layer.width.map(number))
    .bind(layer.height.map(number))
    .bind(layer.blob.clone())
    .bind(layer.added_by.clone())
    .bind(layer.recorded_at.as_micros())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Names of sites that stand on a plan, a few of them.
pub(crate) async fn sites_on(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT name FROM assets_sites WHERE plan = $1 ORDER BY name LIMIT 5")
        .bind(id)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
}

/// Removes a layer; false when there was none.
pub(crate) async fn remove(tx: &mut Tx, id: &str) -> Result<bool, DbError> {
    let done =
        sqlx::query("DELETE FROM assets_layers WHERE id = $1").bind(id).execute(tx.sql()).await?;
    Ok(done.rows_affected() == 1)
}
