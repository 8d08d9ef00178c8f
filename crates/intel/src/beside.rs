//! Versions kept beside what is known: what somebody says of an object who is not the one it came from. They can be read
//! as versions with who said them, and never become the newest by themselves.

use std::collections::{HashMap, HashSet};

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::objects::insert;
use crate::sources::SourceId;
use crate::sql::{ROWS, marks};
use crate::write::{Batch, Put, ids_of, intern};

/// The same text, or the same JSON value whatever the order of its names.
pub(crate) fn same_content(a: &str, b: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || value(a) == value(b)
}

pub(crate) async fn body_of(sql: &mut AnyConnection, seq: i64) -> Result<String, DbError> {
    let row = sqlx::query("SELECT body FROM intel_objects WHERE seq = $1")
        .bind(seq)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// A version that stood beside is said by the one it came from: `now` takes the place of `before`, with all who said it.
pub(crate) async fn take_over(
    sql: &mut AnyConnection,
    before: i64,
    now: i64,
) -> Result<(), DbError> {
    for text in [
        "UPDATE intel_said SET seq = $2 WHERE seq = $1",
        "UPDATE intel_entries SET seq = $2 WHERE seq = $1",
        "DELETE FROM intel_objects WHERE seq = $1 AND $2 = $2",
    ] {
        sqlx::query(text).bind(before).bind(now).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Keeps every object of the batch beside what is known of it; [`Put::Same`] where it is known with this content, which
/// the source then says too. The collection of the batch is not looked at.
///
/// # Errors
/// The database says no; then nothing of the batch may be kept (roll back).
pub async fn store(sql: &mut AnyConnection, batch: &Batch<'_>) -> Result<Vec<Put>, DbError> {
    let nodes = intern(sql, ids_of(batch.objects)).await?;
    let mut puts = Vec::with_capacity(batch.objects.len());
    for object in batch.objects {
        let node = nodes.get(object.id.as_str()).copied().unwrap_or_default();
        let rows = sqlx::query(
            "SELECT seq, body FROM intel_objects WHERE node = $1 AND version = $2 ORDER BY seq",
        )
        .bind(node)
        .bind(object.version_us)
        .fetch_all(&mut *sql)
        .await?;
        let mut same = None;
        for row in &rows {
            if same_content(row.try_get(1)?, &object.body) {
                same = Some(row.try_get(0)?);
                break;
            }
        }
        let seq: i64 = match same {
            Some(seq) => seq,
            None => {
                let written = insert(sql, batch, &[(node, object, Some(batch.now_us))]).await?;
                written.values().next().copied().unwrap_or_default()
            }
        };
        puts.push(if same.is_some() { Put::Same } else { Put::Beside });
        sqlx::query(
            "INSERT INTO intel_said (seq, source, confidence, first_at, last_at) VALUES ($1, $2, $3, $4, $4) \
             ON CONFLICT (seq, source) DO UPDATE SET last_at = excluded.last_at",
        )
        .bind(seq)
        .bind(batch.source)
        .bind(object.confidence)
        .bind(batch.now_us)
        .execute(&mut *sql)
        .await?;
    }
    Ok(puts)
}

/// Forgets the versions that a source keeps beside those of others. What others say too stays.
///
/// # Errors
/// The database says no.
pub async fn withdraw(
    sql: &mut AnyConnection,
    source: SourceId,
    ids: &[&str],
) -> Result<(), DbError> {
    for chunk in ids.chunks(ROWS) {
        // Where the newest version is not the source's own.
        let beside = format!(
            "(SELECT o.seq FROM intel_nodes n JOIN intel_objects o ON o.node = n.node AND o.superseded_at IS NOT NULL \
             JOIN intel_objects h ON h.node = n.node AND h.superseded_at IS NULL AND h.source <> ? \
             WHERE n.id IN ({}))",
            marks(chunk.len())
        );
        for text in [
            format!("DELETE FROM intel_said WHERE source = ? AND seq IN {beside}"),
            format!(
                "DELETE FROM intel_objects WHERE source = ? AND seq IN {beside} \
                 AND seq NOT IN (SELECT seq FROM intel_said) AND seq NOT IN (SELECT seq FROM intel_entries)"
            ),
        ] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source).bind(source);
            for id in chunk {
                query = query.bind(*id);
            }
            query.execute(&mut *sql).await?;
        }
    }
    Ok(())
}

/// The source that was the first to say an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its number.
    pub source: SourceId,
    /// Its kind, see [`crate::Source`].
    pub kind: String,
    /// Its key.
    pub key: String,
    /// What people read.
    pub name: String,
}

/// The source that was the first to say each object; ids that are not known are left out.
///
/// # Errors
/// The database says no.
pub async fn origins(
    sql: &mut AnyConnection,
    ids: &[&str],
) -> Result<HashMap<String, Origin>, DbError> {
    let wanted: HashSet<&str> = ids.iter().copied().collect();
    let ids: Vec<&str> = wanted.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(ROWS) {
        let text = format!(
            "SELECT n.id, o.source, s.kind, s.key, s.name FROM intel_nodes n JOIN intel_objects o ON o.node = n.node \
             JOIN intel_sources s ON s.source = o.source WHERE n.id IN ({}) \
             AND o.seq = (SELECT MIN(x.seq) FROM intel_objects x WHERE x.node = n.node)",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in chunk {
            query = query.bind(*id);
        }
        for row in query.fetch_all(&mut *sql).await? {
            let origin = Origin {
                source: row.try_get(1)?,
                kind: row.try_get(2)?,
                key: row.try_get(3)?,
                name: row.try_get(4)?,
            };
            found.insert(row.try_get(0)?, origin);
        }
    }
    Ok(found)
}
