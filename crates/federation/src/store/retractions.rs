//! Words taken back, and who knows of it.

use model::{LetterId, PeerId};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// A retraction as stored.
#[derive(Clone, Debug)]
pub(crate) struct Retraction {
    pub(crate) id: String,
    pub(crate) made_by: String,
    pub(crate) reason: String,
    /// Whose retraction is passed on, and its id there.
    pub(crate) origin: Option<(PeerId, String)>,
    pub(crate) recorded_us: i64,
}

fn retraction(row: &AnyRow) -> Result<Retraction, DbError> {
    let (peer, theirs): (Option<String>, Option<String>) =
        (row.try_get("peer")?, row.try_get("theirs")?);
    let peer = peer.map(|peer| parsed(&peer, "federation_retractions.peer")).transpose()?;
    Ok(Retraction {
        id: row.try_get("id")?,
        made_by: row.try_get("made_by")?,
        reason: row.try_get("reason")?,
        origin: peer.zip(theirs),
        recorded_us: row.try_get("recorded_at")?,
    })
}

pub(crate) async fn insert(sql: &mut AnyConnection, new: &Retraction) -> Result<(), DbError> {
    let (peer, theirs) = new.origin.clone().unzip();
    sqlx::query(
        "INSERT INTO federation_retractions (id, made_by, reason, peer, theirs, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&new.id)
    .bind(&new.made_by)
    .bind(&new.reason)
    .bind(peer.map(|peer| peer.to_string()))
    .bind(theirs)
    .bind(new.recorded_us)
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn get(sql: &mut AnyConnection, id: &str) -> Result<Option<Retraction>, DbError> {
    let row = sqlx::query("SELECT * FROM federation_retractions WHERE id = $1")
        .bind(id)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(retraction).transpose()
}

pub(crate) async fn before(
    sql: &mut AnyConnection,
    before: &str,
    limit: i64,
) -> Result<Vec<Retraction>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM federation_retractions WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(retraction).collect()
}

/// One object that a recipient is told to forget.
#[derive(Clone, Debug)]
pub(crate) struct Withdrawal {
    pub(crate) retraction: String,
    pub(crate) peer: PeerId,
    pub(crate) object: String,
    pub(crate) tlp: i64,
    /// `waiting`, `acknowledged`, `refused`, `cancelled`.
    pub(crate) state: String,
    pub(crate) changed_us: i64,
}

fn withdrawal(row: &AnyRow) -> Result<Withdrawal, DbError> {
    let peer: String = row.try_get("peer")?;
    Ok(Withdrawal {
        retraction: row.try_get("retraction")?,
        peer: parsed(&peer, "federation_withdrawals.peer")?,
        object: row.try_get("object")?,
        tlp: row.try_get("tlp")?,
        state: row.try_get("state")?,
        changed_us: row.try_get("changed_at")?,
    })
}

pub(crate) async fn tell(
    sql: &mut AnyConnection,
    new: &Withdrawal,
    letter: LetterId,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_withdrawals (retraction, peer, object, tlp, state, letter, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (retraction, peer, object) DO NOTHING",
    )
    .bind(&new.retraction)
    .bind(new.peer.to_string())
    .bind(&new.object)
    .bind(new.tlp)
    .bind(&new.state)
    .bind(letter.to_string())
    .bind(new.changed_us)
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn of(
    sql: &mut AnyConnection,
    retraction: &str,
    limit: i64,
) -> Result<Vec<Withdrawal>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM federation_withdrawals WHERE retraction = $1 ORDER BY peer, object LIMIT $2",
    )
    .bind(retraction)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(withdrawal).collect()
}

pub(crate) async fn of_letter(
    sql: &mut AnyConnection,
    letter: LetterId,
) -> Result<Vec<Withdrawal>, DbError> {
    let rows = sqlx::query("SELECT * FROM federation_withdrawals WHERE letter = $1")
        .bind(letter.to_string())
        .fetch_all(sql)
        .await?;
    rows.iter().map(withdrawal).collect()
}

/// The letter of some withdrawals was answered.
pub(crate) async fn answered(
    sql: &mut AnyConnection,
    letter: LetterId,
    state: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_withdrawals SET state = $1, changed_at = $2 WHERE letter = $3")
        .bind(state)
        .bind(now_us)
        .bind(letter.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// Ends what a peer is not told any more.
pub(crate) async fn cancel_all(
    sql: &mut AnyConnection,
    peer: PeerId,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_withdrawals SET state = 'cancelled', changed_at = $1 \
         WHERE peer = $2 AND state = 'waiting'",
    )
    .bind(now_us)
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// What a recipient tells of those behind it; false when it does not belong to it or says nothing new.
pub(crate) async fn progress(
    sql: &mut AnyConnection,
    retraction: &str,
    peer: PeerId,
    reached: i64,
    acknowledged: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO federation_progress (retraction, peer, reached, acknowledged) \
         SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM federation_withdrawals w \
         WHERE w.retraction = $1 AND w.peer = $2) ON CONFLICT (retraction, peer) DO UPDATE SET \
         reached = excluded.reached, acknowledged = excluded.acknowledged",
    )
    .bind(retraction)
    .bind(peer.to_string())
    .bind(reached)
    .bind(acknowledged)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What recipients told of those behind them: peer, reached, acknowledged.
pub(crate) async fn behind(
    sql: &mut AnyConnection,
    retraction: &str,
) -> Result<Vec<(PeerId, i64, i64)>, DbError> {
    let rows = sqlx::query(
        "SELECT peer, reached, acknowledged FROM federation_progress WHERE retraction = $1",
    )
    .bind(retraction)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            let peer: String = row.try_get(0)?;
            Ok((parsed(&peer, "federation_progress.peer")?, row.try_get(1)?, row.try_get(2)?))
        })
        .collect()
}

/// Recipients told, and those of them that acknowledged everything.
pub(crate) async fn told(sql: &mut AnyConnection, retraction: &str) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN open = 0 THEN 1 ELSE 0 END), 0) FROM \
         (SELECT peer, SUM(CASE WHEN state = 'acknowledged' THEN 0 ELSE 1 END) AS open \
         FROM federation_withdrawals WHERE retraction = $1 GROUP BY peer) AS told",
    )
    .bind(retraction)
    .fetch_one(sql)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
