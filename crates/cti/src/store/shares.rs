//! Shares and their history.

use model::{IncidentId, PeerId, ShareDecision, ShareId, ShareState, Timestamp, Tlp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::receipt::Receipt;

/// An answer from a person at the recipient.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Answer {
    /// Who answered.
    pub(crate) by: String,
    /// What.
    pub(crate) text: String,
    /// When, by the recipient's clock.
    pub(crate) at: Timestamp,
}

/// One share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) id: ShareId,
    pub(crate) key: String,
    pub(crate) incident: IncidentId,
    pub(crate) peer: PeerId,
    pub(crate) peer_name: String,
    pub(crate) state: ShareState,
    pub(crate) tlp: Tlp,
    pub(crate) actor: String,
    pub(crate) decision: ShareDecision,
    pub(crate) objects: i64,
    pub(crate) pseudonymised: i64,
    /// Objects that stayed.
    pub(crate) left_out: i64,
    /// Objects that went changed by rules of redaction.
    pub(crate) redacted: i64,
    /// The TAXII envelope exactly as it is sent; empty for a denied share.
    pub(crate) envelope: String,
    /// SHA-256 of the envelope, hex.
    pub(crate) digest: String,
    /// Our Ed25519 signature over the envelope, hex.
    pub(crate) signature: String,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) answer: Option<Answer>,
    pub(crate) attempts: i64,
    pub(crate) last_error: Option<String>,
    pub(crate) decided_at: Timestamp,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) acknowledged_at: Option<Timestamp>,
}

/// Adds a share; false when its key was used.
pub(crate) async fn add(sql: &mut AnyConnection, share: &Share) -> Result<bool, DbError> {
    let decision = serde_json::to_string(&share.decision)
        .map_err(|cause| DbError::corrupt("cti_shares.decision", cause))?;
    let done = sqlx::query(
        "INSERT INTO cti_shares (id, key, incident, peer, peer_name, state, tlp, actor, decision, \
         objects, pseudonymised, envelope, digest, signature, attempts, decided_at, \
         left_out, redacted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $16, $17) \
         ON CONFLICT (key) DO NOTHING",
    )
    .bind(share.id.to_string())
    .bind(&share.key)
    .bind(share.incident.to_string())
    .bind(share.peer.to_string())
    .bind(&share.peer_name)
    .bind(share.state.word())
    .bind(share.tlp.label())
    .bind(&share.actor)
    .bind(decision)
    .bind(share.objects)
    .bind(share.pseudonymised)
    .bind(&share.envelope)
    .bind(&share.digest)
    .bind(&share.signature)
    .bind(share.decided_at.as_micros())
    .bind(share.left_out)
    .bind(share.redacted)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One line of history.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    share: ShareId,
    at: Timestamp,
    line: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_share_history (share, position, recorded_at, line) VALUES ($1, \
         (SELECT COALESCE(MAX(position), 0) + 1 FROM cti_share_history WHERE share = $1), $2, $3)",
    )
    .bind(share.to_string())
    .bind(at.as_micros())
    .bind(line)
    .execute(sql)
    .await?;
    Ok(())
}

/// The history, oldest first.
pub(crate) async fn history(
    sql: &mut AnyConnection,
    share: ShareId,
) -> Result<Vec<(Timestamp, String)>, DbError> {
    let rows = sqlx::query(
        "SELECT recorded_at, line FROM cti_share_history WHERE share = $1 ORDER BY position",
    )
    .bind(share.to_string())
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| Ok((Timestamp::from_micros(row.try_get("recorded_at")?), row.try_get("line")?)))
        .collect()
}

