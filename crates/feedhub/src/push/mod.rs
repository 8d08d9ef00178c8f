//! What of ours goes to the servers of others: on a schedule, from where the other side acknowledged, nothing above the
//! highest label that the push names, and what the sharing policies permit for the organisation that it goes to.

mod judge;
mod misp;
mod taxii;

use intel::outgoing::Outgoing;
use ports::PortError;
use ports::disclosure::Recipient;

use crate::error::FeedError;
use crate::fetch;
use crate::net::{Fault, Line};
use crate::room::Feedhub;
use crate::secret;
use crate::store::pushes::{self, NewPush, Origin, Push, Unsent};

/// Pushes at most.
const MAX_PUSHES: usize = 200;
/// Minutes between two runs: from a minute to a month.
const EVERY_MINUTES: std::ops::RangeInclusive<i64> = 1..=43_200;
/// A push that failed is tried again after so many minutes at the latest.
const AGAIN_MINUTES: i64 = 15;
/// STIX types of one push.
const MAX_TYPES: usize = 50;

/// Refuses a pause between two runs that cannot be.
pub(crate) fn check_pause(minutes: i64) -> Result<(), FeedError> {
    if EVERY_MINUTES.contains(&minutes) {
        return Ok(());
    }
    let (least, most) = (EVERY_MINUTES.start(), EVERY_MINUTES.end());
    Err(FeedError::Invalid(format!("every_minutes lies between {least} and {most}")))
}

/// Characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 300;

fn refusal(one: &Outgoing, state: &'static str, reason: &str) -> Unsent {
    Unsent {
        id: one.id.clone(),
        version_us: one.version_us,
        state,
        status: None,
        reason: Some(reason.chars().take(MAX_REASON_CHARS).collect()),
    }
}

impl Feedhub {
    /// The organisation of this name or id; without one somebody without a name.
    ///
    /// # Errors
    /// There is none, or several are called so.
    pub(crate) async fn recipient(&self, name: Option<&str>) -> Result<Recipient, FeedError> {
        let Some(name) = name else { return Ok(Recipient::Unnamed) };
        let known = self.organisations().ok_or_else(|| {
            FeedError::Invalid("this node keeps no organisations; leave 'for' away".into())
        })?;
        match known.organisation(name).await {
            Ok(named) => Ok(named.recipient),
            Err(error @ (PortError::NotFound(_) | PortError::Invalid(_))) => {
                Err(FeedError::Invalid(format!("for: {error}")))
            }
            Err(error) => Err(FeedError::Source(error.to_string())),
        }
    }

    /// What the organisation is called that a push goes to.
    pub(crate) async fn called(&self, recipient: Recipient) -> Option<String> {
        if recipient == Recipient::Unnamed {
            return None;
        }
        let name = self.organisations()?.name_of(recipient).await.ok().flatten();
        Some(name.unwrap_or_else(|| "(no longer known)".to_owned()))
    }

