//! The room's SQL and nothing else.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// Deliveries that wait for one hook; beyond it the hook reads no further, and facts are counted as dropped.
pub(crate) const MAX_WAITING: i64 = 10_000;
/// Dead deliveries kept for one hook; the oldest go first.
pub(crate) const MAX_DEAD: i64 = 1_000;

/// What a hook shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewHook {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) labels: Vec<String>,
    /// Rank of the highest label.
    pub(crate) tlp: i64,
    pub(crate) salt: String,
    pub(crate) by: String,
    /// From where on it is told.
    pub(crate) cursor: i64,
}

/// A hook and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) new: NewHook,
    /// Why it is paused.
    pub(crate) paused: Option<String>,
    /// Failed tries in a row.
    pub(crate) failures: i64,
    pub(crate) delivered: i64,
    pub(crate) dropped: i64,
    pub(crate) last_ok_us: Option<i64>,
    pub(crate) last_error: Option<String>,
    pub(crate) recorded_us: i64,
    /// The salt before the last rotation; empty when there was none.
    pub(crate) salt_before: String,
    /// Until when that one signs too.
    pub(crate) before_until_us: i64,
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) hook: String,
    pub(crate) n: i64,
    /// `webhook-id`.
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) body: String,
    pub(crate) attempts: i64,
    pub(crate) due_us: i64,
    pub(crate) last_error: Option<String>,
    pub(crate) recorded_us: i64,
}

fn list(text: &str, place: &'static str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}

fn hook(row: &AnyRow) -> Result<Hook, DbError> {
    let text = |name: &str| -> Result<String, DbError> { Ok(row.try_get(name)?) };
    Ok(Hook {
        id: text("id")?,
        new: NewHook {
            name: text("name")?,
            url: text("url")?,
            events: list(&text("events")?, "webhooks_hooks.events")?,
            types: list(&text("types")?, "webhooks_hooks.types")?,
            labels: list(&text("labels")?, "webhooks_hooks.labels")?,
            tlp: row.try_get("tlp")?,
            salt: text("salt")?,
            by: text("created_by")?,
            cursor: row.try_get("cursor")?,
        },
        paused: row.try_get("paused")?,
        failures: row.try_get("failures")?,
        delivered: row.try_get("delivered")?,
        dropped: row.try_get("dropped")?,
        last_ok_us: row.try_get("last_ok")?,
        last_error: row.try_get("last_error")?,
        recorded_us: row.try_get("recorded_at")?,
        salt_before: text("salt_before")?,
        before_until_us: row.try_get("salt_before_until")?,
    })
}

fn delivery(row: &AnyRow) -> Result<Delivery, DbError> {
    Ok(Delivery {
        hook: row.try_get("hook")?,
        n: row.try_get("n")?,
        id: row.try_get("id")?,
        event: row.try_get("event")?,
        body: row.try_get("body")?,
        attempts: row.try_get("attempts")?,
        due_us: row.try_get("due_at")?,
        last_error: row.try_get("last_error")?,
        recorded_us: row.try_get("recorded_at")?,
    })
}

/// Gives a hook another salt; the one so far signs too until `until_us`.
pub(crate) async fn rotate(
    sql: &mut AnyConnection,
    id: &str,
    salt: &str,
    until_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE webhooks_hooks SET salt_before = salt, salt = $1, salt_before_until = $2 WHERE id = $3",
    )
    .bind(salt)
    .bind(until_us)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Adds a hook; false when its name is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    id: &str,
    new: &NewHook,
    now_us: i64,
) -> Result<bool, DbError> {
    let json = |list: &[String]| serde_json::to_string(list).unwrap_or_else(|_| "[]".into());
    let done = sqlx::query(
        "INSERT INTO webhooks_hooks (id, name, url, events, types, labels, tlp, salt, failures, delivered, dropped, \
         cursor, next_n, created_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, $9, 1, $10, $11) \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(id)
    .bind(&new.name)
    .bind(&new.url)
    .bind(json(&new.events))
    .bind(json(&new.types))
    .bind(json(&new.labels))
    .bind(new.tlp)
    .bind(&new.salt)
    .bind(new.cursor)
    .bind(&new.by)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All hooks, by name.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Hook>, DbError> {
    let rows = sqlx::query("SELECT * FROM webhooks_hooks ORDER BY name").fetch_all(sql).await?;
    rows.iter().map(hook).collect()
}

/// A hook by id or name.
pub(crate) async fn get(sql: &mut AnyConnection, name: &str) -> Result<Option<Hook>, DbError> {
    let row = sqlx::query("SELECT * FROM webhooks_hooks WHERE id = $1 OR name = $1")
        .bind(name)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(hook).transpose()
}

/// Takes a hook away with all that waits.
pub(crate) async fn remove(sql: &mut AnyConnection, id: &str) -> Result<(), DbError> {
    for text in [
        "DELETE FROM webhooks_deliveries WHERE hook = $1",
        "DELETE FROM webhooks_hooks WHERE id = $1",
    ] {
        sqlx::query(text).bind(id).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Pauses a hook for a reason, or lets it go on.
pub(crate) async fn pause(
    sql: &mut AnyConnection,
    id: &str,
    reason: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query("UPDATE webhooks_hooks SET paused = $1, failures = 0 WHERE id = $2")
        .bind(reason)
        .bind(id)
        .execute(&mut *sql)
        .await?;
    // Who lets it go on wants it to go now.
    if reason.is_none() {
        sqlx::query("UPDATE webhooks_deliveries SET due_at = 0 WHERE hook = $1 AND dead = 0")
            .bind(id)
            .execute(sql)
            .await?;
    }
    Ok(())
}

/// How many deliveries of a hook wait, and how many are dead.
pub(crate) async fn counts(sql: &mut AnyConnection, id: &str) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COALESCE(SUM(1 - dead), 0), COALESCE(SUM(dead), 0) FROM webhooks_deliveries WHERE hook = $1",
    )
    .bind(id)
    .fetch_one(sql)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// A message that is to be told.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) body: String,
}

/// Puts messages behind what waits for a hook. The hook may have gone meanwhile: then nothing is kept.
pub(crate) async fn enqueue(
    sql: &mut AnyConnection,
    hook: &str,
    messages: &[Message],
    now_us: i64,
) -> Result<(), DbError> {
    let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "UPDATE webhooks_hooks SET next_n = next_n + $1 WHERE id = $2 RETURNING next_n - $1",
    )
    .bind(count)
    .bind(hook)
    .fetch_optional(&mut *sql)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let first: i64 = row.try_get(0)?;
    for (n, message) in (first..).zip(messages) {
        sqlx::query(
            "INSERT INTO webhooks_deliveries (hook, n, id, event, body, dead, attempts, due_at, recorded_at) \
             VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6)",
        )
        .bind(hook)
        .bind(n)
        .bind(&message.id)
        .bind(&message.event)
        .bind(&message.body)
        .bind(now_us)
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// Notes up to where a hook has read what became known.
pub(crate) async fn move_cursor(
    sql: &mut AnyConnection,
    id: &str,
    cursor: i64,
) -> Result<(), DbError> {
    sqlx::query("UPDATE webhooks_hooks SET cursor = $1 WHERE id = $2 AND cursor < $1")
        .bind(cursor)
        .bind(id)
        .execute(sql)
        .await?;
    Ok(())
}

/// Counts facts that found no room.
pub(crate) async fn drop_one(sql: &mut AnyConnection, id: &str) -> Result<(), DbError> {
    sqlx::query("UPDATE webhooks_hooks SET dropped = dropped + 1 WHERE id = $1")
        .bind(id)
        .execute(sql)
        .await?;
    Ok(())
}

/// Hooks that are not paused and whose next delivery is due.
pub(crate) async fn due(sql: &mut AnyConnection, now_us: i64) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query(
        "SELECT h.id FROM webhooks_hooks h WHERE h.paused IS NULL AND \
         (SELECT d.due_at FROM webhooks_deliveries d WHERE d.hook = h.id AND d.dead = 0 ORDER BY d.n LIMIT 1) <= $1",
    )
    .bind(now_us)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The next delivery of a hook.
pub(crate) async fn head(sql: &mut AnyConnection, id: &str) -> Result<Option<Delivery>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM webhooks_deliveries WHERE hook = $1 AND dead = 0 ORDER BY n LIMIT 1",
    )
    .bind(id)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(delivery).transpose()
}

/// Dead deliveries of a hook, the newest first, at most `limit`.
pub(crate) async fn dead(
    sql: &mut AnyConnection,
    id: &str,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM webhooks_deliveries WHERE hook = $1 AND dead = 1 ORDER BY n DESC LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(delivery).collect()
}

/// Lets a dead delivery be tried again; false when there is none.
pub(crate) async fn revive(sql: &mut AnyConnection, id: &str, n: i64) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE webhooks_deliveries SET dead = 0, attempts = 0, due_at = 0 WHERE hook = $1 AND n = $2 AND dead = 1",
    )
    .bind(id)
    .bind(n)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A delivery was taken by its receiver.
