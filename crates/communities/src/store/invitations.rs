//! Invitations made here, by the digest of their code.

use model::{CommunityId, NodeId, Timestamp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{circles, parsed};
use crate::certificate::Role;

/// An invitation made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invited {
    pub(crate) digest: String,
    pub(crate) community: CommunityId,
    pub(crate) node: NodeId,
    pub(crate) role: Role,
    pub(crate) made_by: String,
    pub(crate) made_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) withdrawn_at: Option<Timestamp>,
}

/// Keeps a new one; those that have expired are forgotten.
pub(crate) async fn insert(sql: &mut AnyConnection, invited: &Invited) -> Result<(), DbError> {
    sqlx::query("DELETE FROM communities_invitations WHERE expires_at < $1")
        .bind(invited.made_at.as_micros())
        .execute(&mut *sql)
        .await?;
    sqlx::query(
        "INSERT INTO communities_invitations (digest, community, node, role, made_by, expires_at, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&invited.digest)
    .bind(invited.community.to_string())
    .bind(invited.node.to_string())
    .bind(invited.role.word())
    .bind(&invited.made_by)
    .bind(invited.expires_at.as_micros())
    .bind(invited.made_at.as_micros())
    .execute(sql)
    .await?;
    Ok(())
}

/// One by the digest of its code.
pub(crate) async fn get(sql: &mut AnyConnection, digest: &str) -> Result<Option<Invited>, DbError> {
    let row = sqlx::query("SELECT * FROM communities_invitations WHERE digest = $1")
        .bind(digest)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(invited).transpose()
}

/// All to a community that are not forgotten, the newest first.
pub(crate) async fn all(
    sql: &mut AnyConnection,
    community: CommunityId,
) -> Result<Vec<Invited>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM communities_invitations WHERE community = $1 ORDER BY recorded_at DESC, digest",
    )
    .bind(community.to_string())
    .fetch_all(sql)
    .await?;
    rows.iter().map(invited).collect()
}

/// How many to a community are not forgotten.
pub(crate) async fn count(sql: &mut AnyConnection, community: CommunityId) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM communities_invitations WHERE community = $1")
        .bind(community.to_string())
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// Uses an invitation up; false when it was used or withdrawn before.
pub(crate) async fn spend(
    sql: &mut AnyConnection,
    digest: &str,
    now_us: i64,
) -> Result<bool, DbError> {
    let text = "UPDATE communities_invitations SET used_at = $1 \
         WHERE digest = $2 AND used_at IS NULL AND withdrawn_at IS NULL";
    end(sql, text, digest, now_us).await
}

/// Makes one worthless that was not used; false when there is none such.
pub(crate) async fn withdraw(
    sql: &mut AnyConnection,
    digest: &str,
    now_us: i64,
) -> Result<bool, DbError> {
    let text = "UPDATE communities_invitations SET withdrawn_at = $1 \
         WHERE digest = $2 AND used_at IS NULL AND withdrawn_at IS NULL";
    end(sql, text, digest, now_us).await
}

/// Ends an open invitation; false when it was not open.
async fn end(
    sql: &mut AnyConnection,
    text: &'static str,
    digest: &str,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(text).bind(now_us).bind(digest).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

/// Makes all of a node to a community worthless, or all to the community.
pub(crate) async fn withdraw_all(
    sql: &mut AnyConnection,
    community: CommunityId,
    node: Option<NodeId>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE communities_invitations SET withdrawn_at = $1 \
         WHERE community = $2 AND ($3 = '' OR node = $3) AND withdrawn_at IS NULL",
    )
    .bind(now_us)
    .bind(community.to_string())
    .bind(node.map(|node| node.to_string()).unwrap_or_default())
    .execute(sql)
    .await?;
    Ok(())
}

fn invited(row: &AnyRow) -> Result<Invited, DbError> {
    let role: String = row.try_get("role")?;
    let time = |column: &str| row.try_get::<Option<i64>, _>(column);
    Ok(Invited {
        digest: row.try_get("digest")?,
        community: parsed(row, "community", "communities_invitations.community")?,
        node: parsed(row, "node", "communities_invitations.node")?,
        role: circles::role(&role, "communities_invitations.role")?,
        made_by: row.try_get("made_by")?,
        made_at: Timestamp::from_micros(row.try_get("recorded_at")?),
        expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
        used_at: time("used_at")?.map(Timestamp::from_micros),
        withdrawn_at: time("withdrawn_at")?.map(Timestamp::from_micros),
    })
}
