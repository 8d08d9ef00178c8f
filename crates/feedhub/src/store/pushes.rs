//! The SQL of pushes.

use platform::db::DbError;
use ports::disclosure::Recipient;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use utoipa::ToSchema;

use super::{auth_of, auth_text};
use crate::secret::Auth;

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = PushOrigin)]
pub enum Origin {
    /// A collection of this node's own TAXII server.
    Collection {
        /// The API root; `sereno` is the node's own.
        root: String,
        /// UUID or alias.
        collection: String,
    },
    /// The newest versions of all that is known.
    Known {
        /// STIX types; all when empty.
        #[serde(default)]
        types: Vec<String>,
    },
    /// Published events of this node's organisation, to a MISP server.
    Events,
}

/// What a push shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPush {
    /// Its name.
    pub name: String,
    /// The collection of the other server, or the MISP server.
    pub url: String,
    /// How the server wants to know who asks.
    pub auth: Auth,
    /// What goes out.
    pub origin: Origin,
    /// The highest label that leaves.
    pub highest: stix::Tlp,
    /// The organisation that it goes to.
    pub recipient: Recipient,
    /// How often.
    pub every_minutes: i64,
}

/// A push and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// UUID.
    pub id: String,
    /// What it is.
    pub new: NewPush,
    /// Not pushed for now.
    pub paused: bool,
    pub(crate) place: i64,
    /// Acknowledged so far.
    pub sent: i64,
    /// Passed over because their label is too high, they may not go to the recipient, or the other side said them.
    pub withheld: i64,
    /// When it is its turn next, microseconds UTC.
    pub next_us: i64,
    /// Last tried, microseconds UTC.
    pub last_try_us: Option<i64>,
    /// Last done to its end, microseconds UTC.
    pub last_ok_us: Option<i64>,
    /// Why the last try did not do.
    pub last_error: Option<String>,
}

/// Something the other side has not taken for good, or that may not go to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsent {
    pub(crate) id: String,
    pub(crate) version_us: i64,
    /// `pending`, `failed` or `withheld`.
    pub(crate) state: &'static str,
    /// The other side's status that tells of it.
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Adds a push; false when its name is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    id: &str,
    new: &NewPush,
    now_us: i64,
) -> Result<bool, DbError> {
    let origin = serde_json::to_string(&new.origin)
        .map_err(|cause| DbError::corrupt("feedhub_pushes.origin", cause))?;
    let kind = if new.origin == Origin::Events { "misp" } else { "taxii" };
    let done = sqlx::query(
        "INSERT INTO feedhub_pushes (id, name, kind, url, auth, origin, highest, every_minutes, paused, place, sent, \
         withheld, next_at, recorded_at, recipient) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, $9, $9, $10) \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(id)
    .bind(&new.name)
    .bind(kind)
    .bind(&new.url)
    .bind(auth_text(&new.auth)?)
    .bind(origin)
    .bind(intel::rank(new.highest))
    .bind(new.every_minutes)
    .bind(now_us)
    .bind(named(new.recipient))
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All pushes, by name.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Push>, DbError> {
    let rows = sqlx::query("SELECT * FROM feedhub_pushes ORDER BY name").fetch_all(sql).await?;
    rows.iter().map(push).collect()
}

/// A push by id or name.
pub(crate) async fn get(sql: &mut AnyConnection, name: &str) -> Result<Option<Push>, DbError> {
    let row = sqlx::query("SELECT * FROM feedhub_pushes WHERE id = $1 OR name = $1")
        .bind(name)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(push).transpose()
}

/// The push whose turn it is, the longest waiting first.
pub(crate) async fn due(sql: &mut AnyConnection, now_us: i64) -> Result<Option<Push>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM feedhub_pushes WHERE paused = 0 AND next_at <= $1 ORDER BY next_at LIMIT 1",
    )
    .bind(now_us)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(push).transpose()
}