pub(crate) async fn told(
    sql: &mut AnyConnection,
    delivery: &Delivery,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM webhooks_deliveries WHERE hook = $1 AND n = $2")
        .bind(&delivery.hook)
        .bind(delivery.n)
        .execute(&mut *sql)
        .await?;
    sqlx::query(
        "UPDATE webhooks_hooks SET failures = 0, delivered = delivered + 1, last_ok = $1, last_error = NULL \
         WHERE id = $2",
    )
    .bind(now_us)
    .bind(&delivery.hook)
    .execute(sql)
    .await?;
    Ok(())
}

/// A delivery was not taken: it is tried again at `due_us`, or is dead where that is `None`. How often in a row the hook
/// has failed now.
pub(crate) async fn failed(
    sql: &mut AnyConnection,
    delivery: &Delivery,
    error: &str,
    due_us: Option<i64>,
) -> Result<i64, DbError> {
    sqlx::query(
        "UPDATE webhooks_deliveries SET attempts = attempts + 1, last_error = $1, dead = $2, due_at = $3 \
         WHERE hook = $4 AND n = $5",
    )
    .bind(error)
    .bind(i64::from(due_us.is_none()))
    .bind(due_us.unwrap_or_default())
    .bind(&delivery.hook)
    .bind(delivery.n)
    .execute(&mut *sql)
    .await?;
    sqlx::query(
        "DELETE FROM webhooks_deliveries WHERE hook = $1 AND dead = 1 AND n <= (SELECT n FROM webhooks_deliveries \
         WHERE hook = $1 AND dead = 1 ORDER BY n DESC LIMIT 1 OFFSET $2)",
    )
    .bind(&delivery.hook)
    .bind(MAX_DEAD)
    .execute(&mut *sql)
    .await?;
    let row = sqlx::query(
        "UPDATE webhooks_hooks SET failures = failures + 1, last_error = $1 WHERE id = $2 RETURNING failures",
    )
    .bind(error)
    .bind(&delivery.hook)
    .fetch_optional(sql)
    .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get(0)?))
}
