//! Counts of what is in sight.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

async fn counted(
    sql: &mut AnyConnection,
    text: &'static str,
    most: i64,
) -> Result<Vec<(String, i64)>, DbError> {
    let rows = sqlx::query(text).bind(most).fetch_all(sql).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Attributes by type or by category.
pub(crate) async fn attributes(
    sql: &mut AnyConnection,
    by_category: bool,
    most: i64,
) -> Result<Vec<(String, i64)>, DbError> {
    let text = if by_category {
        "SELECT a.category, COUNT(*) FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event \
         WHERE a.deleted = 0 AND e.tlp <= $1 GROUP BY a.category ORDER BY a.category"
    } else {
        "SELECT a.type, COUNT(*) FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event \
         WHERE a.deleted = 0 AND e.tlp <= $1 GROUP BY a.type ORDER BY a.type"
    };
    counted(sql, text, most).await
}

/// Events by tag.
pub(crate) async fn tags(
    sql: &mut AnyConnection,
    most: i64,
) -> Result<Vec<(String, i64)>, DbError> {
    let text = "SELECT t.name, COUNT(*) FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
         JOIN misphub_events e ON e.id = x.thing WHERE x.kind = 'event' AND e.tlp <= $1 \
         GROUP BY t.name ORDER BY t.name LIMIT 10000";
    counted(sql, text, most).await
}
