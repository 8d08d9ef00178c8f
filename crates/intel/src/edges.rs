//! Keeping the relations that the newest versions tell.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::AnyConnection;

use crate::prepare::Prepared;
use crate::sql::{ROWS, tuples};
use crate::write::Batch;

/// Notes what the newest versions say of others.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    newest: &[(i64, &Prepared)],
    nodes: &HashMap<&str, i64>,
) -> Result<(), DbError> {
    let node_of = |id: &str| nodes.get(id).copied().unwrap_or_default();
    let rows: Vec<(i64, i64, &str, i64, i64)> = newest
        .iter()
        .filter(|(_, object)| !object.revoked)
        .flat_map(|(teller, object)| {
            let tlp = object.tlp.unwrap_or(batch.unmarked);
            object.edges.iter().map(move |edge| {
                (node_of(&edge.origin), node_of(&edge.target), edge.kind.as_str(), *teller, tlp)
            })
        })
        .collect();
    for chunk in rows.chunks(ROWS) {
        let text = format!(
            "INSERT INTO intel_edges (origin, target, kind, teller, tlp, recorded_at) VALUES {}",
            tuples(chunk.len(), 6)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for (origin, target, kind, teller, tlp) in chunk {
            query = query
                .bind(*origin)
                .bind(*target)
                .bind(*kind)
                .bind(*teller)
                .bind(*tlp)
                .bind(batch.now_us);
        }
        query.execute(&mut *sql).await?;
    }
    Ok(())
}
