//! Changes of accounts: by the person, by administrators. Nobody switches off or removes themself, and one administrator
//! in use is always left.

use model::event::AccessNoted;
use platform::db::Tx;
use platform::http::{Caller, CallerKind};

use crate::error::IdentityError;
use crate::note::clean;
use crate::sessions::Entry;
use crate::store::access::{self, User};
use crate::store::{people, sessions};
use crate::users::checked_name;
use crate::{Identity, ROLES};

/// What an administrator changes of an account; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) role: Option<String>,
    pub(crate) disabled: Option<bool>,
    pub(crate) shown: Option<String>,
}

/// The account of a name.
async fn named(tx: &mut Tx, name: &str) -> Result<User, IdentityError> {
    let user = access::user(tx.sql(), name).await?;
    user.ok_or_else(|| IdentityError::NotFound(format!("account {}", clean(name))))
}

/// The account of a name, where it is not the caller's own (by id) and others can do without it.
pub(crate) async fn rest_can_do_without(
    tx: &mut Tx,
    own: &str,
    name: &str,
) -> Result<User, IdentityError> {
    let user = named(tx, name).await?;
    if user.id.to_string() == own {
        return Err(IdentityError::Conflict(format!(
            "{} is your own account: another administrator has to do this",
            user.name
        )));
    }
    let in_use = |user: &&User| user.administers() && user.disabled_at.is_none();
    let all = access::users(tx.sql()).await?;
    if in_use(&&user) && all.iter().filter(in_use).count() == 1 {
        return Err(IdentityError::Conflict(format!(
            "{} is the last administrator in use; make another one first",
            user.name
        )));
    }
    Ok(user)
}

async fn note(tx: &mut Tx, actor: &str, what: &str, detail: String) -> Result<(), IdentityError> {
    let note = AccessNoted { what: what.into(), who: actor.to_owned(), detail };
    tx.publish(actor, &note).await?;
    Ok(())
}

async fn apply(tx: &mut Tx, by: &Caller, name: &str, change: &Change) -> Result<(), IdentityError> {
    let mut user = named(tx, name).await?;
    let actor = by.name.as_str();
    if let Some(role) = &change.role
        && user.roles != [role.clone()]
    {
        if user.recipient.is_some() && role != "taxii" {
            let text = "the account is for another organisation: its role stays taxii";
            return Err(IdentityError::Invalid(text.into()));
        }
        user = if user.administers() { rest_can_do_without(tx, &by.id, name).await? } else { user };
        people::set_roles(tx, user.id, std::slice::from_ref(role)).await?;
        // What was opened with other rights does not go on with these.
        sessions::delete_of(tx, user.id, "").await?;
        let detail = format!("{} from {} to {role}", user.name, user.roles.join(", "));
        note(tx, actor, "user_role_changed", detail).await?;
    }
    if let Some(off) = change.disabled
        && off != user.disabled_at.is_some()
    {
        let since = off.then(|| tx.now());
        if off {
            rest_can_do_without(tx, &by.id, name).await?;
            sessions::delete_of(tx, user.id, "").await?;
        }
        people::set_disabled(tx, user.id, since).await?;
        let what = if off { "user_disabled" } else { "user_enabled" };
        note(tx, actor, what, format!("account {}", user.name)).await?;
    }
    if let Some(shown) = &change.shown {
        let shown = (!shown.is_empty()).then_some(shown.as_str());
        people::set_shown(tx, user.id, shown).await?;
        note(tx, actor, "user_shown_changed", format!("account {}", user.name)).await?;
    }
    Ok(())
}

impl Identity {
    /// The account of a person who is signed in.
    pub(crate) async fn own_account(&self, caller: &Caller) -> Result<User, IdentityError> {
        let none = || {
            IdentityError::Conflict(
                "this is for people with an account: sign in with name and password".into(),
            )
        };
        if caller.kind != CallerKind::User {
            return Err(none());
        }
        let mut sql = self.platform().db.read().await?;
        access::user_by_id(&mut sql, &caller.id).await?.ok_or_else(none)
    }

    /// Changes an account; what opens with its former rights ends.
    ///
    /// # Errors
    /// No such account or role, it is the own or the last administrator's, or the database said no.
    pub(crate) async fn change_user(
        &self,
        by: &Caller,
        name: &str,
        mut change: Change,
    ) -> Result<(), IdentityError> {
        if let Some(role) = change.role.as_ref().filter(|role| !ROLES.contains(&role.as_str())) {
            let text = format!("'{}' is no role; roles are {}", clean(role), ROLES.join(", "));
            return Err(IdentityError::Invalid(text));
        }
        if let Some(shown) = change.shown.as_mut().filter(|shown| !shown.trim().is_empty()) {
            *shown = checked_name("the name that is shown", shown)?;
        }
        let (by, name) = (by.clone(), name.to_owned());
        let done = self
            .platform()
            .db
            .write(move |tx| Box::pin(async move { apply(tx, &by, &name, &change).await }))
            .await;
        self.inner.passed.clear();
        done
    }

    /// Gives an account a new password: the one said, or one made here. Its sessions end.
    ///
    /// # Errors
    /// No such account, the password is not acceptable, or the database said no.
    pub(crate) async fn reset_password(
        &self,
        by: &Caller,
        name: &str,
        wanted: Option<String>,
        recover: bool,
    ) -> Result<String, IdentityError> {
        let made = self.random_hex();
        let password = wanted.unwrap_or_else(|| made.get(..24).unwrap_or(&made).to_owned());
        let hash = self.inner.passwords.hash(password.clone()).await?;
        let (actor, name) = (by.name.clone(), name.to_owned());
        let done: Result<(), IdentityError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let user = named(tx, &name).await?;
                    people::set_password(tx, user.id, &hash).await?;
                    sessions::delete_of(tx, user.id, "").await?;
                    if recover {
                        people::set_disabled(tx, user.id, None).await?;
                    }
                    let what = if recover { "user_recovered" } else { "password_reset" };
                    note(tx, &actor, what, format!("account {}", user.name)).await
                })
            })
            .await;
        self.inner.passed.clear();
        done.map(|()| password)
    }

    /// A person's new password, for the old one. Their other sessions end.
    ///
    /// # Errors
    /// The old one is wrong or was wrong too often, the new one is not acceptable, or the database said no.
    pub(crate) async fn change_password(
        &self,
        by: &Caller,
        old: String,
        new: String,
        entry: &Entry,
    ) -> Result<User, IdentityError> {
        let own = self.own_account(by).await?;
        // Counted as at the door: a browser left open is no way to guess a password quickly.
        let user = self.checked_user(&own.name, old, &entry.source, &entry.device).await?;
        let hash = self.inner.passwords.hash(new).await?;
        let changed = user.clone();
        let done: Result<(), IdentityError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    people::set_password(tx, user.id, &hash).await?;
                    sessions::delete_of(tx, user.id, "").await?;
                    note(tx, &user.name, "password_changed", "their own".into()).await
                })
            })
            .await;
        self.inner.passed.clear();
        done.map(|()| changed)
    }

    /// A person's name as it is shown; an empty one takes it away.
    ///
    /// # Errors
    /// It cannot be a name, or the database said no.
    pub(crate) async fn set_own_shown(
        &self,
        by: &Caller,
        shown: &str,
    ) -> Result<(), IdentityError> {
        let own = self.own_account(by).await?;
        let change = Change { shown: Some(shown.trim().to_owned()), ..Change::default() };
        self.change_user(by, &own.name, change).await
    }
}
