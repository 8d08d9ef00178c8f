//! Notices to people.

use model::{Timestamp, Tlp};
use platform::db::DbError;
use ports::Notice;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Row};

/// Notices kept.
pub(crate) const MAX_NOTICES: i64 = 10_000;

/// What open pages are told of a notice. They are everybody's: of one that repeats words of others only that it is there.
pub(crate) fn news(notice: &Notice, tlp: Option<Tlp>) -> Value {
    match tlp {
        None => json!({ "title": notice.title, "body": notice.body, "link": notice.link }),
        Some(_) => {
            json!({ "title": "A run about an incident of others tells something", "body": "",
            "link": "/playbooks" })
        }
    }
}

/// Keeps a notice once per key, and the newest [`MAX_NOTICES`]; true when it is new.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    key: &str,
    notice: &Notice,
    tlp: Option<Tlp>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_notices (key, title, body, link, tlp, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING",
    )
    .bind(key)
    .bind(notice.title.clone())
    .bind(notice.body.clone())
    .bind(notice.link.clone())
    .bind(tlp.map(Tlp::label))
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "DELETE FROM playbooks_notices WHERE key IN (SELECT key FROM playbooks_notices \
         ORDER BY recorded_at DESC, key DESC LIMIT 1000 OFFSET $1)",
    )
    .bind(MAX_NOTICES)
    .execute(connection)
    .await?;
    Ok(true)
}

/// Notices without the labels `beyond`, newest first, older than `before` = (recorded at, key).
pub(crate) async fn list(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<(String, Notice, Timestamp)>, DbError> {
    let (at, key) = before.unwrap_or((i64::MAX, String::new()));
    let hidden = super::without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM playbooks_notices WHERE (recorded_at < $1 OR (recorded_at = $1 AND key < $2)) \
         {hidden}ORDER BY recorded_at DESC, key DESC LIMIT $3",
    )))
    .bind(at)
    .bind(key)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let notice = Notice {
                title: row.try_get("title")?,
                body: row.try_get("body")?,
                link: row.try_get("link")?,
            };
            Ok((row.try_get("key")?, notice, super::time(row, "recorded_at")?))
        })
        .collect()
}
