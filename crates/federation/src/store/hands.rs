//! Who was handed which object, and where that stands.

use model::{CommunityId, LetterId, PeerId, ShareId};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{ROWS, marks, parsed};

/// Where one object stands with one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It may not go.
    Withheld,
    /// It waits.
    Queued,
    /// It is under way.
    Sent,
    /// The signed receipt was verified.
    Received,
    /// The recipient did not take it.
    Refused,
    /// It did not go after all.
    Cancelled,
    /// The recipient is being told to forget it.
    Retracting,
    /// The recipient acknowledged that.
    Retracted,
}

impl State {
    pub(crate) const ALL: [Self; 8] = [
        Self::Withheld,
        Self::Queued,
        Self::Sent,
        Self::Received,
        Self::Refused,
        Self::Cancelled,
        Self::Retracting,
        Self::Retracted,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Withheld => "withheld",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Retracting => "retracting",
            Self::Retracted => "retracted",
        }
    }

    fn of(word: &str) -> Result<Self, DbError> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or_else(|| DbError::corrupt("federation_hands.state", word))
    }
}

/// One object of a share for one recipient.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) number: i64,
    pub(crate) share: ShareId,
    pub(crate) peer: PeerId,
    pub(crate) object: String,
    pub(crate) community: Option<CommunityId>,
    /// The peer through whom this node has it.
    pub(crate) because: Option<PeerId>,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    /// The version last sent; `None` before the first.
    pub(crate) version: Option<i64>,
    /// The version whose receipt was verified.
    pub(crate) held: Option<i64>,
    pub(crate) tlp: i64,
    pub(crate) letter: Option<LetterId>,
    pub(crate) changed_us: i64,
}

/// What is noted first.
pub(crate) struct New<'a> {
    pub(crate) share: ShareId,
    pub(crate) peer: PeerId,
    pub(crate) object: &'a str,
    pub(crate) community: Option<CommunityId>,
    pub(crate) because: Option<PeerId>,
    pub(crate) state: State,
    pub(crate) reason: Option<&'a str>,
    pub(crate) tlp: i64,
    pub(crate) letter: Option<LetterId>,
}

fn hand(row: &AnyRow) -> Result<Hand, DbError> {
    let (share, peer, state): (String, String, String) =
        (row.try_get("share")?, row.try_get("peer")?, row.try_get("state")?);
    let community: Option<String> = row.try_get("community")?;
    let because: Option<String> = row.try_get("because")?;
    let letter: Option<String> = row.try_get("letter")?;
    Ok(Hand {
        number: row.try_get("hand")?,
        share: parsed(&share, "federation_hands.share")?,
        peer: parsed(&peer, "federation_hands.peer")?,
        object: row.try_get("object")?,
        community: community.map(|id| parsed(&id, "federation_hands.community")).transpose()?,
        because: because.map(|id| parsed(&id, "federation_hands.because")).transpose()?,
        state: State::of(&state)?,
        reason: row.try_get("reason")?,
        version: row.try_get("version")?,
        held: row.try_get("held")?,
        letter: letter.map(|id| parsed(&id, "federation_hands.letter")).transpose()?,
        tlp: row.try_get("tlp")?,
        changed_us: row.try_get("changed_at")?,
    })
}

pub(crate) async fn insert(
    sql: &mut AnyConnection,
    new: &New<'_>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_hands (share, peer, object, community, because, state, reason, tlp, letter, \
         changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(new.share.to_string())
    .bind(new.peer.to_string())
    .bind(new.object)
    .bind(new.community.map(|id| id.to_string()))
    .bind(new.because.map(|id| id.to_string()))
    .bind(new.state.word())
    .bind(new.reason)
    .bind(new.tlp)
    .bind(new.letter.map(|id| id.to_string()))
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Moves a hand on.
pub(crate) async fn set(
    sql: &mut AnyConnection,
    number: i64,
    state: State,
    reason: Option<&str>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = $1, reason = $2, changed_at = $3 WHERE hand = $4",
    )
    .bind(state.word())
    .bind(reason)
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(())
}

/// A version goes out.
pub(crate) async fn sent(
    sql: &mut AnyConnection,
    number: i64,
    version: i64,
    tlp: i64,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'sent', reason = NULL, version = $1, tlp = $2, changed_at = $3 \
         WHERE hand = $4",
    )
    .bind(version)
    .bind(tlp)
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(())
}

/// The receipt for what was sent is here.
pub(crate) async fn received(
    sql: &mut AnyConnection,
    number: i64,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'received', reason = NULL, held = version, changed_at = $1 WHERE hand = $2",
    )
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(())
}

