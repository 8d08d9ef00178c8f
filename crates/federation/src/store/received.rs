//! What peers brought.

use model::{CommunityId, PeerId};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{ROWS, json, marks, parsed};
use crate::trail::Trail;

/// An object that a peer brought.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) place: i64,
    pub(crate) peer: PeerId,
    pub(crate) object: String,
    pub(crate) version: i64,
    pub(crate) tlp: i64,
    pub(crate) share: String,
    pub(crate) community: Option<CommunityId>,
    pub(crate) trail: Trail,
    /// `kept`, `beside`, `refused`, `withdrawn`.
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) recorded_us: i64,
}

fn received(row: &AnyRow) -> Result<Received, DbError> {
    let (peer, trail): (String, String) = (row.try_get("peer")?, row.try_get("trail")?);
    let community: Option<String> = row.try_get("community")?;
    Ok(Received {
        place: row.try_get("place")?,
        peer: parsed(&peer, "federation_received.peer")?,
        object: row.try_get("object")?,
        version: row.try_get("version")?,
        tlp: row.try_get("tlp")?,
        share: row.try_get("share")?,
        community: community.map(|id| parsed(&id, "federation_received.community")).transpose()?,
        trail: json(&trail, "federation_received.trail")?,
        outcome: row.try_get("outcome")?,
        reason: row.try_get("reason")?,
        recorded_us: row.try_get("recorded_at")?,
    })
}

/// Notes what a peer brought; its newest word about an object counts. A refusal does not hide what is kept of it.
pub(crate) async fn put(sql: &mut AnyConnection, new: &Received) -> Result<(), DbError> {
    let trail = serde_json::to_string(&new.trail)
        .map_err(|cause| DbError::corrupt("federation_received.trail", cause))?;
    sqlx::query(
        "INSERT INTO federation_received (peer, object, version, tlp, share, community, trail, outcome, reason, \
         recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (peer, object) DO UPDATE SET \
         version = CASE WHEN excluded.outcome = 'refused' THEN federation_received.version ELSE excluded.version END, \
         tlp = CASE WHEN excluded.tlp > federation_received.tlp THEN excluded.tlp ELSE federation_received.tlp END, \
         share = excluded.share, community = excluded.community, trail = excluded.trail, \
         outcome = CASE WHEN excluded.outcome = 'refused' AND federation_received.outcome IN ('kept', 'beside') \
           THEN federation_received.outcome ELSE excluded.outcome END, \
         reason = excluded.reason, recorded_at = excluded.recorded_at",
    )
    .bind(new.peer.to_string())
    .bind(&new.object)
    .bind(new.version)
    .bind(new.tlp)
    .bind(&new.share)
    .bind(new.community.map(|id| id.to_string()))
    .bind(trail)
    .bind(&new.outcome)
    .bind(&new.reason)
    .bind(new.recorded_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Who brought some objects, the first first; refusals left out.
pub(crate) async fn of_objects(
    sql: &mut AnyConnection,
    ids: &[&str],
) -> Result<Vec<Received>, DbError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(ROWS) {
        let text = format!(
            "SELECT * FROM federation_received WHERE object IN ({}) AND outcome IN ('kept', 'beside') ORDER BY place",
            marks(chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in chunk {
            query = query.bind(*id);
        }
        for row in query.fetch_all(&mut *sql).await? {
            found.push(received(&row)?);
        }
    }
    Ok(found)
}

/// A peer took its word back.
pub(crate) async fn withdrawn(
    sql: &mut AnyConnection,
    place: i64,
    reason: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE federation_received SET outcome = 'withdrawn', reason = $1, recorded_at = $2 WHERE place = $3",
    )
    .bind(reason)
    .bind(now_us)
    .bind(place)
    .execute(sql)
    .await?;
    Ok(())
}

/// What was brought, the newest row first, up to a label.
pub(crate) async fn before(
    sql: &mut AnyConnection,
    peer: &str,
    outcome: &str,
    before: i64,
    most: i64,
    limit: i64,
) -> Result<Vec<Received>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM federation_received WHERE place < $1 AND tlp <= $2 AND ($3 = '' OR peer = $3) \
         AND ($4 = '' OR outcome = $4) ORDER BY place DESC LIMIT $5",
    )
    .bind(before)
    .bind(most)
    .bind(peer)
    .bind(outcome)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(received).collect()
}

/// What goes on to the other members of a community: place, object, who brought it, the community.
pub(crate) type Onward = (i64, String, PeerId, CommunityId);

pub(crate) async fn add_onward(
    sql: &mut AnyConnection,
    object: &str,
    peer: PeerId,
    community: CommunityId,
) -> Result<(), DbError> {
    sqlx::query("INSERT INTO federation_onward (object, peer, community) VALUES ($1, $2, $3)")
        .bind(object)
        .bind(peer.to_string())
        .bind(community.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

pub(crate) async fn onward(sql: &mut AnyConnection, limit: i64) -> Result<Vec<Onward>, DbError> {
    let rows = sqlx::query("SELECT * FROM federation_onward ORDER BY place LIMIT $1")
        .bind(limit)
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| {
            let (peer, community): (String, String) =
                (row.try_get("peer")?, row.try_get("community")?);
            Ok((
                row.try_get("place")?,
                row.try_get("object")?,
                parsed(&peer, "federation_onward.peer")?,
                parsed(&community, "federation_onward.community")?,
            ))
        })
        .collect()
}

pub(crate) async fn drop_onward(sql: &mut AnyConnection, up_to: i64) -> Result<(), DbError> {
    sqlx::query("DELETE FROM federation_onward WHERE place <= $1").bind(up_to).execute(sql).await?;
    Ok(())
}
