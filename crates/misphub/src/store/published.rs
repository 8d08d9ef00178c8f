//! What published events put into the store of intelligence.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Rows of one statement.
const ROWS: usize = 256;

/// An object that an event put there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// STIX id.
    pub(crate) id: String,
    /// Number of the source that said it.
    pub(crate) source: i64,
}

/// What an event put there.
pub(crate) async fn of(sql: &mut AnyConnection, event: i64) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query("SELECT id, source FROM misphub_stored WHERE event = $1 ORDER BY id")
        .bind(event)
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| Ok(Stored { id: row.try_get("id")?, source: row.try_get("source")? }))
        .collect()
}

/// Notes what an event put there.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    event: i64,
    source: i64,
    ids: &[&str],
) -> Result<(), DbError> {
    for chunk in ids.chunks(ROWS) {
        let rows = vec!["(?, ?, ?)"; chunk.len()].join(", ");
        let text = format!(
            "INSERT INTO misphub_stored (event, id, source) VALUES {rows} ON CONFLICT (event, id) DO NOTHING"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in chunk {
            query = query.bind(event).bind(*id).bind(source);
        }
        query.execute(&mut *sql).await?;
    }
    Ok(())
}

/// Strikes objects of an event out; those that no other event of this source holds are returned.
pub(crate) async fn strike(
    sql: &mut AnyConnection,
    event: i64,
    source: i64,
    ids: &[&str],
) -> Result<Vec<String>, DbError> {
    let mut free = Vec::new();
    for chunk in ids.chunks(ROWS) {
        let marks = vec!["?"; chunk.len()].join(", ");
        let delete = format!("DELETE FROM misphub_stored WHERE event = ? AND id IN ({marks})");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(delete)).bind(event);
        for id in chunk {
            query = query.bind(*id);
        }
        query.execute(&mut *sql).await?;
        let held = format!("SELECT id FROM misphub_stored WHERE source = ? AND id IN ({marks})");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(held)).bind(source);
        for id in chunk {
            query = query.bind(*id);
        }
        let mut held = std::collections::HashSet::new();
        for row in query.fetch_all(&mut *sql).await? {
            held.insert(row.try_get::<String, _>(0)?);
        }
        free.extend(chunk.iter().filter(|id| !held.contains(**id)).map(|id| (*id).to_owned()));
    }
    Ok(free)
}