/// The recipient keeps what it has: the newer version was refused.
pub(crate) async fn kept_older(
    sql: &mut AnyConnection,
    number: i64,
    reason: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'received', reason = $1, changed_at = $2 WHERE hand = $3",
    )
    .bind(reason)
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(())
}

/// Puts a hand under a letter.
pub(crate) async fn join(
    sql: &mut AnyConnection,
    number: i64,
    letter: LetterId,
) -> Result<(), DbError> {
    sqlx::query("UPDATE federation_hands SET letter = $1 WHERE hand = $2")
        .bind(letter.to_string())
        .bind(number)
        .execute(sql)
        .await?;
    Ok(())
}

/// What went with a letter waits again.
pub(crate) async fn unsend(
    sql: &mut AnyConnection,
    letter: LetterId,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'queued', changed_at = $1 WHERE letter = $2 AND state = 'sent'",
    )
    .bind(now_us)
    .bind(letter.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

/// Queues a hand (again) in a letter.
pub(crate) async fn queue(
    sql: &mut AnyConnection,
    number: i64,
    letter: LetterId,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'queued', reason = NULL, letter = $1, changed_at = $2 WHERE hand = $3",
    )
    .bind(letter.to_string())
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn of_letter(
    sql: &mut AnyConnection,
    letter: LetterId,
) -> Result<Vec<Hand>, DbError> {
    let rows = sqlx::query("SELECT * FROM federation_hands WHERE letter = $1 ORDER BY hand")
        .bind(letter.to_string())
        .fetch_all(sql)
        .await?;
    rows.iter().map(hand).collect()
}

/// A letter that waits for hands like this one, and how many it has.
pub(crate) async fn open_letter(
    sql: &mut AnyConnection,
    like: &Hand,
    except: Option<LetterId>,
) -> Result<Option<(LetterId, usize)>, DbError> {
    let row = sqlx::query(
        "SELECT letter, COUNT(*) FROM federation_hands WHERE share = $1 AND peer = $2 AND state = 'queued' \
         AND COALESCE(community, '') = $3 AND letter IS NOT NULL AND letter <> $4 \
         GROUP BY letter ORDER BY letter DESC LIMIT 1",
    )
    .bind(like.share.to_string())
    .bind(like.peer.to_string())
    .bind(like.community.map(|id| id.to_string()).unwrap_or_default())
    .bind(except.map(|id| id.to_string()).unwrap_or_default())
    .fetch_optional(sql)
    .await?;
    row.map(|row| {
        let (letter, held): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let letter = parsed(&letter, "federation_hands.letter")?;
        Ok((letter, usize::try_from(held).unwrap_or(usize::MAX)))
    })
    .transpose()
}

/// Every hand of some objects, in the order in which they were decided.
pub(crate) async fn of_objects(
    sql: &mut AnyConnection,
    ids: &[&str],
) -> Result<Vec<Hand>, DbError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(ROWS) {
        let text = format!(
            "SELECT * FROM federation_hands WHERE object IN ({}) ORDER BY hand",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in chunk {
            query = query.bind(*id);
        }
        for row in query.fetch_all(&mut *sql).await? {
            found.push(hand(&row)?);
        }
    }
    Ok(found)
}

/// The hands of a share up to a bound, in their order.
pub(crate) async fn of_share(
    sql: &mut AnyConnection,
    share: ShareId,
    limit: i64,
) -> Result<Vec<Hand>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM federation_hands WHERE share = $1 ORDER BY hand LIMIT $2")
            .bind(share.to_string())
            .bind(limit)
            .fetch_all(sql)
            .await?;
    rows.iter().map(hand).collect()
}

/// Hands with what a peer holds, after a number: to look whether their labels rose.
pub(crate) async fn held_after(
    sql: &mut AnyConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<Hand>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM federation_hands WHERE hand > $1 AND state IN ('sent', 'received') ORDER BY hand LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(hand).collect()
}

/// Ends what has not arrived at a peer with whom the exchange was ended.
pub(crate) async fn cancel_all(
    sql: &mut AnyConnection,
    peer: PeerId,
    reason: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_hands SET state = 'cancelled', reason = $1, changed_at = $2 \
         WHERE peer = $3 AND state IN ('queued', 'sent', 'retracting')",
    )
    .bind(reason)
    .bind(now_us)
    .bind(peer.to_string())
    .execute(sql)
    .await?;
    Ok(())
}
