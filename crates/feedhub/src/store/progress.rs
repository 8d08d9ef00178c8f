//! Where the reading of sources stands, and what their items put into the store of intelligence.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Rows of one statement.
const ROWS: usize = 256;

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// The state that was kept under a name.
pub(crate) async fn cursor(
    sql: &mut AnyConnection,
    feed: &str,
    name: &str,
) -> Result<Option<String>, DbError> {
    let row = sqlx::query("SELECT state FROM feedhub_cursors WHERE feed = $1 AND name = $2")
        .bind(feed)
        .bind(name)
        .fetch_optional(sql)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Keeps a state under a name.
pub(crate) async fn set_cursor(
    sql: &mut AnyConnection,
    feed: &str,
    name: &str,
    state: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO feedhub_cursors (feed, name, state) VALUES ($1, $2, $3) \
         ON CONFLICT (feed, name) DO UPDATE SET state = excluded.state",
    )
    .bind(feed)
    .bind(name)
    .bind(state)
    .execute(sql)
    .await?;
    Ok(())
}

/// The items that were read, with the state they were read in.
pub(crate) async fn items(
    sql: &mut AnyConnection,
    feed: &str,
) -> Result<HashMap<String, String>, DbError> {
    let rows = sqlx::query("SELECT item, stamp FROM feedhub_items WHERE feed = $1")
        .bind(feed)
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Notes that an item was read.
pub(crate) async fn set_item(
    sql: &mut AnyConnection,
    feed: &str,
    item: &str,
    stamp: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO feedhub_items (feed, item, stamp, recorded_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (feed, item) DO UPDATE SET stamp = excluded.stamp, recorded_at = excluded.recorded_at",
    )
    .bind(feed)
    .bind(item)
    .bind(stamp)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Forgets an item; what it said is struck out before.
pub(crate) async fn drop_item(
    sql: &mut AnyConnection,
    feed: &str,
    item: &str,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM feedhub_items WHERE feed = $1 AND item = $2")
        .bind(feed)
        .bind(item)
        .execute(sql)
        .await?;
    Ok(())
}

/// What an item put into the store.
pub(crate) async fn said(
    sql: &mut AnyConnection,
    feed: &str,
    item: &str,
) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT id FROM feedhub_said WHERE feed = $1 AND item = $2 ORDER BY id")
        .bind(feed)
        .bind(item)
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Notes what an item put into the store.
pub(crate) async fn say(
    sql: &mut AnyConnection,
    feed: &str,
    item: &str,
    ids: &[&str],
) -> Result<(), DbError> {
    for chunk in ids.chunks(ROWS) {
        let text = format!(
            "INSERT INTO feedhub_said (feed, item, id) VALUES {} ON CONFLICT (feed, item, id) DO NOTHING",
            vec!["(?, ?, ?)"; chunk.len()].join(", ")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in chunk {
            query = query.bind(feed).bind(item).bind(*id);
        }
        query.execute(&mut *sql).await?;
    }
    Ok(())
}

/// Strikes out what an item said; those ids that no other item of the feed says are returned.
pub(crate) async fn unsay(
    sql: &mut AnyConnection,
    feed: &str,
    item: &str,
    ids: &[&str],
) -> Result<Vec<String>, DbError> {
    let mut free = Vec::new();
    for chunk in ids.chunks(ROWS) {
        let text = format!(
            "DELETE FROM feedhub_said WHERE feed = ? AND item = ? AND id IN ({})",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(feed).bind(item);
        for id in chunk {
            query = query.bind(*id);
        }
        query.execute(&mut *sql).await?;
        let text = format!(
            "SELECT id FROM feedhub_said WHERE feed = ? AND id IN ({})",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(feed);
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

/// Forgets everything about a feed's reading.
pub(crate) async fn forget(sql: &mut AnyConnection, feed: &str) -> Result<(), DbError> {
    for text in [
        "DELETE FROM feedhub_cursors WHERE feed = $1",
        "DELETE FROM feedhub_items WHERE feed = $1",
        "DELETE FROM feedhub_said WHERE feed = $1",
    ] {
        sqlx::query(text).bind(feed).execute(&mut *sql).await?;
    }
    Ok(())
}
