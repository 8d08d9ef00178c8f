//! What an upgrade carried over without taking its text, relations and values out.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::prepare::Prepared;
use crate::write::{Batch, forget, ids_of, index, intern};

/// Takes out text, relations and values of what an upgrade left unindexed; how many are left.
///
/// # Errors
/// The database says no.
pub async fn step(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let rows = sqlx::query(
        "SELECT o.seq AS seq, o.node AS node, o.source AS source, o.tlp AS tlp, o.body AS body, \
         o.recorded_at AS recorded_at, o.superseded_at IS NULL AS newest FROM intel_unindexed u JOIN intel_objects o ON o.seq = u.seq \
         ORDER BY o.seq LIMIT 256",
    )
    .fetch_all(&mut *sql)
    .await?;
    for row in &rows {
        let (seq, node): (i64, i64) = (row.try_get("seq")?, row.try_get("node")?);
        let body: String = row.try_get("body")?;
        let object = serde_json::from_str(&body).ok().and_then(stix::Object::from_value);
        let prepared = object.map(|object| Prepared::with_body(&object, body));
        if let Some(prepared) = &prepared {
            describe(sql, seq, prepared).await?;
        }
        if let Some(prepared) =
            prepared.filter(|_| row.try_get::<i64, _>("newest").is_ok_and(|newest| newest == 1))
        {
            let prepared = [prepared];
            let nodes = intern(sql, ids_of(&prepared)).await?;
            let batch = Batch {
                source: row.try_get("source")?,
                unmarked: row.try_get("tlp")?,
                collection: None,
                objects: &prepared,
                // Its relations were known as soon as it was.
                now_us: row.try_get("recorded_at")?,
            };
            forget(sql, &[node], batch.now_us).await?;
            index(sql, &batch, &[(node, &prepared[0])], &nodes).await?;
        }
        sqlx::query("DELETE FROM intel_unindexed WHERE seq = $1")
            .bind(seq)
            .execute(&mut *sql)
            .await?;
    }
    let left = sqlx::query("SELECT COUNT(*) FROM intel_unindexed").fetch_one(sql).await?;
    Ok(left.try_get(0)?)
}

/// Says of a version what an older program did not note of it.
async fn describe(sql: &mut AnyConnection, seq: i64, object: &Prepared) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE intel_objects SET name = $1, confidence = $2, tlp = COALESCE($3, tlp) WHERE seq = $4",
    )
    .bind(object.name.as_str())
    .bind(object.confidence)
    .bind(object.tlp)
    .bind(seq)
    .execute(sql)
    .await?;
    Ok(())
}
