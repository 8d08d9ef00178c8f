//! People: the first administrator, sign-in, sessions.

use std::sync::PoisonError;

use model::event::AccessNoted;
use platform::http::{Caller, CallerKind};
use sha2::{Digest, Sha256};

use crate::Identity;
use crate::error::IdentityError;
use crate::note::clean;
use crate::sessions::{Entry, Session};
use crate::store::access::{self, User};

/// Characters of a user's or organisation's name.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// What is stored of a secret that is random enough to need no slow hash.
pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// A name as people give it.
pub(crate) fn checked_name(what: &str, name: &str) -> Result<String, IdentityError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(IdentityError::Invalid(format!(
            "{what} has 1 to {MAX_NAME_CHARS} characters and no control characters"
        )));
    }
    Ok(name.to_owned())
}

/// The roles of a holder: grants on collections are all that their holder has, so beside them no role counts but
/// that of a TAXII client.
pub(crate) fn roles_beside(grants: &[String], roles: Vec<String>) -> Vec<String> {
    if grants.is_empty() { roles } else { vec!["taxii".to_owned()] }
}

pub(crate) fn caller(user: &User) -> Caller {
    Caller {
        kind: CallerKind::User,
        id: user.id.to_string(),
        name: user.name.clone(),
        roles: roles_beside(&user.grants, user.roles.clone()),
        grants: user.grants.clone(),
        outside: user.recipient,
    }
}

impl Identity {
    /// True while there is no administrator; accounts of TAXII clients do not count.
    ///
    /// # Errors
    /// The database said no.
    pub async fn first_run(&self) -> Result<bool, IdentityError> {
        let mut sql = self.platform().db.read().await?;
        Ok(access::count_administrators(&mut sql).await? == 0)
    }

    /// Makes the first account, an administrator, and opens a session. The one writer makes it
    /// impossible that two callers both find no user.
    ///
    /// # Errors
    /// There is a user already, a name or the password is not acceptable, or the database said no.
    pub async fn create_first_administrator(
        &self,
        organisation: &str,
        name: &str,
        password: String,
        entry: &Entry,
    ) -> Result<Session, IdentityError> {
        let taken = || IdentityError::Conflict("this node has its administrator already".into());
        if !self.first_run().await? {
            return Err(taken());
        }
        let organisation = checked_name("the organisation's name", organisation)?;
        let name = checked_name("a user's name", name)?;
        let password = self.inner.passwords.hash(password).await?;
        let id = self.platform().mint();
        let user = User::new(id, name, password, "administrator".into());
        let stored = user.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if access::count_administrators(tx.sql()).await? > 0 {
                        return Err(taken());
                    }
                    if access::user(tx.sql(), &stored.name).await?.is_some() {
                        let text = format!("the name {} is taken", stored.name);
                        return Err(IdentityError::Conflict(text));
                    }
                    access::insert_user(tx, &stored).await?;
                    access::set_node_name(tx, &organisation).await?;
                    let note = AccessNoted {
                        what: "user_created".into(),
                        who: stored.name.clone(),
                        detail: format!("first administrator of {organisation}"),
                    };
                    tx.publish(&stored.name, &note).await?;
                    Ok(())
                })
            })
            .await?;
        self.open_session(&user, entry).await
    }

    /// Checks name and password and opens a session.
    ///
    /// # Errors
    /// They are wrong, there were too many failures, or the database said no.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        entry: &Entry,
    ) -> Result<Session, IdentityError> {
        let user = self.checked_user(name, password, &entry.source, &entry.device).await?;
        self.open_session(&user, entry).await
    }

    /// The user of this name and password; failures are counted and slow down.
    pub(crate) async fn checked_user(
        &self,
        name: &str,
        password: String,
        source: &str,
        device: &str,
    ) -> Result<User, IdentityError> {
        // Only names that could exist are looked at further; others fail the same way.
        let name = clean(name.trim());
        let now = self.platform().now();
        let most = self.inner.rates.failures(source);
        let limits = || self.inner.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let user = {
            let mut sql = self.platform().db.read().await?;
            access::user(&mut sql, &name).await?
        };
        // A browser that the person signed in from before is counted for itself, wherever it is: strangers who fail under
        // the same name, or behind the same address, do not keep it out.
        let place = match &user {
            Some(user) if self.knows_device(user.id, device) => {
                let place = format!("browser {}", digest(device));
                limits().vouch(&name, &place, now);
                place
            }
            _ => source.to_owned(),
        };
        let wait = limits().wait_s(&name, &place, most, now);
        if let Some(retry_after_s) = wait {
            let detail = format!("from {source}: too many failures, {retry_after_s} s to wait");
            self.refused("sign_in_limited", &name, &detail).await;
            return Err(IdentityError::TooMany { retry_after_s });
        }
        let hash = user.as_ref().map(|user| user.password.clone());
        let right = self.inner.passwords.check(password, hash).await?;
        let Some(user) = user.filter(|user| right && user.disabled_at.is_none()) else {
            limits().failed(&name, &place, most, now);
            self.refused("sign_in_refused", &name, &format!("from {source}")).await;
            return Err(IdentityError::WrongPassword);
        };
        limits().succeeded(&name, &place, now);
        Ok(user)
    }
}
