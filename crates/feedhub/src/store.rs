//! The room's SQL and nothing else.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

pub(crate) mod progress;
pub(crate) mod pushes;

use crate::format::Format;
use crate::load::Counts;
use crate::secret::Auth;

/// What a feed shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeed {
    /// Its name, also that of the source in the store.
    pub name: String,
    /// Where it is fetched; `None` is loaded by hand only.
    pub url: Option<String>,
    /// How it is read.
    pub format: Format,
    /// How the server wants to know who asks.
    pub auth: Auth,
    /// How often it is fetched.
    pub every_minutes: i64,
    /// TLP of what it says.
    pub tlp: stix::Tlp,
    /// Its terms of use.
    pub licence: String,
    /// Whether each run lists everything it knows: what is missing is let go.
    pub whole: bool,
}

/// A feed and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// UUID.
    pub id: String,
    /// What it is.
    pub new: NewFeed,
    /// Not fetched for now.
    pub paused: bool,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    /// When it is fetched next, microseconds UTC.
    pub next_us: i64,
    /// Last tried, microseconds UTC.
    pub last_try_us: Option<i64>,
    /// Last read to its end, microseconds UTC.
    pub last_ok_us: Option<i64>,
    /// Why the last try did not do.
    pub last_error: Option<String>,
    /// What the last run counted.
    pub counts: Option<Counts>,
}

/// Adds a feed; false when its name is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    id: &str,
    new: &NewFeed,
    now_us: i64,
) -> Result<bool, DbError> {
    let format = serde_json::to_string(&new.format)
        .map_err(|cause| DbError::corrupt("feedhub_feeds.format", cause))?;
    let done = sqlx::query(
        "INSERT INTO feedhub_feeds (id, name, url, format, every_minutes, tlp, licence, whole, paused, next_at, \
         recorded_at, auth) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9, $10) ON CONFLICT (name) DO NOTHING",
    )
    .bind(id)
    .bind(&new.name)
    .bind(&new.url)
    .bind(format)
    .bind(new.every_minutes)
    .bind(new.tlp.value())
    .bind(&new.licence)
    .bind(i64::from(new.whole))
    .bind(now_us)
    .bind(auth_text(&new.auth)?)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How a server is asked, as it is stored.
pub(crate) fn auth_text(auth: &Auth) -> Result<Option<String>, DbError> {
    if !auth.needs_secret() {
        return Ok(None);
    }
    let text = serde_json::to_string(auth);
    text.map(Some).map_err(|cause| DbError::corrupt("feedhub.auth", cause))
}

/// How a server is asked, as it was stored.
pub(crate) fn auth_of(text: Option<String>) -> Result<Auth, DbError> {
    let auth = text.as_deref().map(serde_json::from_str).transpose();
    Ok(auth.map_err(|cause| DbError::corrupt("feedhub.auth", cause))?.unwrap_or_default())
}

/// All feeds, by name.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Feed>, DbError> {
    let rows = sqlx::query("SELECT * FROM feedhub_feeds ORDER BY name").fetch_all(sql).await?;
    rows.iter().map(feed).collect()
}

/// A feed by id or name.
pub(crate) async fn get(sql: &mut AnyConnection, name: &str) -> Result<Option<Feed>, DbError> {
    let row = sqlx::query("SELECT * FROM feedhub_feeds WHERE id = $1 OR name = $1")
        .bind(name)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(feed).transpose()
}

/// The feed whose turn it is, the longest waiting first.
pub(crate) async fn due(sql: &mut AnyConnection, now_us: i64) -> Result<Option<Feed>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM feedhub_feeds WHERE url IS NOT NULL AND paused = 0 AND next_at <= $1 \
         ORDER BY next_at LIMIT 1",
    )
    .bind(now_us)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(feed).transpose()
}

/// Pauses a feed or lets it go on; false when there is none.
pub(crate) async fn pause(
    sql: &mut AnyConnection,
    id: &str,
    paused: bool,
) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE feedhub_feeds SET paused = $1 WHERE id = $2")
        .bind(i64::from(paused))
        .bind(id)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a feed away; false when there is none.
