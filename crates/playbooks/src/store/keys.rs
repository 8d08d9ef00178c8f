//! Public keys that are trusted to sign playbooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cacao::signature::PublicKey;
use model::Timestamp;
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use super::time;

/// Keys of a node at most.
pub(crate) const MAX_KEYS: i64 = 1_000;

/// A key.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub fingerprint: String,
    pub name: String,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    pub thumbprint: Option<String>,
    pub added_at: Timestamp,
    /// Its signatures do not count from then on.
    pub revoked_at: Option<Timestamp>,
}

impl Kept {
    pub(crate) fn key(&self) -> Result<PublicKey, DbError> {
        PublicKey::from_spki(&self.spki)
            .map_err(|cause| DbError::corrupt("playbooks_keys.spki", cause))
    }
}

/// Keeps a key; false when it is there already.
pub(crate) async fn put(connection: &mut AnyConnection, key: &Kept) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_keys (fingerprint, name, spki, thumbprint, added_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (fingerprint) DO NOTHING",
    )
    .bind(key.fingerprint.clone())
    .bind(key.name.clone())
    .bind(STANDARD.encode(&key.spki))
    .bind(key.thumbprint.clone())
    .bind(key.added_at.as_micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Every key, the oldest first.
pub(crate) async fn all(connection: &mut AnyConnection) -> Result<Vec<Kept>, DbError> {
    let rows = sqlx::query("SELECT * FROM playbooks_keys ORDER BY added_at, fingerprint LIMIT $1")
        .bind(MAX_KEYS)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let revoked: Option<i64> = row.try_get("revoked_at")?;
            let spki: String = row.try_get("spki")?;
            Ok(Kept {
                fingerprint: row.try_get("fingerprint")?,
                name: row.try_get("name")?,
                spki: STANDARD
                    .decode(spki)
                    .map_err(|cause| DbError::corrupt("playbooks_keys.spki", cause))?,
                thumbprint: row.try_get("thumbprint")?,
                added_at: time(row, "added_at")?,
                revoked_at: revoked.map(Timestamp::from_micros),
            })
        })
        .collect()
}

/// The key of this fingerprint.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    fingerprint: &str,
) -> Result<Option<Kept>, DbError> {
    let all = all(connection).await?;
    Ok(all.into_iter().find(|key| key.fingerprint == fingerprint))
}

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM playbooks_keys").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// Takes a key away; false when there is none.
pub(crate) async fn remove(
    connection: &mut AnyConnection,
    fingerprint: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM playbooks_keys WHERE fingerprint = $1")
        .bind(fingerprint.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a key since a time; false when there is none.
pub(crate) async fn revoke(
    connection: &mut AnyConnection,
    fingerprint: &str,
    since: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE playbooks_keys SET revoked_at = $1 WHERE fingerprint = $2")
        .bind(since.as_micros())
        .bind(fingerprint.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
