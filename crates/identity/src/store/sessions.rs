//! Sessions: who is signed in, since when, from where.

use model::{Timestamp, UserId};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::access::{User, read_user};

/// An open session without its secret.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) digest: String,
    pub(crate) recorded_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    /// When its holder last proved who they are.
    pub(crate) proved_at: Timestamp,
    pub(crate) source: String,
    /// The browser's own words.
    pub(crate) agent: String,
}

/// Opens a session; expired ones and those of the user beyond `keep` go.
pub(crate) async fn insert(
    tx: &mut Tx,
    session: &Open,
    user: UserId,
    keep: i64,
) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO identity_sessions (digest, user_id, recorded_at, expires_at, seen_at, \
         proved_at, source, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(session.digest.clone())
    .bind(user.to_string())
    .bind(session.recorded_at.as_micros())
    .bind(session.expires_at.as_micros())
    .bind(session.seen_at.as_micros())
    .bind(session.proved_at.as_micros())
    .bind(session.source.clone())
    .bind(session.agent.clone())
    .execute(tx.sql())
    .await?;
    sqlx::query(
        "DELETE FROM identity_sessions WHERE expires_at <= $1 OR (user_id = $2 AND digest NOT IN \
         (SELECT digest FROM identity_sessions WHERE user_id = $2 \
          ORDER BY recorded_at DESC, digest LIMIT $3))",
    )
    .bind(now)
    .bind(user.to_string())
    .bind(keep)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The session of this digest and whose it is; none where the account is switched off. `idle_since`: what was not used
/// after that is over.
pub(crate) async fn holder(
    sql: &mut AnyConnection,
    digest: &str,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<(User, Open)>, DbError> {
    let row = sqlx::query(
        "SELECT u.*, s.digest, s.recorded_at AS opened_at, s.expires_at, s.seen_at, s.proved_at, \
         s.source, s.agent FROM identity_sessions s JOIN identity_users u ON u.id = s.user_id \
         WHERE s.digest = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL \
         AND CASE WHEN s.seen_at > s.recorded_at THEN s.seen_at ELSE s.recorded_at END > $3",
    )
    .bind(digest)
    .bind(now.as_micros())
    .bind(idle_since.as_micros())
    .fetch_optional(sql)
    .await?;
    row.map(|row| Ok((read_user(&row)?, read(&row)?))).transpose()
}

/// Open sessions of an account, the newest first.
pub(crate) async fn of(
    sql: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<Open>, DbError> {
    let rows = sqlx::query(
        "SELECT digest, recorded_at AS opened_at, expires_at, seen_at, proved_at, source, agent \
         FROM identity_sessions WHERE user_id = $1 AND expires_at > $2 \
         AND CASE WHEN seen_at > recorded_at THEN seen_at ELSE recorded_at END > $3 \
         ORDER BY recorded_at DESC, digest",
    )
    .bind(user.to_string())
    .bind(now.as_micros())
    .bind(idle_since.as_micros())
    .fetch_all(sql)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Open, DbError> {
    let at = |name: &str| -> Result<Timestamp, DbError> {
        Ok(Timestamp::from_micros(row.try_get::<i64, _>(name)?))
    };
    Ok(Open {
        digest: row.try_get("digest")?,
        recorded_at: at("opened_at")?,
        expires_at: at("expires_at")?,
        seen_at: at("seen_at")?.max(at("opened_at")?),
        proved_at: at("proved_at")?,
        source: row.try_get("source")?,
        agent: row.try_get("agent")?,
    })
}

/// Notes that a session was used.
pub(crate) async fn seen(tx: &mut Tx, digest: &str) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query("UPDATE identity_sessions SET seen_at = $1 WHERE digest = $2")
        .bind(now)
        .bind(digest)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Ends one session; false when there is none.
pub(crate) async fn delete(tx: &mut Tx, digest: &str) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM identity_sessions WHERE digest = $1")
        .bind(digest)
        .execute(tx.sql())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the sessions of an account but one; how many there were.
pub(crate) async fn delete_of(tx: &mut Tx, user: UserId, but: &str) -> Result<u64, DbError> {
    let done = sqlx::query("DELETE FROM identity_sessions WHERE user_id = $1 AND digest <> $2")
        .bind(user.to_string())
        .bind(but)
        .execute(tx.sql())
        .await?;
    Ok(done.rows_affected())
}
