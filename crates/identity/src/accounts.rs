//! Accounts that administrators make, e.g. for TAXII clients that know basic authentication only.

use std::sync::PoisonError;

use model::event::AccessNoted;
use platform::http::Caller;

use crate::error::IdentityError;
use crate::people;
use crate::store::access::{self, User};
use crate::tokens::check_grants;
use crate::users::{caller, checked_name, digest};
use crate::{Identity, ROLES};

/// Accounts at most.
pub(crate) const MAX_USERS: i64 = 10_000;

impl Identity {
    /// Makes an account; its password is made here and handed out once. `organisation` is the other one it is for, by name
    /// or id.
    ///
    /// # Errors
    /// Unknown role, unusable name or grant, the name is taken, too many accounts, or the database said no.
    pub async fn create_user(
        &self,
        by: &Caller,
        name: &str,
        role: String,
        grants: Vec<String>,
        organisation: Option<&str>,
    ) -> Result<String, IdentityError> {
        let name = checked_name("a user's name", name)?;
        // `token` is the name under which a token stands in basic authentication, ':' ends a name there.
        if name == "token" || name.contains([':', '/']) {
            let text = "a user's name is not `token` and has no ':' or '/'";
            return Err(IdentityError::Invalid(text.into()));
        }
        if !ROLES.contains(&role.as_str()) {
            let text = format!("'{role}' is no role; roles are {}", ROLES.join(", "));
            return Err(IdentityError::Invalid(text));
        }
        check_grants(&grants)?;
        let named = self.stands_for(organisation, &role).await?;
        let recipient = named.as_ref().map(|named| named.recipient);
        let secret = self.random_hex();
        let password = secret.get(..32).unwrap_or(&secret).to_owned();
        let hash = self.inner.passwords.hash(password.clone()).await?;
        let id = self.platform().mint();
        let user = User { grants, recipient, ..User::new(id, name, hash, role) };
        let actor = by.name.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let count = access::count_users(tx.sql()).await?;
                    if count >= MAX_USERS || access::user(tx.sql(), &user.name).await?.is_some() {
                        let text =
                            format!("'{}' is taken, or there are {MAX_USERS} accounts", user.name);
                        return Err(IdentityError::Conflict(text));
                    }
                    access::insert_user(tx, &user).await?;
                    let mut detail =
                        format!("account {} with role {}", user.name, user.roles.join(", "));
                    if let Some(named) = &named {
                        detail.push_str(&format!(" for {}", named.name));
                    }
                    let note =
                        AccessNoted { what: "user_created".into(), who: actor.clone(), detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(password)
    }

    /// All accounts.
    pub(crate) async fn users(&self) -> Result<Vec<User>, IdentityError> {
        let mut sql = self.platform().db.read().await?;
        Ok(access::users(&mut sql).await?)
    }

    /// Takes an account away; its sessions end.
    ///
    /// # Errors
    /// No such account, it is the own one or the last administrator in use, or the database said no.
    pub async fn remove_user(&self, by: &Caller, name: &str) -> Result<(), IdentityError> {
        let (actor, own, name) = (by.name.clone(), by.id.clone(), name.to_owned());
        let removed = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let user = people::rest_can_do_without(tx, &own, &name).await?;
                    access::remove_user(tx, user.id).await?;
                    let detail = format!("account {name}");
                    let note =
                        AccessNoted { what: "user_removed".into(), who: actor.clone(), detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await;
        self.inner.passed.clear();
        removed
    }

    /// Who stands behind a name and a password. What was right a moment ago is not hashed again: a TAXII client sends
    /// both with every request, and a password is made to be slow to check.
    pub(crate) async fn password_caller(
        &self,
        name: &str,
        password: String,
        source: &str,
    ) -> Result<Caller, IdentityError> {
        let key = digest(&format!("{}\n{name}\n{password}", self.inner.salt));
        let (known, change) = self.inner.passed.get(&key);
        if let Some(caller) = known {
            return Ok(caller);
        }
        let user = self.checked_user(name, password, source, "").await?;
        let found = caller(&user);
        self.inner.passed.keep(change, key, found.clone());
        Ok(found)
    }

    /// Counts a credential that was no good; the seconds its source has to wait when there were too many.
    pub(crate) fn failed_credential(&self, source: &str) -> Option<i64> {
        let now = self.platform().now();
        let most = self.inner.rates.failures(source);
        let mut limits = self.inner.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = limits.source_wait_s(source, most, now);
        limits.source_failed(source, most, now);
        wait
    }
}
