//! How far a peer's answers have been read, and how the last contact went.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Contact with a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    /// TAXII `added_after` of the next poll.
    pub(crate) added_after: Option<String>,
    /// Last success, microseconds UTC.
    pub(crate) last_contact_us: Option<i64>,
    /// Last try, microseconds UTC.
    pub(crate) last_try_us: Option<i64>,
    /// Why the last try failed; absent when it did not.
    pub(crate) last_error: Option<String>,
}

/// Contact with one peer.
pub(crate) async fn get(sql: &mut AnyConnection, peer: &str) -> Result<Contact, DbError> {
    let row = sqlx::query("SELECT * FROM cti_contacts WHERE peer = $1")
        .bind(peer)
        .fetch_optional(sql)
        .await?;
    let Some(row) = row else { return Ok(Contact::default()) };
    Ok(Contact {
        added_after: row.try_get("added_after")?,
        last_contact_us: row.try_get("last_contact")?,
        last_try_us: row.try_get("last_try")?,
        last_error: row.try_get("last_error")?,
    })
}

/// Notes how a contact went. `added_after` moves only when given.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    peer: &str,
    now_us: i64,
    error: Option<&str>,
    added_after: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_contacts (peer, added_after, last_contact, last_try, last_error) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (peer) DO UPDATE SET \
         added_after = COALESCE(excluded.added_after, cti_contacts.added_after), \
         last_contact = COALESCE(excluded.last_contact, cti_contacts.last_contact), \
         last_try = excluded.last_try, last_error = excluded.last_error",
    )
    .bind(peer)
    .bind(added_after)
    .bind(error.is_none().then_some(now_us))
    .bind(now_us)
    .bind(error)
    .execute(sql)
    .await?;
    Ok(())
}
