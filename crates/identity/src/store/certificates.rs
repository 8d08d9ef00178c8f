//! Client certificates of programs.

use model::{CertificateId, Timestamp};
use platform::db::{DbError, Tx};
use ports::disclosure::Recipient;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::access::recipient;
use super::{parsed, read_words, words};

/// A client certificate as it is remembered; the certificate itself is with its holder.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) id: CertificateId,
    pub(crate) label: String,
    pub(crate) roles: Vec<String>,
    pub(crate) grants: Vec<String>,
    /// The other organisation it is for.
    pub(crate) recipient: Option<Recipient>,
    /// SHA-256 of the whole certificate, hex.
    pub(crate) fingerprint: String,
    /// Hex.
    pub(crate) serial: String,
    pub(crate) made_by: String,
    pub(crate) recorded_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &Certificate) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO identity_certificates (id, label, roles, grants, fingerprint, serial, \
         made_by, recorded_at, expires_at, recipient) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.id.to_string())
    .bind(row.label.clone())
    .bind(words(&row.roles))
    .bind(words(&row.grants))
    .bind(row.fingerprint.clone())
    .bind(row.serial.clone())
    .bind(row.made_by.clone())
    .bind(row.recorded_at.as_micros())
    .bind(row.expires_at.as_micros())
    .bind(row.recipient.map(|it| it.to_string()))
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Certificates in force at `now`.
pub(crate) async fn count(sql: &mut AnyConnection, now: Timestamp) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM identity_certificates WHERE revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// The certificate with this fingerprint.
pub(crate) async fn by_fingerprint(
    sql: &mut AnyConnection,
    fingerprint: &str,
) -> Result<Option<Certificate>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_certificates WHERE fingerprint = $1")
        .bind(fingerprint)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Certificates before `before` (an id), newest first.
pub(crate) async fn list(
    sql: &mut AnyConnection,
    before: Option<String>,
    limit: i64,
) -> Result<Vec<Certificate>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM identity_certificates WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2",
    )
    .bind(before.unwrap_or_default())
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(read).collect()
}

/// False when there is none or it was revoked before.
pub(crate) async fn revoke(tx: &mut Tx, id: CertificateId) -> Result<bool, DbError> {
    let now = tx.now().as_micros();
    let done = sqlx::query(
        "UPDATE identity_certificates SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: &AnyRow) -> Result<Certificate, DbError> {
    let (id, roles): (String, String) = (row.try_get("id")?, row.try_get("roles")?);
    let moment = |name: &str| row.try_get::<i64, _>(name).map(Timestamp::from_micros);
    Ok(Certificate {
        id: parsed(&id, "identity_certificates.id")?,
        label: row.try_get("label")?,
        roles: read_words(&roles, "identity_certificates.roles")?,
        grants: read_words(&row.try_get::<String, _>("grants")?, "identity_certificates.grants")?,
        recipient: recipient(row, "identity_certificates.recipient")?,
        fingerprint: row.try_get("fingerprint")?,
        serial: row.try_get("serial")?,
        made_by: row.try_get("made_by")?,
        recorded_at: moment("recorded_at")?,
        expires_at: moment("expires_at")?,
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp::from_micros),
    })
}
