//! Events that may go to other servers.

use platform::db::DbError;
use sqlx::AnyConnection;

use super::events::{Event, event};

/// Published events that were made here, at most so protected, the longest unchanged first.
pub(crate) async fn published(
    sql: &mut AnyConnection,
    highest: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM misphub_events WHERE published = 1 AND tlp <= $1 AND made_by NOT LIKE 'feed:%' \
         ORDER BY stamp, id",
    )
    .bind(highest)
    .fetch_all(sql)
    .await?;
    rows.iter().map(event).collect()
}
