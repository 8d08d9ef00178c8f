//! Changes of accounts.

use model::{Timestamp, UserId};
use platform::db::{DbError, Tx};

use super::words;

/// Writes the name that is shown.
pub(crate) async fn set_shown(tx: &mut Tx, id: UserId, shown: Option<&str>) -> Result<(), DbError> {
    sqlx::query("UPDATE identity_users SET shown = $1 WHERE id = $2")
        .bind(shown)
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Writes the hash of a new password.
pub(crate) async fn set_password(tx: &mut Tx, id: UserId, hash: &str) -> Result<(), DbError> {
    sqlx::query("UPDATE identity_users SET password = $1 WHERE id = $2")
        .bind(hash)
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Writes what an account may do.
pub(crate) async fn set_roles(tx: &mut Tx, id: UserId, roles: &[String]) -> Result<(), DbError> {
    sqlx::query("UPDATE identity_users SET roles = $1 WHERE id = $2")
        .bind(words(roles))
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Switches an account off, or on again.
pub(crate) async fn set_disabled(
    tx: &mut Tx,
    id: UserId,
    since: Option<Timestamp>,
) -> Result<(), DbError> {
    sqlx::query("UPDATE identity_users SET disabled_at = $1 WHERE id = $2")
        .bind(since.map(Timestamp::as_micros))
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Notes a sign-in.
pub(crate) async fn signed_in(tx: &mut Tx, id: UserId) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query("UPDATE identity_users SET signed_in_at = $1 WHERE id = $2")
        .bind(now)
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}
