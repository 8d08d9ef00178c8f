//! Sessions: opened at sign-in, shown to their holder, ended one by one or all at once.

use model::UserId;
use model::event::AccessNoted;
use platform::db::Tx;
use platform::http::Caller;

use crate::Identity;
use crate::error::IdentityError;
use crate::note::clean;
use crate::store::access::{self, User};
use crate::store::people;
use crate::store::sessions::{self, Open};
use crate::users::{caller, digest};

/// Sessions a user may have open; beyond, the oldest ends.
pub(crate) const MAX_SESSIONS_PER_USER: i64 = 20;
/// Seconds between two notes that a session was used.
pub(crate) const SEEN_EVERY_S: i64 = 60;
/// Digits of a session's digest by which it is named; they open nothing.
pub(crate) const NAME_DIGITS: usize = 16;

/// How somebody comes in.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The address, or "this machine".
    pub source: String,
    /// The browser's own words.
    pub agent: String,
    /// The mark of a browser that was used before; empty where there is none.
    pub device: String,
    /// The cookie that was there before; its session ends, so that nobody can put one there beforehand.
    pub former: Option<String>,
}

/// A session just opened.
#[derive(Clone)]
pub struct Session {
    /// The cookie's value; it is not stored anywhere.
    pub secret: String,
    /// How long it lasts, seconds.
    pub lifetime_s: i64,
    /// Whose it is.
    pub caller: Caller,
    /// The mark for the browser.
    pub device: String,
}

/// By which session a request came; put into it beside the caller.
#[derive(Clone, Debug)]
pub(crate) struct BySession {
    pub(crate) digest: String,
}

impl Identity {
    fn idle_since(&self) -> model::Timestamp {
        match self.inner.config.session_idle_hours {
            0 => model::Timestamp::from_micros(0),
            hours => self.platform().now().plus_secs(-i64::from(hours) * 3_600),
        }
    }

    pub(crate) async fn open_session(
        &self,
        user: &User,
        entry: &Entry,
    ) -> Result<Session, IdentityError> {
        let secret = self.random_hex();
        let lifetime_s = i64::from(self.inner.config.session_hours) * 3_600;
        let now = self.platform().now();
        let open = Open {
            digest: digest(&secret),
            recorded_at: now,
            expires_at: now.plus_secs(lifetime_s),
            seen_at: now,
            proved_at: now,
            source: clean(&entry.source),
            agent: clean(&entry.agent),
        };
        let (id, name) = (user.id, user.name.clone());
        let detail = format!("from {}", entry.source);
        let former = entry.former.as_deref().map(digest);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(former) = &former {
                        sessions::delete(tx, former).await?;
                    }
                    sessions::insert(tx, &open, id, MAX_SESSIONS_PER_USER).await?;
                    people::signed_in(tx, id).await?;
                    let note = AccessNoted { what: "signed_in".into(), who: name.clone(), detail };
                    tx.publish(&name, &note).await?;
                    Ok::<_, IdentityError>(())
                })
            })
            .await?;
        let device = self.device_mark(id);
        Ok(Session { secret, lifetime_s, caller: caller(user), device })
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
                    sessions::delete(tx, &stored).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Whose session a cookie is. That it was used is noted once in a while.
    pub(crate) async fn session_caller(
        &self,
        secret: &str,
    ) -> Result<Option<(Caller, BySession)>, IdentityError> {
        let (now, key) = (self.platform().now(), digest(secret));
        let found = {
            let mut sql = self.platform().db.read().await?;
            sessions::holder(&mut sql, &key, now, self.idle_since()).await?
        };
        let Some((user, open)) = found else { return Ok(None) };
        if now.micros_since(open.seen_at) >= SEEN_EVERY_S * 1_000_000 {
            let used = key.clone();
            let noted: Result<(), IdentityError> = self
                .platform()
                .db
                .write(move |tx| Box::pin(async move { Ok(sessions::seen(tx, &used).await?) }))
                .await;
            // A full disk must not keep people from reading.
            if let Err(error) = noted {
                tracing::warn!(%error, "that a session was used could not be noted");
            }
        }
        Ok(Some((caller(&user), BySession { digest: key })))
    }

    /// Open sessions of an account.
    pub(crate) async fn sessions_of(&self, user: UserId) -> Result<Vec<Open>, IdentityError> {
        let mut sql = self.platform().db.read().await?;
        Ok(sessions::of(&mut sql, user, self.platform().now(), self.idle_since()).await?)
    }

    /// Ends one session of the caller by its name.
    pub(crate) async fn end_session(&self, by: &Caller, name: &str) -> Result<(), IdentityError> {
        let user = self.own_account(by).await?;
        let open = self.sessions_of(user.id).await?;
        let wanted = open.into_iter().find(|one| one.digest.get(..NAME_DIGITS) == Some(name));
        let Some(wanted) = wanted else {
            return Err(IdentityError::NotFound(format!("session {}", clean(name))));
        };
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    sessions::delete(tx, &wanted.digest).await?;
                    told(tx, &user.name, &user.name, 1).await
                })
            })
            .await
    }

    /// Ends the sessions of an account, but one; how many they were.
    pub(crate) async fn end_sessions(
        &self,
        by: &Caller,
        name: &str,
        but: &str,
    ) -> Result<u64, IdentityError> {
        let (actor, name, but) = (by.name.clone(), name.to_owned(), but.to_owned());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let user = access::user(tx.sql(), &name).await?;
                    let user = user.ok_or_else(|| {
                        IdentityError::NotFound(format!("account {}", clean(&name)))
                    })?;
                    let ended = sessions::delete_of(tx, user.id, &but).await?;
                    if ended > 0 {
                        told(tx, &actor, &user.name, ended).await?;
                    }
                    Ok(ended)
                })
            })
            .await
    }
}

async fn told(tx: &mut Tx, actor: &str, name: &str, ended: u64) -> Result<(), IdentityError> {
    let detail = format!("{ended} of {name}");
    let note = AccessNoted { what: "sessions_ended".into(), who: actor.to_owned(), detail };
    tx.publish(actor, &note).await?;
    Ok(())
}

/// A browser's own words in plain ones.
pub(crate) fn browser(agent: &str) -> String {
    let first = |pairs: &[(&str, &'static str)]| {
        pairs.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let program = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        _ => "a browser that does not say".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_said_in_words() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(browser("curl/8.5.0"), "curl");
        assert_eq!(browser("<script>"), "a browser that does not say");
    }
}
