//! Invitations and peers.

use model::{NodeId, PeerId, Timestamp};
use platform::db::{DbError, Tx};
use platform::peers::Peer;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// An invitation as stored.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_by: Option<String>,
    pub(crate) request: Option<String>,
    pub(crate) certificate: Option<String>,
}

/// A peer with what only this room needs.
#[derive(Clone, Debug)]
pub(crate) struct PeerRow {
    pub(crate) peer: Peer,
    /// The authority we trust it by, PEM; there when we call it.
    pub(crate) ca: Option<String>,
    /// SHA-256 of the public key we certified, hex; there when it calls us.
    pub(crate) certificate: Option<String>,
    pub(crate) revoked: bool,
}

pub(crate) async fn insert_invitation(
    tx: &mut Tx,
    digest: &str,
    name: &str,
    kind: &str,
    made_by: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let now = tx.now();
    sqlx::query("DELETE FROM identity_invitations WHERE expires_at < $1")
        .bind(now.plus_secs(-30 * 86_400).as_micros())
        .execute(tx.sql())
        .await?;
    sqlx::query(
        "INSERT INTO identity_invitations (digest, name, kind, made_by, recorded_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(digest)
    .bind(name)
    .bind(kind)
    .bind(made_by)
    .bind(now.as_micros())
    .bind(expires_at.as_micros())
    .execute(tx.sql())
    .await?;
    Ok(())
}

pub(crate) async fn invitation(
    sql: &mut AnyConnection,
    digest: &str,
) -> Result<Option<Invited>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_invitations WHERE digest = $1")
        .bind(digest)
        .fetch_optional(sql)
        .await?;
    row.map(|row| {
        Ok(Invited {
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
            used_by: row.try_get("used_by")?,
            request: row.try_get("request")?,
            certificate: row.try_get("certificate")?,
        })
    })
    .transpose()
}

pub(crate) async fn use_invitation(
    tx: &mut Tx,
    digest: &str,
    node: NodeId,
    request: &str,
    certificate: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE identity_invitations SET used_by = $1, request = $2, certificate = $3 \
         WHERE digest = $4 AND used_by IS NULL",
    )
    .bind(node.to_string())
    .bind(request)
    .bind(certificate)
    .bind(digest)
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores a peer; one that is known by its node keeps its id and gains what is new.
pub(crate) async fn put_peer(tx: &mut Tx, row: &PeerRow) -> Result<Peer, DbError> {
    let now = tx.now().as_micros();
    let peer = &row.peer;
    let stored = sqlx::query(
        "INSERT INTO identity_peers (id, node, name, kind, url, ca, certificate, fingerprint, \
         signing_key, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (node) DO UPDATE SET name = excluded.name, kind = excluded.kind, \
         url = COALESCE(excluded.url, identity_peers.url), \
         ca = COALESCE(excluded.ca, identity_peers.ca), \
         certificate = COALESCE(excluded.certificate, identity_peers.certificate), \
         fingerprint = excluded.fingerprint, signing_key = excluded.signing_key, \
         revoked_at = NULL RETURNING *",
    )
    .bind(peer.id.to_string())
    .bind(peer.node.to_string())
    .bind(peer.name.clone())
    .bind(peer.kind.clone())
    .bind(peer.url.clone())
    .bind(row.ca.clone())
    .bind(row.certificate.clone())
    .bind(peer.fingerprint.clone())
    .bind(peer.signing_key.clone())
    .bind(now)
    .fetch_one(tx.sql())
    .await?;
    Ok(read_peer(&stored)?.peer)
}

/// All peers that are not revoked, oldest first.
pub(crate) async fn peers(sql: &mut AnyConnection) -> Result<Vec<PeerRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM identity_peers WHERE revoked_at IS NULL ORDER BY id")
        .fetch_all(sql)
        .await?;
    rows.iter().map(read_peer).collect()
}

pub(crate) async fn peer(sql: &mut AnyConnection, id: PeerId) -> Result<Option<PeerRow>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_peers WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_peer).transpose()
}

pub(crate) async fn peer_of_node(
    sql: &mut AnyConnection,
    node: &str,
) -> Result<Option<PeerRow>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_peers WHERE node = $1")
        .bind(node)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_peer).transpose()
}

/// False when it does not exist or was revoked before.
pub(crate) async fn revoke_peer(tx: &mut Tx, id: PeerId) -> Result<bool, DbError> {
    let now = tx.now().as_micros();
    let done = sqlx::query(
        "UPDATE identity_peers SET revoked_at = $1, url = NULL, ca = NULL, certificate = NULL \
         WHERE id = $2 AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() > 0)
}

fn read_peer(row: &AnyRow) -> Result<PeerRow, DbError> {
    let (id, node): (String, String) = (row.try_get("id")?, row.try_get("node")?);
    Ok(PeerRow {
        peer: Peer {
            id: parsed(&id, "identity_peers.id")?,
            node: parsed(&node, "identity_peers.node")?,
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            url: row.try_get("url")?,
            fingerprint: row.try_get("fingerprint")?,
            signing_key: row.try_get("signing_key")?,
        },
        ca: row.try_get("ca")?,
        certificate: row.try_get("certificate")?,
        revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
    })
}
