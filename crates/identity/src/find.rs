//! Search over everything: people with an account, by name.

use async_trait::async_trait;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};
use sqlx::Row;

use crate::{Identity, IdentityError};

/// Accounts looked at, by name; a node has far fewer.
const MAX_ACCOUNTS_SEARCHED: i64 = 5_000;

#[async_trait]
impl Find for Identity {
    fn kind(&self) -> &'static str {
        "people"
    }

    fn permission(&self) -> &'static str {
        "users.list"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.platform().db.read().await.map_err(IdentityError::from)?;
        let rows = sqlx::query(
            "SELECT id, name, roles FROM (SELECT id, name, roles FROM identity_users ORDER BY name LIMIT $1) AS accounts \
             WHERE name LIKE $2 ESCAPE '\\' ORDER BY name LIMIT $3",
        )
        .bind(MAX_ACCOUNTS_SEARCHED)
        .bind(wanted.like())
        .bind(i64::from(wanted.limit))
        .fetch_all(&mut *sql)
        .await
        .map_err(IdentityError::from)?;
        let found = rows.iter().map(|row| {
            let roles: String = row.try_get("roles")?;
            let roles: Vec<String> = serde_json::from_str(&roles).unwrap_or_default();
            Ok(Found {
                id: row.try_get("id")?,
                title: row.try_get("name")?,
                detail: roles.join(", "),
                path: "/access".into(),
                at: None,
            })
        });
        let found: Result<Vec<Found>, DbError> = found.collect();
        Ok(found.map_err(IdentityError::from)?)
    }
}
