//! Proposals: changes of an event that somebody else than its owner suggests.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, one_in_sight, stored};
use crate::fields::Fields;

/// A proposal.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) id: i64,
    /// That of the attribute, where it is one for a known one.
    pub(crate) uuid: String,
    pub(crate) event: i64,
    /// 0 proposes a new attribute.
    pub(crate) attribute: i64,
    pub(crate) org: i64,
    pub(crate) kind: String,
    pub(crate) category: String,
    pub(crate) value: String,
    pub(crate) to_ids: bool,
    /// Proposes that the attribute goes.
    pub(crate) deletes: bool,
    /// Seconds since 1970.
    pub(crate) stamp: i64,
    /// Accepted or discarded.
    pub(crate) closed: bool,
    pub(crate) made_by: String,
    pub(crate) body: Fields,
}

/// Adds a proposal; its number.
pub(crate) async fn insert(sql: &mut AnyConnection, of: &Proposal) -> Result<i64, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_proposals (uuid, event, attribute, org, type, category, value, to_ids, deletes, stamp, \
         closed, made_by, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id",
    )
    .bind(&of.uuid)
    .bind(of.event)
    .bind(of.attribute)
    .bind(of.org)
    .bind(&of.kind)
    .bind(&of.category)
    .bind(&of.value)
    .bind(i64::from(of.to_ids))
    .bind(i64::from(of.deletes))
    .bind(of.stamp)
    .bind(i64::from(of.closed))
    .bind(&of.made_by)
    .bind(stored(&of.body))
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// A proposal in sight: an open one before a closed one, the newest first where a UUID has several.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Proposal>, DbError> {
    let text = "SELECT p.* FROM misphub_proposals p JOIN misphub_events e ON e.id = p.event \
         WHERE (p.id = $1 OR p.uuid = $2) AND e.tlp <= $3 ORDER BY p.closed, p.id DESC LIMIT 1";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(proposal).transpose()
}

/// Open proposals in sight, of one event or (0) of all, changed at or after `since`, oldest first, at most ten thousand.
pub(crate) async fn open(
    sql: &mut AnyConnection,
    event: i64,
    since: i64,
    most: i64,
) -> Result<Vec<Proposal>, DbError> {
    let rows = sqlx::query(
        "SELECT p.* FROM misphub_proposals p JOIN misphub_events e ON e.id = p.event \
         WHERE ($1 = 0 OR p.event = $1) AND p.closed = 0 AND p.stamp >= $2 AND e.tlp <= $3 \
         ORDER BY p.id LIMIT 10000",
    )
    .bind(event)
    .bind(since)
    .bind(most)
    .fetch_all(sql)
    .await?;
    rows.iter().map(proposal).collect()
}

/// How many open proposals an event has.
pub(crate) async fn count(sql: &mut AnyConnection, event: i64) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM misphub_proposals WHERE event = $1 AND closed = 0")
        .bind(event)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// The same proposal by the same organisation, open or closed: telling it again changes nothing.
pub(crate) async fn twin(
    sql: &mut AnyConnection,
    like: &Proposal,
) -> Result<Option<Proposal>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM misphub_proposals WHERE event = $1 AND attribute = $2 AND uuid = $3 AND org = $4 \
         AND type = $5 AND value = $6 AND to_ids = $7 AND deletes = $8 AND category = $9 LIMIT 1",
    )
    .bind(like.event)
    .bind(like.attribute)
    .bind(&like.uuid)
    .bind(like.org)
    .bind(&like.kind)
    .bind(&like.value)
    .bind(i64::from(like.to_ids))
    .bind(i64::from(like.deletes))
    .bind(&like.category)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(proposal).transpose()
}

/// Closes a proposal.
pub(crate) async fn close(sql: &mut AnyConnection, id: i64, now_s: i64) -> Result<(), DbError> {
    sqlx::query("UPDATE misphub_proposals SET closed = 1, stamp = $1 WHERE id = $2")
        .bind(now_s)
        .bind(id)
        .execute(sql)
        .await?;
    Ok(())
}

fn proposal(row: &AnyRow) -> Result<Proposal, DbError> {
    Ok(Proposal {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        event: row.try_get("event")?,
        attribute: row.try_get("attribute")?,
        org: row.try_get("org")?,
        kind: row.try_get("type")?,
        category: row.try_get("category")?,
        value: row.try_get("value")?,
        to_ids: row.try_get::<i64, _>("to_ids")? != 0,
        deletes: row.try_get::<i64, _>("deletes")? != 0,
        stamp: row.try_get("stamp")?,
        closed: row.try_get::<i64, _>("closed")? != 0,
        made_by: row.try_get("made_by")?,
        body: body_of(row, "misphub_proposals.body")?,
    })
}