    /// Adds a push; it goes out at once.
    ///
    /// # Errors
    /// It cannot be, or its name is taken.
    pub async fn add_push(&self, new: NewPush, secret: Option<&str>) -> Result<Push, FeedError> {
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
            return Err(FeedError::Invalid("a name has 1 to 120 characters".into()));
        }
        check_pause(new.every_minutes)?;
        fetch::address(&new.url).map_err(FeedError::Invalid)?;
        new.auth.check(secret)?;
        self.check_origin(&new.origin).await?;
        let (id, new) = (self.new_id(), NewPush { name, ..new });
        let _adding = self.adding().await;
        if let Some(secret) = secret {
            secret::keep(&self.platform().data, &id, secret)?;
        }
        let wanted = id.clone();
        let added: Result<(), FeedError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if pushes::all(tx.sql()).await?.len() >= MAX_PUSHES {
                        let text = format!("there are {MAX_PUSHES} pushes, the limit");
                        return Err(FeedError::Conflict(text));
                    }
                    let now_us = tx.now().as_micros();
                    if !pushes::insert(tx.sql(), &id, &new, now_us).await? {
                        let text = format!("there is a push '{}'", new.name);
                        return Err(FeedError::Conflict(text));
                    }
                    Ok(())
                })
            })
            .await;
        if added.is_err() {
            secret::forget(&self.platform().data, &wanted)?;
        }
        added?;
        self.wake();
        self.push(&wanted).await
    }

    async fn check_origin(&self, origin: &Origin) -> Result<(), FeedError> {
        match origin {
            Origin::Collection { root, collection } => {
                let mut sql = self.platform().db.read().await?;
                let found = intel::collections::find(&mut sql, root, collection).await?;
                found.map(|_| ()).ok_or_else(|| {
                    let clip = |text: &str| text.chars().take(120).collect::<String>();
                    let text =
                        format!("there is no collection {}/{}", clip(root), clip(collection));
                    FeedError::Invalid(text)
                })
            }
            Origin::Known { types } if types.len() > MAX_TYPES => {
                Err(FeedError::Invalid(format!("at most {MAX_TYPES} types may be named")))
            }
            Origin::Events if self.desk().is_none() => {
                Err(FeedError::Invalid("this node has no MISP events".into()))
            }
            _ => Ok(()),
        }
    }

    /// A push by id or name.
    ///
    /// # Errors
    /// There is none.
    pub async fn push(&self, name: &str) -> Result<Push, FeedError> {
        let mut sql = self.platform().db.read().await?;
        let clip = || name.chars().take(120).collect::<String>();
        let found = pushes::get(&mut sql, name).await?;
        found.ok_or_else(|| FeedError::NotFound(format!("push '{}'", clip())))
    }

    /// The push whose turn it is goes out; false when there is none.
    pub(crate) async fn next_push(&self) -> Result<bool, FeedError> {
        let mut sql = self.platform().db.read().await?;
        let due = pushes::due(&mut sql, self.platform().now().as_micros()).await?;
        drop(sql);
        let Some(push) = due else { return Ok(false) };
        match self.send(&push).await {
            Ok(_) => {}
            Err(error @ FeedError::Db(_)) => return Err(error),
            Err(error) => tracing::warn!(push = push.new.name, %error, "a push did not go out"),
        }
        Ok(true)
    }

    /// Sends now what is new.
    ///
    /// # Errors
    /// The other side does not answer or refuses; the push notes it too.
    pub async fn send(&self, push: &Push) -> Result<Push, FeedError> {
        let _one = self.turn().await;
        let push = self.push(&push.id).await?;
        let done = self.deliver(&push).await;
        let again_s = match &done {
            Ok(more) => more.then_some(0),
            Err(fault) => fault.again_s,
        };
        let error = done.as_ref().err().map(|fault: &Fault| fault.text.clone());
        self.push_ended(&push, error.clone(), again_s).await?;
        match error {
            Some(error) => Err(FeedError::Source(error)),
            None => self.push(&push.id).await,
        }
    }

    async fn deliver(&self, push: &Push) -> Result<bool, Fault> {
        let url = fetch::address(&push.new.url).map_err(Fault::new)?;
        let secret = secret::needed(&self.platform().data, &push.id, &push.new.auth)?;
        let line = Line::new(self.config(), &url, push.new.auth.clone(), secret);
        match push.new.origin {
            Origin::Events => misp::run(self, push, &line, &url).await,
            _ => taxii::run(self, push, &line, &url).await,
        }
    }

    async fn push_ended(
        &self,
        push: &Push,
        error: Option<String>,
        again_s: Option<i64>,
    ) -> Result<(), FeedError> {
        let (id, every) = (push.id.clone(), push.new.every_minutes);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let minutes = if error.is_some() { every.min(AGAIN_MINUTES) } else { every };
                    let pause_s = again_s.unwrap_or(minutes * 60);
                    let next_us = now_us + pause_s * 1_000_000;
                    Ok(pushes::ended(tx.sql(), &id, error.as_deref(), now_us, next_us).await?)
                })
            })
            .await
    }

    /// Removes a push after its run; what the other side has stays there.
    pub(crate) async fn remove_push(&self, push: &Push) -> Result<(), FeedError> {
        let _one = self.turn().await;
        let id = push.id.clone();
        let done: Result<(), FeedError> = self
            .platform()
            .db
            .write(move |tx| Box::pin(async move { Ok(pushes::remove(tx.sql(), &id).await?) }))
            .await;
        done?;
        secret::forget(&self.platform().data, &push.id)
    }
}