/// A share by id.
pub(crate) async fn get(sql: &mut AnyConnection, id: ShareId) -> Result<Option<Share>, DbError> {
    let row = sqlx::query("SELECT * FROM cti_shares WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(share).transpose()
}

/// A share by its idempotency key.
pub(crate) async fn by_key(sql: &mut AnyConnection, key: &str) -> Result<Option<Share>, DbError> {
    let row = sqlx::query("SELECT * FROM cti_shares WHERE key = $1")
        .bind(key)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(share).transpose()
}

/// Shares, newest first; `before` is the position `(decided_at µs, id)` of the page before.
pub(crate) async fn list(
    sql: &mut AnyConnection,
    incident: Option<&str>,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Share>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let rows = sqlx::query(
        "SELECT * FROM cti_shares WHERE ($1 = '' OR incident = $1) \
         AND (decided_at < $2 OR (decided_at = $2 AND id < $3)) \
         ORDER BY decided_at DESC, id DESC LIMIT $4",
    )
    .bind(incident.unwrap_or_default())
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(share).collect()
}

/// Notes one try to deliver.
pub(crate) async fn tried(
    sql: &mut AnyConnection,
    id: ShareId,
    error: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query("UPDATE cti_shares SET attempts = attempts + 1, last_error = $1 WHERE id = $2")
        .bind(error)
        .bind(id.to_string())
        .execute(sql)
        .await?;
    Ok(())
}

/// From queued to delivered; false when it was not queued.
pub(crate) async fn delivered(
    sql: &mut AnyConnection,
    id: ShareId,
    receipt: &Receipt,
    at: Timestamp,
) -> Result<bool, DbError> {
    let receipt = serde_json::to_string(receipt)
        .map_err(|cause| DbError::corrupt("cti_shares.receipt", cause))?;
    let done = sqlx::query(
        "UPDATE cti_shares SET state = CASE WHEN state = 'queued' THEN 'delivered' ELSE state END, \
         receipt = $1, delivered_at = $2, last_error = NULL \
         WHERE id = $3 AND (state = 'queued' OR (state = 'acknowledged' AND receipt IS NULL))",
    )
    .bind(receipt)
    .bind(at.as_micros())
    .bind(id.to_string())
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// From queued to refused; false when it was not queued.
pub(crate) async fn refused(
    sql: &mut AnyConnection,
    id: ShareId,
    reason: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE cti_shares SET state = 'refused', last_error = $1 WHERE id = $2 AND state = 'queued'",
    )
    .bind(reason)
    .bind(id.to_string())
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

impl Share {
    /// Whether the recipient's signed receipt is still to come.
    pub(crate) fn wants_receipt(&self) -> bool {
        match self.state {
            ShareState::Queued => true,
            ShareState::Acknowledged => self.receipt.is_none(),
            _ => false,
        }
    }
}

/// From delivered (or queued, when the answer overtakes the receipt) to acknowledged; false when
/// it was neither.
pub(crate) async fn acknowledged(
    sql: &mut AnyConnection,
    id: ShareId,
    answer: &Answer,
    at: Timestamp,
) -> Result<bool, DbError> {
    let answer = serde_json::to_string(answer)
        .map_err(|cause| DbError::corrupt("cti_shares.answer", cause))?;
    let done = sqlx::query(
        "UPDATE cti_shares SET state = 'acknowledged', answer = $1, acknowledged_at = $2 \
         WHERE id = $3 AND state IN ('queued', 'delivered')",
    )
    .bind(answer)
    .bind(at.as_micros())
    .bind(id.to_string())
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Peers with delivered shares that wait for an answer, and when the newest was delivered.
pub(crate) async fn waiting(sql: &mut AnyConnection) -> Result<Vec<(String, i64)>, DbError> {
    let rows = sqlx::query(
        "SELECT peer, MAX(delivered_at) AS newest FROM cti_shares \
         WHERE state = 'delivered' GROUP BY peer",
    )
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("peer")?, row.try_get("newest")?))).collect()
}

/// How many shares are queued, and how many of them were tried in vain.
pub(crate) async fn queued(sql: &mut AnyConnection) -> Result<(i64, i64), DbError> {
    let row =
        sqlx::query("SELECT COUNT(*), COUNT(last_error) FROM cti_shares WHERE state = 'queued'")
            .fetch_one(sql)
            .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn share(row: &AnyRow) -> Result<Share, DbError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let maybe = |name: &str| row.try_get::<Option<String>, _>(name);
    let time = |name: &str| {
        Ok::<_, DbError>(row.try_get::<Option<i64>, _>(name)?.map(Timestamp::from_micros))
    };
    let state = text("state")?;
    Ok(Share {
        id: super::parsed(&text("id")?, "cti_shares.id")?,
        key: text("key")?,
        incident: super::parsed(&text("incident")?, "cti_shares.incident")?,
        peer: super::parsed(&text("peer")?, "cti_shares.peer")?,
        peer_name: text("peer_name")?,
        state: ShareState::from_word(&state)
            .ok_or_else(|| DbError::corrupt("cti_shares.state", state))?,
        tlp: super::parsed(&text("tlp")?, "cti_shares.tlp")?,
        actor: text("actor")?,
        decision: super::json(&text("decision")?, "cti_shares.decision")?,
        objects: row.try_get("objects")?,
        pseudonymised: row.try_get("pseudonymised")?,
        left_out: row.try_get("left_out")?,
        redacted: row.try_get("redacted")?,
        envelope: text("envelope")?,
        digest: text("digest")?,
        signature: text("signature")?,
        receipt: maybe("receipt")?.map(|t| super::json(&t, "cti_shares.receipt")).transpose()?,
        answer: maybe("answer")?.map(|t| super::json(&t, "cti_shares.answer")).transpose()?,
        attempts: row.try_get("attempts")?,
        last_error: maybe("last_error")?,
        decided_at: Timestamp::from_micros(row.try_get("decided_at")?),
        delivered_at: time("delivered_at")?,
        acknowledged_at: time("acknowledged_at")?,
    })
}