/// Writes whether a push goes out, how often and up to which label. One that goes more often waits no longer than that.
pub(crate) async fn change(
    sql: &mut AnyConnection,
    id: &str,
    paused: bool,
    new: &NewPush,
    now_us: i64,
) -> Result<(), DbError> {
    let latest_us = now_us.saturating_add(new.every_minutes.saturating_mul(60_000_000));
    sqlx::query(
        "UPDATE feedhub_pushes SET paused = $1, highest = $2, every_minutes = $3, \
         next_at = CASE WHEN next_at > $4 THEN $4 ELSE next_at END WHERE id = $5",
    )
    .bind(i64::from(paused))
    .bind(intel::rank(new.highest))
    .bind(new.every_minutes)
    .bind(latest_us)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes a push away with what is noted of it.
pub(crate) async fn remove(sql: &mut AnyConnection, id: &str) -> Result<(), DbError> {
    for text in [
        "DELETE FROM feedhub_unsent WHERE push = $1",
        "DELETE FROM feedhub_items WHERE feed = $1",
        "DELETE FROM feedhub_pushes WHERE id = $1",
    ] {
        sqlx::query(text).bind(id).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Notes what the other side said to a part: how far it got, what was taken, what was passed over.
pub(crate) async fn advance(
    sql: &mut AnyConnection,
    id: &str,
    place: i64,
    sent: i64,
    withheld: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE feedhub_pushes SET place = CASE WHEN place < $1 THEN $1 ELSE place END, sent = sent + $2, \
         withheld = withheld + $3 WHERE id = $4",
    )
    .bind(place)
    .bind(sent)
    .bind(withheld)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Notes how a run ended.
pub(crate) async fn ended(
    sql: &mut AnyConnection,
    id: &str,
    error: Option<&str>,
    now_us: i64,
    next_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE feedhub_pushes SET last_try = $1, last_ok = CASE WHEN $2 IS NULL THEN $1 ELSE last_ok END, \
         last_error = $2, next_at = $3 WHERE id = $4",
    )
    .bind(now_us)
    .bind(error)
    .bind(next_us)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Notes that something was not taken for good.
pub(crate) async fn put_unsent(
    sql: &mut AnyConnection,
    push: &str,
    one: &Unsent,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO feedhub_unsent (push, id, version, state, status, reason, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (push, id, version) DO UPDATE SET \
         state = excluded.state, status = excluded.status, reason = excluded.reason, \
         recorded_at = excluded.recorded_at",
    )
    .bind(push)
    .bind(&one.id)
    .bind(one.version_us)
    .bind(one.state)
    .bind(&one.status)
    .bind(&one.reason)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Something was taken after all.
pub(crate) async fn taken(
    sql: &mut AnyConnection,
    push: &str,
    id: &str,
    version_us: i64,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM feedhub_unsent WHERE push = $1 AND id = $2 AND version = $3")
        .bind(push)
        .bind(id)
        .bind(version_us)
        .execute(sql)
        .await?;
    Ok(())
}

/// What was not taken for good, the newest first.
pub(crate) async fn unsent(
    sql: &mut AnyConnection,
    push: &str,
    state: &'static str,
    limit: i64,
) -> Result<Vec<Unsent>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM feedhub_unsent WHERE push = $1 AND state = $2 ORDER BY recorded_at DESC, id LIMIT $3",
    )
    .bind(push)
    .bind(state)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Unsent {
                id: row.try_get("id")?,
                version_us: row.try_get("version")?,
                state,
                status: row.try_get("status")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

/// How many are pending and how many failed.
pub(crate) async fn unsent_counts(
    sql: &mut AnyConnection,
    push: &str,
) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0), \
         COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) FROM feedhub_unsent WHERE push = $1",
    )
    .bind(push)
    .fetch_one(sql)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn named(recipient: Recipient) -> Option<String> {
    (recipient != Recipient::Unnamed).then(|| recipient.to_string())
}

fn recipient(row: &AnyRow) -> Result<Recipient, DbError> {
    let text: Option<String> = row.try_get("recipient")?;
    text.map_or(Ok(Recipient::Unnamed), |text| {
        text.parse().map_err(|cause| DbError::corrupt("feedhub_pushes.recipient", cause))
    })
}

/// Names the organisation that a push goes to. It begins again: what was passed over for another one is judged for this one.
pub(crate) async fn address(
    sql: &mut AnyConnection,
    id: &str,
    recipient: Recipient,
    now_us: i64,
) -> Result<(), DbError> {
    for text in [
        "DELETE FROM feedhub_items WHERE feed = $1",
        "DELETE FROM feedhub_unsent WHERE push = $1 AND state = 'withheld'",
    ] {
        sqlx::query(text).bind(id).execute(&mut *sql).await?;
    }
    sqlx::query(
        "UPDATE feedhub_pushes SET recipient = $1, place = 0, withheld = 0, next_at = $2 WHERE id = $3",
    )
    .bind(named(recipient))
    .bind(now_us)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Keeps the newest of what may not go; further ones are counted alone.
pub(crate) async fn trim_withheld(
    sql: &mut AnyConnection,
    push: &str,
    most: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "DELETE FROM feedhub_unsent WHERE push = $1 AND state = 'withheld' AND recorded_at < \
         (SELECT recorded_at FROM feedhub_unsent WHERE push = $1 AND state = 'withheld' \
          ORDER BY recorded_at DESC LIMIT 1 OFFSET $2)",
    )
    .bind(push)
    .bind(most)
    .execute(sql)
    .await?;
    Ok(())
}

fn push(row: &AnyRow) -> Result<Push, DbError> {
    let origin: String = row.try_get("origin")?;
    Ok(Push {
        id: row.try_get("id")?,
        new: NewPush {
            name: row.try_get("name")?,
            url: row.try_get("url")?,
            auth: auth_of(row.try_get("auth")?)?,
            origin: serde_json::from_str(&origin)
                .map_err(|cause| DbError::corrupt("feedhub_pushes.origin", cause))?,
            highest: intel::label(row.try_get("highest")?),
            recipient: recipient(row)?,
            every_minutes: row.try_get("every_minutes")?,
        },
        paused: row.try_get::<i64, _>("paused")? != 0,
        place: row.try_get("place")?,
        sent: row.try_get("sent")?,
        withheld: row.try_get("withheld")?,
        next_us: row.try_get("next_at")?,
        last_try_us: row.try_get("last_try")?,
        last_ok_us: row.try_get("last_ok")?,
        last_error: row.try_get("last_error")?,
    })
}
