//! People: the first administrator, sign-in, sessions.

use std::sync::PoisonError;

use model::event::AccessNoted;
use platform::http::{Caller, CallerKind};
use sha2::{Digest, Sha256};

use crate::Identity;
use crate::error::IdentityError;
use crate::note::clean;
use crate::store::access::{self, User};

/// Sessions a user may have open; beyond, the oldest ends.
pub(crate) const MAX_SESSIONS_PER_USER: i64 = 20;
/// Characters of a user's or organisation's name.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// A session just opened.
#[derive(Clone)]
pub struct Session {
    /// The cookie's value; it is not stored anywhere.
    pub secret: String,
    /// How long it lasts, seconds.
    pub lifetime_s: i64,
    /// Whose it is.
    pub caller: Caller,
}

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
    ) -> Result<Session, IdentityError> {
        let taken = || IdentityError::Conflict("this node has its administrator already".into());
        if !self.first_run().await? {
            return Err(taken());
        }
        let organisation = checked_name("the organisation's name", organisation)?;
        let name = checked_name("a user's name", name)?;
        let password = self.inner.passwords.hash(password).await?;
        let id = self.platform().mint();
        let user = User {
            id,
            name,
            password,
            roles: vec!["administrator".into()],
            grants: vec![],
            recipient: None,
            mail: None,
        };
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
        self.open_session(&user, "first run").await
    }

    /// Checks name and password and opens a session.
    ///
    /// # Errors
    /// They are wrong, there were too many failures, or the database said no.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        source: &str,
    ) -> Result<Session, IdentityError> {
        let user = self.checked_user(name, password, source).await?;
        self.open_session(&user, source).await
    }

    /// The user of this name and password; failures are counted and slow down.
    pub(crate) async fn checked_user(
        &self,
        name: &str,
        password: String,
        source: &str,
    ) -> Result<User, IdentityError> {
        // Only names that could exist are looked at further; others fail the same way.
        let name = clean(name.trim());
        let now = self.platform().now();
        let most = self.inner.rates.failures(source);
        let limits = || self.inner.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = limits().wait_s(&name, source, most, now);
        if let Some(retry_after_s) = wait {
            let detail = format!("from {source}: too many failures, {retry_after_s} s to wait");
            self.refused("sign_in_limited", &name, &detail).await;
            return Err(IdentityError::TooMany { retry_after_s });
        }
        let user = {
            let mut sql = self.platform().db.read().await?;
            access::user(&mut sql, &name).await?
        };
        let hash = user.as_ref().map(|user| user.password.clone());
        let right = self.inner.passwords.check(password, hash).await?;
        let Some(user) = user.filter(|_| right) else {
            limits().failed(&name, source, most, now);
            self.refused("sign_in_refused", &name, &format!("from {source}")).await;
            return Err(IdentityError::WrongPassword);
        };
        limits().succeeded(&name, source, now);
        Ok(user)
    }

    async fn open_session(&self, user: &User, source: &str) -> Result<Session, IdentityError> {
        let secret = self.random_hex();
        let lifetime_s = i64::from(self.inner.config.session_hours) * 3_600;
        let expires_at = self.platform().now().plus_secs(lifetime_s);
        let (stored, id, name) = (digest(&secret), user.id, user.name.clone());
        let detail = format!("from {source}");
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    access::insert_session(tx, &stored, id, expires_at, MAX_SESSIONS_PER_USER)
                        .await?;
                    let note = AccessNoted { what: "signed_in".into(), who: name.clone(), detail };
                    tx.publish(&name, &note).await?;
                    Ok::<_, IdentityError>(())
                })
            })
            .await?;
        Ok(Session { secret, lifetime_s, caller: caller(user) })
    }

    /// Ends the session of a cookie; one that is over already is fine.
    ///
    /// # Errors
    /// The database said no.
    pub async fn sign_out(&self, secret: &str) -> Result<(), IdentityError> {
        let stored = digest(secret);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    access::delete_session(tx, &stored).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Whose session a cookie is.
    pub(crate) async fn session_caller(
        &self,
        secret: &str,
    ) -> Result<Option<Caller>, IdentityError> {
        let mut sql = self.platform().db.read().await?;
        let user = access::session_user(&mut sql, &digest(secret), self.platform().now()).await?;
        Ok(user.as_ref().map(caller))
    }
}
