//! Where the letters to and from each peer stand.

use model::{LetterId, PeerId};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// A link as stored.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) peer: PeerId,
    pub(crate) queued: i64,
    pub(crate) out_stream: String,
    pub(crate) out_seq: i64,
    pub(crate) out_digest: String,
    pub(crate) in_stream: String,
    pub(crate) in_seq: i64,
    pub(crate) in_digest: String,
    pub(crate) receipted: i64,
    pub(crate) refused: i64,
    pub(crate) last_refusal: Option<String>,
    pub(crate) last_contact_us: Option<i64>,
    pub(crate) last_error: Option<String>,
}

fn link(row: &AnyRow) -> Result<Link, DbError> {
    let peer: String = row.try_get("peer")?;
    Ok(Link {
        peer: parsed(&peer, "federation_links.peer")?,
        queued: row.try_get("queued")?,
        out_stream: row.try_get("out_stream")?,
        out_seq: row.try_get("out_seq")?,
        out_digest: row.try_get("out_digest")?,
        in_stream: row.try_get("in_stream")?,
        in_seq: row.try_get("in_seq")?,
        in_digest: row.try_get("in_digest")?,
        receipted: row.try_get("receipted")?,
        refused: row.try_get("refused")?,
        last_refusal: row.try_get("last_refusal")?,
        last_contact_us: row.try_get("last_contact")?,
        last_error: row.try_get("last_error")?,
    })
}

/// The link to a peer; it is made where there is none.
pub(crate) async fn ensure(tx: &mut Tx, peer: PeerId) -> Result<Link, DbError> {
    if let Some(found) = get(tx.sql(), peer).await? {
        return Ok(found);
    }
    let (stream, now_us) = (tx.mint::<LetterId>(), tx.now().as_micros());
    let row = sqlx::query(
        "INSERT INTO federation_links (peer, queued, out_stream, out_seq, out_digest, in_stream, in_seq, in_digest, \
         receipted, refused, recorded_at) VALUES ($1, 0, $2, 0, '', '', 0, '', 0, 0, $3) RETURNING *",
    )
    .bind(peer.to_string())
    .bind(stream.to_string())
    .bind(now_us)
    .fetch_one(tx.sql())
    .await?;
    link(&row)
}

pub(crate) async fn get(sql: &mut AnyConnection, peer: PeerId) -> Result<Option<Link>, DbError> {
    let row = sqlx::query("SELECT * FROM federation_links WHERE peer = $1")
        .bind(peer.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(link).transpose()
}

pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Link>, DbError> {
    let rows = sqlx::query("SELECT * FROM federation_links ORDER BY peer").fetch_all(sql).await?;
    rows.iter().map(link).collect()
}

/// Forgets a link: new streams begin when the peer joins again. Which letters took effect is remembered.
pub(crate) async fn remove(sql: &mut AnyConnection, peer: PeerId) -> Result<(), DbError> {
    for text in [
        "DELETE FROM federation_links WHERE peer = $1",
        "UPDATE federation_letters SET seq = NULL, wire = NULL WHERE peer = $1",
    ] {
        sqlx::query(text).bind(peer.to_string()).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Counts letters in (or out of) the queue.
pub(crate) async fn queued(sql: &mut AnyConnection, peer: PeerId, by: i64) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_links SET queued = queued + $1 WHERE peer = $2")
        .bind(by)
        .bind(peer.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// A letter was sealed.
pub(crate) async fn sealed(
    sql: &mut AnyConnection,
    peer: PeerId,
    seq: i64,
    digest: &str,
) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_links SET out_seq = $1, out_digest = $2 WHERE peer = $3")
        .bind(seq)
        .bind(digest)
        .bind(peer.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// Letters of the peer were answered up to this one.
pub(crate) async fn answered(
    sql: &mut AnyConnection,
    peer: PeerId,
    seq: i64,
    digest: &str,
) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_links SET in_seq = $1, in_digest = $2 WHERE peer = $3")
        .bind(seq)
        .bind(digest)
        .bind(peer.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// The peer has our receipts up to this number.
pub(crate) async fn receipted(
    sql: &mut AnyConnection,
    peer: PeerId,
    seq: i64,
) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_links SET receipted = $1 WHERE peer = $2 AND receipted < $1")
        .bind(seq)
        .bind(peer.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// A letter of the peer was refused for what it is.
pub(crate) async fn refused(
    sql: &mut AnyConnection,
    peer: PeerId,
    reason: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_links SET refused = refused + 1, last_refusal = $1 WHERE peer = $2",
    )
    .bind(reason)
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// How the last try to reach the peer went; or that it called.
pub(crate) async fn contact(
    sql: &mut AnyConnection,
    peer: PeerId,
    now_us: i64,
    reached: bool,
    error: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_links SET last_try = $1, last_error = $2, \
         last_contact = CASE WHEN $3 = 1 THEN $1 ELSE last_contact END WHERE peer = $4",
    )
    .bind(now_us)
    .bind(error)
    .bind(i64::from(reached))
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// A letter of a peer that was answered before: digest and receipt.
pub(crate) async fn taken(
    sql: &mut AnyConnection,
    peer: PeerId,
    stream: &str,
    seq: i64,
) -> Result<Option<(String, String)>, DbError> {
    let row = sqlx::query(
        "SELECT digest, receipt FROM federation_taken WHERE peer = $1 AND stream = $2 AND seq = $3",
    )
    .bind(peer.to_string())
    .bind(stream)
    .bind(seq)
    .fetch_optional(sql)
    .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// The receipt of a letter that took effect, in whatever stream.
pub(crate) async fn taken_as(
    sql: &mut AnyConnection,
    peer: PeerId,
    id: LetterId,
) -> Result<Option<String>, DbError> {
    let row =
        sqlx::query("SELECT receipt FROM federation_taken WHERE peer = $1 AND id = $2 LIMIT 1")
            .bind(peer.to_string())
            .bind(id.to_string())
            .fetch_optional(sql)
            .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The peer begins a new stream.
pub(crate) async fn begin_in(
    sql: &mut AnyConnection,
    peer: PeerId,
    stream: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_links SET in_stream = $1, in_seq = 0, in_digest = '', receipted = 0 WHERE peer = $2",
    )
    .bind(stream)
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// We begin a new stream.
pub(crate) async fn begin_out(
    sql: &mut AnyConnection,
    peer: PeerId,
    stream: LetterId,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_links SET out_stream = $1, out_seq = 0, out_digest = '' WHERE peer = $2",
    )
    .bind(stream.to_string())
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// The receipts that the peer does not have yet, in order.
pub(crate) async fn receipts_after(
    sql: &mut AnyConnection,
    link: &Link,
    limit: usize,
) -> Result<Vec<(i64, String)>, DbError> {
    let rows = sqlx::query(
        "SELECT seq, receipt FROM federation_taken WHERE peer = $1 AND stream = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(link.peer.to_string())
    .bind(&link.in_stream)
    .bind(link.receipted)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A letter that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) peer: PeerId,
    pub(crate) stream: &'a str,
    pub(crate) id: LetterId,
    pub(crate) seq: i64,
    pub(crate) digest: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) receipt: &'a str,
}

pub(crate) async fn note_answer(
    sql: &mut AnyConnection,
    answer: &Answered<'_>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_taken (peer, stream, id, seq, digest, kind, reason, receipt, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(answer.peer.to_string())
    .bind(answer.stream)
    .bind(answer.id.to_string())
    .bind(answer.seq)
    .bind(answer.digest)
    .bind(answer.kind)
    .bind(answer.reason)
    .bind(answer.receipt)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}
