//! Members of communities and serials that no longer count.

use std::collections::{BTreeSet, HashMap};

use model::{CommunityId, NodeId};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{circles, parsed};
use crate::circle::{Member, State};

/// All of a community, by name.
pub(crate) async fn all(
    sql: &mut AnyConnection,
    community: CommunityId,
) -> Result<Vec<Member>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM communities_members WHERE community = $1 ORDER BY name, node")
            .bind(community.to_string())
            .fetch_all(sql)
            .await?;
    rows.iter().map(member).collect()
}

/// One of a community.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    community: CommunityId,
    node: NodeId,
) -> Result<Option<Member>, DbError> {
    let row = sqlx::query("SELECT * FROM communities_members WHERE community = $1 AND node = $2")
        .bind(community.to_string())
        .bind(node.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(member).transpose()
}

/// Adds a member or brings it up to date.
pub(crate) async fn put(
    sql: &mut AnyConnection,
    community: CommunityId,
    member: &Member,
    now_us: i64,
) -> Result<(), DbError> {
    let certificate = serde_json::to_string(&member.certificate)
        .map_err(|cause| DbError::corrupt("communities_members.certificate", cause))?;
    sqlx::query(
        "INSERT INTO communities_members (community, node, peer, name, role, state, serial, certificate, \
         invitation, not_after, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (community, node) DO UPDATE SET peer = excluded.peer, name = excluded.name, \
         role = excluded.role, state = excluded.state, serial = excluded.serial, \
         certificate = excluded.certificate, invitation = excluded.invitation, not_after = excluded.not_after, updated_at = excluded.updated_at",
    )
    .bind(community.to_string())
    .bind(member.node.to_string())
    .bind(member.peer.map(|peer| peer.to_string()))
    .bind(&member.name)
    .bind(member.role.word())
    .bind(member.state.word())
    .bind(member.certificate.serial)
    .bind(certificate)
    .bind(&member.invitation)
    .bind(member.certificate.not_after.as_micros())
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Notes which version a member was told; -1 that its end could not be told yet.
pub(crate) async fn told(
    sql: &mut AnyConnection,
    community: CommunityId,
    node: NodeId,
    version: i64,
) -> Result<(), DbError> {
    sqlx::query("UPDATE communities_members SET told = $1 WHERE community = $2 AND node = $3")
        .bind(version)
        .bind(community.to_string())
        .bind(node.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// The version each member of a community was told.
pub(crate) async fn versions_told(
    sql: &mut AnyConnection,
    community: CommunityId,
) -> Result<HashMap<NodeId, i64>, DbError> {
    let rows = sqlx::query("SELECT node, told FROM communities_members WHERE community = $1")
        .bind(community.to_string())
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| Ok((parsed(row, "node", "communities_members.node")?, row.try_get("told")?)))
        .collect()
}

/// Forgets all members of a community.
pub(crate) async fn clear(sql: &mut AnyConnection, community: CommunityId) -> Result<(), DbError> {
    for table in ["communities_members", "communities_revoked"] {
        let text = format!("DELETE FROM {table} WHERE community = $1");
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(community.to_string())
            .execute(&mut *sql)
            .await?;
    }
    Ok(())
}

/// Notes that a serial no longer counts; `not_after_us` is when it would have ended by itself.
pub(crate) async fn revoke(
    sql: &mut AnyConnection,
    community: CommunityId,
    serial: i64,
    not_after_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO communities_revoked (community, serial, not_after) VALUES ($1, $2, $3) \
         ON CONFLICT (community, serial) DO NOTHING",
    )
    .bind(community.to_string())
    .bind(serial)
    .bind(not_after_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Serials that do not count although they have not ended by `now_us`.
pub(crate) async fn revoked(
    sql: &mut AnyConnection,
    community: CommunityId,
    now_us: i64,
) -> Result<BTreeSet<i64>, DbError> {
    let rows = sqlx::query(
        "SELECT serial FROM communities_revoked WHERE community = $1 AND not_after > $2",
    )
    .bind(community.to_string())
    .bind(now_us)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn member(row: &AnyRow) -> Result<Member, DbError> {
    let peer: Option<String> = row.try_get("peer")?;
    let peer = peer.map(|text| text.parse()).transpose();
    let (role, state): (String, String) = (row.try_get("role")?, row.try_get("state")?);
    let certificate: String = row.try_get("certificate")?;
    Ok(Member {
        node: parsed(row, "node", "communities_members.node")?,
        peer: peer.map_err(|cause| DbError::corrupt("communities_members.peer", cause))?,
        name: row.try_get("name")?,
        role: circles::role(&role, "communities_members.role")?,
        state: State::from_word(&state)
            .ok_or_else(|| DbError::corrupt("communities_members.state", &state))?,
        certificate: serde_json::from_str(&certificate)
            .map_err(|cause| DbError::corrupt("communities_members.certificate", cause))?,
        invitation: row.try_get("invitation")?,
    })
}
