//! Communities.

use model::{CommunityId, Tlp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;
use crate::certificate::{Certificate, Role};
use crate::circle::{Circle, Contribute, Roster, State};

pub(crate) async fn insert(sql: &mut AnyConnection, circle: &Circle) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO communities_communities (id, name, description, max_tlp, contribute, roster, onward, \
         leader_node, leader_name, leader_key, leader_peer, own_role, own_certificate, asked, state, version, \
         serial, recorded_at, updated_at, refusal, chain, offer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
         $15, $16, $17, $18, $18, $19, $20, $21) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         leader_node = excluded.leader_node, leader_name = excluded.leader_name, leader_key = excluded.leader_key, \
         leader_peer = excluded.leader_peer, own_role = excluded.own_role, state = excluded.state, \
         asked = excluded.asked, own_certificate = excluded.own_certificate, version = excluded.version, \
         updated_at = excluded.updated_at, refusal = excluded.refusal, \
         chain = excluded.chain, offer = excluded.offer",
    )
    .bind(circle.id.to_string())
    .bind(&circle.name)
    .bind(&circle.description)
    .bind(rank(circle.max_tlp))
    .bind(circle.contribute.word())
    .bind(circle.roster.word())
    .bind(i64::from(circle.onward))
    .bind(circle.leader_node.to_string())
    .bind(&circle.leader_name)
    .bind(&circle.leader_key)
    .bind(circle.leader_peer.map(|peer| peer.to_string()))
    .bind(circle.own_role.map_or("leader", Role::word))
    .bind(certificate_text(circle.own_certificate.as_ref())?)
    .bind(&circle.asked)
    .bind(circle.state.word())
    .bind(circle.version)
    .bind(circle.serial)
    .bind(circle.updated_us)
    .bind(&circle.refusal)
    .bind(chain_text(circle)?)
    .bind(offer_text(circle)?)
    .execute(sql)
    .await?;
    Ok(())
}

/// Writes what may change of a community.
pub(crate) async fn update(
    sql: &mut AnyConnection,
    circle: &Circle,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE communities_communities SET name = $1, description = $2, max_tlp = $3, contribute = $4, \
         roster = $5, onward = $6, leader_name = $7, own_role = $8, own_certificate = $9, state = $10, \
         version = $11, serial = $12, updated_at = $13, asked = $14, refusal = $15, leader_node = $16, \
         leader_key = $17, leader_peer = $18, chain = $19, offer = $20 WHERE id = $21",
    )
    .bind(&circle.name)
    .bind(&circle.description)
    .bind(rank(circle.max_tlp))
    .bind(circle.contribute.word())
    .bind(circle.roster.word())
    .bind(i64::from(circle.onward))
    .bind(&circle.leader_name)
    .bind(circle.own_role.map_or("leader", Role::word))
    .bind(certificate_text(circle.own_certificate.as_ref())?)
    .bind(circle.state.word())
    .bind(circle.version)
    .bind(circle.serial)
    .bind(now_us)
    .bind(&circle.asked)
    .bind(&circle.refusal)
    .bind(circle.leader_node.to_string())
    .bind(&circle.leader_key)
    .bind(circle.leader_peer.map(|peer| peer.to_string()))
    .bind(chain_text(circle)?)
    .bind(offer_text(circle)?)
    .bind(circle.id.to_string())
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn get(
    sql: &mut AnyConnection,
    id: CommunityId,
) -> Result<Option<Circle>, DbError> {
    let row = sqlx::query("SELECT * FROM communities_communities WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(circle).transpose()
}

/// All that are known, by name.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Circle>, DbError> {
    let rows = sqlx::query("SELECT * FROM communities_communities ORDER BY name, id")
        .fetch_all(sql)
        .await?;
    rows.iter().map(circle).collect()
}

/// Forgets a community of somebody else that was never joined.
pub(crate) async fn remove(sql: &mut AnyConnection, id: CommunityId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM communities_communities WHERE id = $1")
        .bind(id.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

pub(crate) fn role(word: &str, place: &'static str) -> Result<Role, DbError> {
    Role::from_word(word).ok_or_else(|| DbError::corrupt(place, word))
}

fn certificate_text(certificate: Option<&Certificate>) -> Result<Option<String>, DbError> {
    let text = certificate.map(serde_json::to_string).transpose();
    text.map_err(|cause| DbError::corrupt("communities_communities.own_certificate", cause))
}

fn chain_text(circle: &Circle) -> Result<String, DbError> {
    serde_json::to_string(&circle.chain)
        .map_err(|cause| DbError::corrupt("communities_communities.chain", cause))
}

fn offer_text(circle: &Circle) -> Result<String, DbError> {
    let text = circle.offer.as_ref().map(serde_json::to_string).transpose();
    let text = text.map_err(|cause| DbError::corrupt("communities_communities.offer", cause))?;
    Ok(text.unwrap_or_default())
}

fn rank(tlp: Tlp) -> i64 {
    crate::policy::facts::rank(tlp)
}

fn circle(row: &AnyRow) -> Result<Circle, DbError> {
    let word = |column: &str| row.try_get::<String, _>(column);
    let peer: Option<String> = row.try_get("leader_peer")?;
    let peer = peer.map(|text| text.parse()).transpose();
    let certificate: Option<String> = row.try_get("own_certificate")?;
    let certificate = certificate.as_deref().map(serde_json::from_str).transpose();
    let (contribute, roster, state) = (word("contribute")?, word("roster")?, word("state")?);
    let own_role = word("own_role")?;
    Ok(Circle {
        id: parsed(row, "id", "communities_communities.id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        max_tlp: crate::policy::facts::tlp(row.try_get("max_tlp")?),
        contribute: Contribute::from_word(&contribute)
            .ok_or_else(|| DbError::corrupt("communities_communities.contribute", &contribute))?,
        roster: Roster::from_word(&roster)
            .ok_or_else(|| DbError::corrupt("communities_communities.roster", &roster))?,
        onward: row.try_get::<i64, _>("onward")? != 0,
        leader_node: parsed(row, "leader_node", "communities_communities.leader_node")?,
        leader_name: row.try_get("leader_name")?,
        leader_key: row.try_get("leader_key")?,
        leader_peer: peer
            .map_err(|cause| DbError::corrupt("communities_communities.leader_peer", cause))?,
        own_role: match own_role.as_str() {
            "leader" => None,
            other => Some(role(other, "communities_communities.own_role")?),
        },
        own_certificate: certificate
            .map_err(|cause| DbError::corrupt("communities_communities.own_certificate", cause))?,
        asked: row.try_get("asked")?,
        refusal: row.try_get("refusal")?,
        chain: serde_json::from_str(&word("chain")?)
            .map_err(|cause| DbError::corrupt("communities_communities.chain", cause))?,
        offer: match word("offer")?.as_str() {
            "" => None,
            text => Some(
                serde_json::from_str(text)
                    .map_err(|cause| DbError::corrupt("communities_communities.offer", cause))?,
            ),
        },
        state: State::from_word(&state)
            .ok_or_else(|| DbError::corrupt("communities_communities.state", &state))?,
        version: row.try_get("version")?,
        serial: row.try_get("serial")?,
        updated_us: row.try_get("updated_at")?,
    })
}
