//! What makes the newest versions be found: text, relations, values.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::AnyConnection;

use crate::prepare::Prepared;
use crate::sql::tuples;
use crate::write::Batch;
use crate::{edges, reports, values};

/// Takes relations, values and text of the former versions away.
pub(crate) async fn forget(
    sql: &mut AnyConnection,
    nodes: &[i64],
    now_us: i64,
) -> Result<(), DbError> {
    for node in nodes {
        sqlx::query("UPDATE intel_edges SET ended_at = $1 WHERE teller = $2 AND ended_at IS NULL")
            .bind(now_us)
            .bind(*node)
            .execute(&mut *sql)
            .await?;
        sqlx::query("DELETE FROM intel_text WHERE rowid = $1")
            .bind(*node)
            .execute(&mut *sql)
            .await?;
        values::forget_node(sql, *node).await?;
        reports::forget(sql, *node).await?;
    }
    Ok(())
}

/// Puts text, relations and values of the newest versions where they are found.
pub(crate) async fn index(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    newest: &[(i64, &Prepared)],
    nodes: &HashMap<&str, i64>,
) -> Result<(), DbError> {
    // Of two versions of one object in a chunk the last one counts.
    let mut last: HashMap<i64, &Prepared> = HashMap::with_capacity(newest.len());
    for (node, object) in newest {
        let kept = last.entry(*node).or_insert(object);
        if object.version_us > kept.version_us {
            *kept = object;
        }
    }
    let mut newest: Vec<(i64, &Prepared)> = last.into_iter().collect();
    newest.sort_unstable_by_key(|(node, _)| *node);
    if newest.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO intel_text (rowid, name, tags, body) VALUES {}",
        tuples(newest.len(), 4)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (node, object) in &newest {
        query = query
            .bind(*node)
            .bind(object.name.as_str())
            .bind(object.tags.as_str())
            .bind(object.text.as_str());
    }
    query.execute(&mut *sql).await?;
    edges::note(sql, batch, &newest, nodes).await?;
    reports::note(sql, batch, &newest, nodes).await?;
    values::name(sql, batch, &newest).await
}
