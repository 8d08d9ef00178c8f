//! Users, sessions and tokens.

use model::{Timestamp, TokenId, UserId};
use platform::db::{DbError, Tx};
use ports::disclosure::Recipient;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{parsed, read_words, words};

/// A person with an account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) roles: Vec<String>,
    /// Rights on single TAXII collections.
    pub(crate) grants: Vec<String>,
    /// The organisation it is for.
    pub(crate) recipient: Option<Recipient>,
    /// Where mail reaches them.
    pub(crate) mail: Option<String>,
    /// The name that is shown.
    pub(crate) shown: Option<String>,
    /// Since when it is switched off.
    pub(crate) disabled_at: Option<Timestamp>,
    /// When the person last signed in.
    pub(crate) signed_in_at: Option<Timestamp>,
}

impl User {
    /// A new account, in use.
    pub(crate) fn new(id: UserId, name: String, password: String, role: String) -> Self {
        Self {
            id,
            name,
            password,
            roles: vec![role],
            grants: vec![],
            recipient: None,
            mail: None,
            shown: None,
            disabled_at: None,
            signed_in_at: None,
        }
    }

    /// It may do everything, once it is in use.
    pub(crate) fn administers(&self) -> bool {
        self.grants.is_empty() && self.roles.iter().any(|role| role == "administrator")
    }
}

/// An API token without its secret.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: TokenId,
    pub(crate) digest: String,
    pub(crate) label: String,
    pub(crate) roles: Vec<String>,
    pub(crate) grants: Vec<String>,
    /// The organisation it is for.
    pub(crate) recipient: Option<Recipient>,
    pub(crate) made_by: String,
    pub(crate) recorded_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

pub(crate) async fn count_users(sql: &mut AnyConnection) -> Result<i64, DbError> {
    Ok(sqlx::query("SELECT COUNT(*) FROM identity_users").fetch_one(sql).await?.try_get(0)?)
}

/// People with the role that may do everything.
pub(crate) async fn count_administrators(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT COUNT(*) FROM identity_users WHERE roles LIKE '%\"administrator\"%'")
            .fetch_one(sql)
            .await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn insert_user(tx: &mut Tx, user: &User) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO identity_users (id, name, password, roles, recorded_at, grants, recipient) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.id.to_string())
    .bind(user.name.clone())
    .bind(user.password.clone())
    .bind(words(&user.roles))
    .bind(now)
    .bind(words(&user.grants))
    .bind(user.recipient.map(|it| it.to_string()))
    .execute(tx.sql())
    .await?;
    Ok(())
}

pub(crate) async fn user(sql: &mut AnyConnection, name: &str) -> Result<Option<User>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_users WHERE name = $1")
        .bind(name)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_user).transpose()
}

pub(super) fn read_user(row: &AnyRow) -> Result<User, DbError> {
    let (id, roles): (String, String) = (row.try_get("id")?, row.try_get("roles")?);
    let moment = |name: &str| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp::from_micros))
    };
    Ok(User {
        id: parsed(&id, "identity_users.id")?,
        name: row.try_get("name")?,
        password: row.try_get("password")?,
        roles: read_words(&roles, "identity_users.roles")?,
        grants: read_words(&row.try_get::<String, _>("grants")?, "identity_users.grants")?,
        recipient: recipient(row, "identity_users.recipient")?,
        mail: row.try_get("mail")?,
        shown: row.try_get("shown")?,
        disabled_at: moment("disabled_at")?,
        signed_in_at: moment("signed_in_at")?,
    })
}

/// All accounts, by name.
pub(crate) async fn users(sql: &mut AnyConnection) -> Result<Vec<User>, DbError> {
    let rows = sqlx::query("SELECT * FROM identity_users ORDER BY name").fetch_all(sql).await?;
    rows.iter().map(read_user).collect()
}

/// The account of this id.
pub(crate) async fn user_by_id(sql: &mut AnyConnection, id: &str) -> Result<Option<User>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_users WHERE id = $1")
        .bind(id)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_user).transpose()
}

/// Writes where mail reaches an account.
pub(crate) async fn set_mail(tx: &mut Tx, id: UserId, mail: Option<&str>) -> Result<(), DbError> {
    sqlx::query("UPDATE identity_users SET mail = $1 WHERE id = $2")
        .bind(mail)
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Takes an account away with its sessions; false when there is none.
pub(crate) async fn remove_user(tx: &mut Tx, id: UserId) -> Result<bool, DbError> {
    sqlx::query("DELETE FROM identity_sessions WHERE user_id = $1")
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    let done = sqlx::query("DELETE FROM identity_users WHERE id = $1")
        .bind(id.to_string())
        .execute(tx.sql())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the organisation's name where the node reads who it is at its next start.
pub(crate) async fn set_node_name(tx: &mut Tx, name: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO platform_settings (name, value) VALUES ('node.name', $1) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .execute(tx.sql())
    .await?;
    Ok(())
}

pub(crate) async fn insert_token(tx: &mut Tx, token: &Token) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO identity_tokens (id, digest, label, roles, grants, made_by, recorded_at, \
         expires_at, recipient) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(token.id.to_string())
    .bind(token.digest.clone())
    .bind(token.label.clone())
    .bind(words(&token.roles))
    .bind(words(&token.grants))
    .bind(token.made_by.clone())
    .bind(token.recorded_at.as_micros())
    .bind(token.expires_at.map(Timestamp::as_micros))
    .bind(token.recipient.map(|it| it.to_string()))
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Tokens that are not revoked.
pub(crate) async fn count_tokens(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM identity_tokens WHERE revoked_at IS NULL")
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn token(sql: &mut AnyConnection, id: TokenId) -> Result<Option<Token>, DbError> {
    let row = sqlx::query("SELECT * FROM identity_tokens WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_token).transpose()
}

/// Tokens before `before` (an id), newest first.
pub(crate) async fn tokens(
    sql: &mut AnyConnection,
    before: Option<String>,
    limit: i64,
) -> Result<Vec<Token>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM identity_tokens WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2",
    )
    .bind(before.unwrap_or_default())
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(read_token).collect()
}

/// The organisation that a row is for.
pub(super) fn recipient(row: &AnyRow, place: &'static str) -> Result<Option<Recipient>, DbError> {
    let text: Option<String> = row.try_get("recipient")?;
    text.map(|text| text.parse().map_err(|cause| DbError::corrupt(place, cause))).transpose()
}

fn read_token(row: &AnyRow) -> Result<Token, DbError> {
    let id: String = row.try_get("id")?;
    let (roles, grants): (String, String) = (row.try_get("roles")?, row.try_get("grants")?);
    let moment = |name: &str| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp::from_micros))
    };
    Ok(Token {
        id: parsed(&id, "identity_tokens.id")?,
        digest: row.try_get("digest")?,
        label: row.try_get("label")?,
        roles: read_words(&roles, "identity_tokens.roles")?,
        grants: read_words(&grants, "identity_tokens.grants")?,
        recipient: recipient(row, "identity_tokens.recipient")?,
        made_by: row.try_get("made_by")?,
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
        expires_at: moment("expires_at")?,
        revoked_at: moment("revoked_at")?,
    })
}

/// False when it does not exist or was revoked before.
pub(crate) async fn revoke_token(tx: &mut Tx, id: TokenId) -> Result<bool, DbError> {
    let now = tx.now().as_micros();
    let done = sqlx::query(
        "UPDATE identity_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() > 0)
}
