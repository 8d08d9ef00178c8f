//! Letters to peers.

use model::{LetterId, PeerId};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// A letter that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) place: i64,
    pub(crate) id: LetterId,
    pub(crate) kind: String,
    pub(crate) body: String,
}

/// A letter to be posted.
pub(crate) struct New<'a> {
    pub(crate) id: LetterId,
    pub(crate) peer: PeerId,
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) body: &'a str,
}

/// Puts a letter into the queue; false when its key was posted before.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    new: &New<'_>,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO federation_letters (id, peer, kind, key, body, state, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, 'queued', $6) ON CONFLICT (peer, key) DO NOTHING",
    )
    .bind(new.id.to_string())
    .bind(new.peer.to_string())
    .bind(new.kind)
    .bind(new.key)
    .bind(new.body)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The letters that are sealed next, in their order.
pub(crate) async fn waiting(
    sql: &mut AnyConnection,
    peer: PeerId,
    most: usize,
) -> Result<Vec<Waiting>, DbError> {
    let rows = sqlx::query(
        "SELECT place, id, kind, body FROM federation_letters WHERE peer = $1 AND state = 'queued' \
         ORDER BY place LIMIT $2",
    )
    .bind(peer.to_string())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(sql)
    .await?;
    let read = |row: &AnyRow| {
        let id: String = row.try_get("id")?;
        Ok(Waiting {
            place: row.try_get("place")?,
            id: parsed(&id, "federation_letters.id")?,
            kind: row.try_get("kind")?,
            body: row.try_get("body")?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many are under way: sealed and without a receipt.
pub(crate) async fn under_way(sql: &mut AnyConnection, peer: PeerId) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT COUNT(*) FROM federation_letters WHERE peer = $1 AND state = 'sealed'")
            .bind(peer.to_string())
            .fetch_one(sql)
            .await?;
    Ok(row.try_get(0)?)
}

/// A letter got its number, its digest and its signed text.
pub(crate) async fn seal(
    sql: &mut AnyConnection,
    place: i64,
    seq: i64,
    digest: &str,
    wire: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_letters SET state = 'sealed', seq = $1, digest = $2, wire = $3, body = '' \
         WHERE place = $4",
    )
    .bind(seq)
    .bind(digest)
    .bind(wire)
    .bind(place)
    .execute(sql)
    .await?;
    Ok(())
}

/// A letter ends: `taken`, `refused` or `cancelled`.
pub(crate) async fn end(
    sql: &mut AnyConnection,
    place: i64,
    state: &str,
    reason: Option<&str>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_letters SET state = $1, reason = $2, settled_at = $3 WHERE place = $4",
    )
    .bind(state)
    .bind(reason)
    .bind(now_us)
    .bind(place)
    .execute(sql)
    .await?;
    Ok(())
}

/// Cancels all letters of a peer that have not ended.
pub(crate) async fn cancel_all(
    sql: &mut AnyConnection,
    peer: PeerId,
    reason: &str,
    now_us: i64,
) -> Result<u64, DbError> {
    let done = sqlx::query(
        "UPDATE federation_letters SET state = 'cancelled', reason = $1, settled_at = $2, body = '' \
         WHERE peer = $3 AND state IN ('queued', 'sealed')",
    )
    .bind(reason)
    .bind(now_us)
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(done.rows_affected())
}

/// The signed texts after a number, in order.
pub(crate) async fn wires(
    sql: &mut AnyConnection,
    peer: PeerId,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, String)>, DbError> {
    let rows = sqlx::query(
        "SELECT seq, wire FROM federation_letters WHERE peer = $1 AND seq > $2 AND wire IS NOT NULL \
         ORDER BY seq LIMIT $3",
    )
    .bind(peer.to_string())
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The number before the first letter without a receipt; `otherwise` where all have one.
pub(crate) async fn first_open(
    sql: &mut AnyConnection,
    peer: PeerId,
    otherwise: i64,
) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT MIN(seq) FROM federation_letters WHERE peer = $1 AND state = 'sealed'")
            .bind(peer.to_string())
            .fetch_one(sql)
            .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map_or(otherwise, |seq| seq - 1))
}

/// Takes the numbers of a peer's letters back: what has no receipt waits again, in its order. How many wait again; their
/// ids are answered first.
pub(crate) async fn unseal(
    sql: &mut AnyConnection,
    peer: PeerId,
) -> Result<Vec<LetterId>, DbError> {
    let rows = sqlx::query(
        "SELECT place, id, wire FROM federation_letters WHERE peer = $1 AND state = 'sealed' ORDER BY place",
    )
    .bind(peer.to_string())
    .fetch_all(&mut *sql)
    .await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, wire): (String, Option<String>) = (row.try_get("id")?, row.try_get("wire")?);
        let letter: serde_json::Value =
            super::json(&wire.unwrap_or_default(), "federation_letters.wire")?;
        ids.push(parsed(&id, "federation_letters.id")?);
        sqlx::query("UPDATE federation_letters SET state = 'queued', body = $1 WHERE place = $2")
            .bind(letter.get("body").map(ToString::to_string).unwrap_or_default())
            .bind(row.try_get::<i64, _>("place")?)
            .execute(&mut *sql)
            .await?;
    }
    sqlx::query("UPDATE federation_letters SET seq = NULL, digest = NULL, wire = NULL WHERE peer = $1 AND seq IS NOT NULL")
        .bind(peer.to_string())
        .execute(sql)
        .await?;
    Ok(ids)
}

/// A sealed letter.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) place: i64,
    pub(crate) id: LetterId,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) state: String,
}

/// The letter of a number and a digest.
pub(crate) async fn by_digest(
    sql: &mut AnyConnection,
    peer: PeerId,
    seq: i64,
    digest: &str,
) -> Result<Option<Sealed>, DbError> {
    let row = sqlx::query(
        "SELECT place, id, kind, key, state FROM federation_letters WHERE peer = $1 AND seq = $2 AND digest = $3",
    )
    .bind(peer.to_string())
    .bind(seq)
    .bind(digest)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(sealed).transpose()
}

fn sealed(row: &AnyRow) -> Result<Sealed, DbError> {
    let id: String = row.try_get("id")?;
    Ok(Sealed {
        place: row.try_get("place")?,
        id: parsed(&id, "federation_letters.id")?,
        kind: row.try_get("kind")?,
        key: row.try_get("key")?,
        state: row.try_get("state")?,
    })
}

/// Drops the texts of letters that ended before a time.
pub(crate) async fn prune(sql: &mut AnyConnection, before_us: i64) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_letters SET wire = NULL WHERE wire IS NOT NULL AND settled_at < $1",
    )
    .bind(before_us)
    .execute(sql)
    .await?;
    Ok(())
}