pub(crate) async fn remove(sql: &mut AnyConnection, id: &str) -> Result<bool, DbError> {
    progress::forget(sql, id).await?;
    sqlx::query("DELETE FROM feedhub_rejects WHERE feed = $1").bind(id).execute(&mut *sql).await?;
    let done = sqlx::query("DELETE FROM feedhub_feeds WHERE id = $1").bind(id).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    pub(crate) error: Option<String>,
    pub(crate) counts: Option<Counts>,
    /// ETag and date of what was read; `None` leaves those that are known.
    pub(crate) validators: Option<(Option<String>, Option<String>)>,
    pub(crate) rejects: Vec<Rejected>,
    /// When to go on, where that is known, microseconds UTC.
    pub(crate) again_us: Option<i64>,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) place: String,
    pub(crate) reason: String,
    pub(crate) excerpt: String,
}

/// Notes how a run ended and when the next one is.
pub(crate) async fn ended(
    sql: &mut AnyConnection,
    id: &str,
    ended: &Ended,
    now_us: i64,
    next_us: i64,
) -> Result<(), DbError> {
    let counts = ended.counts.as_ref().map(serde_json::to_string).transpose();
    let counts = counts.map_err(|cause| DbError::corrupt("feedhub_feeds.counts", cause))?;
    let (etag, last_modified) = ended.validators.clone().unwrap_or_default();
    sqlx::query(
        "UPDATE feedhub_feeds SET last_try = $1, last_ok = CASE WHEN $2 IS NULL THEN $1 ELSE last_ok END, \
         last_error = $2, counts = COALESCE($3, counts), etag = CASE WHEN $8 = 1 THEN $4 ELSE etag END, \
         last_modified = CASE WHEN $8 = 1 THEN $5 ELSE last_modified END, next_at = $6 WHERE id = $7",
    )
    .bind(now_us)
    .bind(&ended.error)
    .bind(&counts)
    .bind(etag)
    .bind(last_modified)
    .bind(next_us)
    .bind(id)
    .bind(i64::from(ended.validators.is_some()))
    .execute(&mut *sql)
    .await?;
    if ended.counts.is_none() {
        return Ok(());
    }
    sqlx::query("DELETE FROM feedhub_rejects WHERE feed = $1").bind(id).execute(&mut *sql).await?;
    for (position, reject) in (0_i64..).zip(&ended.rejects) {
        sqlx::query(
            "INSERT INTO feedhub_rejects (feed, position, place, reason, excerpt) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(position)
        .bind(&reject.place)
        .bind(&reject.reason)
        .bind(&reject.excerpt)
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// What the last run refused.
pub(crate) async fn rejects(sql: &mut AnyConnection, id: &str) -> Result<Vec<Rejected>, DbError> {
    let rows = sqlx::query("SELECT * FROM feedhub_rejects WHERE feed = $1 ORDER BY position")
        .bind(id)
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Rejected {
                place: row.try_get("place")?,
                reason: row.try_get("reason")?,
                excerpt: row.try_get("excerpt")?,
            })
        })
        .collect()
}

fn feed(row: &AnyRow) -> Result<Feed, DbError> {
    let format: String = row.try_get("format")?;
    let tlp: String = row.try_get("tlp")?;
    let counts: Option<String> = row.try_get("counts")?;
    let counts = counts.as_deref().map(serde_json::from_str).transpose();
    Ok(Feed {
        id: row.try_get("id")?,
        new: NewFeed {
            name: row.try_get("name")?,
            url: row.try_get("url")?,
            format: serde_json::from_str(&format)
                .map_err(|cause| DbError::corrupt("feedhub_feeds.format", cause))?,
            auth: auth_of(row.try_get("auth")?)?,
            every_minutes: row.try_get("every_minutes")?,
            tlp: stix::Tlp::from_label(&tlp)
                .ok_or_else(|| DbError::corrupt("feedhub_feeds.tlp", tlp))?,
            licence: row.try_get("licence")?,
            whole: row.try_get::<i64, _>("whole")? != 0,
        },
        paused: row.try_get::<i64, _>("paused")? != 0,
        etag: row.try_get("etag")?,
        last_modified: row.try_get("last_modified")?,
        next_us: row.try_get("next_at")?,
        last_try_us: row.try_get("last_try")?,
        last_ok_us: row.try_get("last_ok")?,
        last_error: row.try_get("last_error")?,
        counts: counts.map_err(|cause| DbError::corrupt("feedhub_feeds.counts", cause))?,
    })
}
