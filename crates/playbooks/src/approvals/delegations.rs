//! Voices given to others for a time.
//!
//! Who takes one must have the right to answer themselves, and the giver must have it still when the answer comes: nobody
//! gains a right. What the taker gains is that the answer counts as the giver's voice, and that they get the giver's mails.
//! For two persons an answer "X for Y" is one voice: neither X nor Y counts again.

use model::event::DelegationChanged;
use model::{PlaybookId, Timestamp};
use platform::http::{Caller, CallerKind, Gate};
use platform::people::Person;
use ports::Notice;

use super::{Approvals, Kind, Said, sending};
use crate::PlaybooksError;
use crate::store::delegations::{self, Delegation};
use crate::store::{automation, notices, playbooks};

/// Delegations that hold, or will, at most.
pub(crate) const MAX_OPEN: i64 = 1_000;
/// Longest time of one, days.
pub(crate) const MAX_DAYS: i64 = 92;
/// Longest comment, in characters.
pub(crate) const MAX_COMMENT_CHARS: usize = 300;
/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Whether a delegation is about a question.
pub(crate) fn covers(it: &Delegation, kind: Kind, playbook: PlaybookId) -> bool {
    let of_kind = match kind {
        Kind::Proposal => it.proposals,
        Kind::Step => it.steps,
        Kind::Delegation => false,
    };
    of_kind && it.playbook.is_none_or(|only| only == playbook)
}

/// For what and how long.
pub(crate) fn words(it: &Delegation) -> String {
    let kinds = match (it.proposals, it.steps) {
        (true, true) => "proposals and manual steps",
        (true, false) => "proposals",
        _ => "manual steps",
    };
    let only = it.playbook.map(|id| format!(" of playbook {id}")).unwrap_or_default();
    format!("{kinds}{only}, from {} until {}", it.from_at, it.until_at)
}

/// What is wanted.
pub(crate) struct Wanted {
    /// Absent: the caller.
    pub(crate) giver: Option<String>,
    pub(crate) taker: String,
    pub(crate) proposals: bool,
    pub(crate) steps: bool,
    pub(crate) playbook: Option<PlaybookId>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Timestamp,
    pub(crate) comment: String,
}

impl Approvals {
    /// The account of this name, if it may answer.
    ///
    /// # Errors
    /// There is none, or it may not.
    pub(crate) async fn named(&self, name: &str) -> Result<Person, PlaybooksError> {
        let people = self.people.people().await?;
        let found = people.into_iter().find(|it| it.caller.name == name.trim());
        found.filter(|it| self.may(&it.caller)).ok_or_else(|| {
            let shown: String = name.chars().take(100).collect();
            PlaybooksError::invalid(format!(
                "'{shown}' is no account that may answer ({}); name one that may",
                super::RIGHT
            ))
        })
    }

    /// The caller's answer, in another's place where `giver` names one.
    ///
    /// # Errors
    /// There is no such account, it may not answer, or the caller has no account itself.
    pub(crate) async fn said(
        &self,
        caller: &Caller,
        giver: Option<&str>,
    ) -> Result<Said, PlaybooksError> {
        let own = Said::own(caller);
        let Some(name) = giver.map(str::trim).filter(|it| !it.is_empty()) else { return Ok(own) };
        if own.account.is_empty() {
            let text = "only a person who is signed in can answer in another's place";
            return Err(PlaybooksError::Conflict(text.into()));
        }
        let giver = self.named(name).await?;
        Ok(Said { giver: Some((giver.caller.id, giver.caller.name)), ..own })
    }

    fn manages(&self, caller: &Caller) -> bool {
        let gate = Gate(std::sync::Arc::clone(&self.authorizer));
        gate.check(caller, "playbooks.write", "/api/v1/delegations").is_ok()
    }

    /// Gives a voice to somebody for a time.
    ///
    /// # Errors
    /// Somebody may not answer, a time or text is out of bounds, or it is not the caller's voice.
    pub(crate) async fn delegate(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<Delegation, PlaybooksError> {
        let invalid = |text: String| Err(PlaybooksError::invalid(text));
        let own = caller.kind == CallerKind::User;
        let giver = match wanted.giver.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
            None if own => self.named(&caller.name).await?,
            None => return invalid("giver is missing: name the account whose voice it is".into()),
            Some(name) => self.named(name).await?,
        };
        let ones_own = own && giver.caller.id == caller.id;
        if !ones_own && !self.manages(caller) {
            let text =
                "only one's own voice can be given; somebody with playbooks.write may give others'";
            return Err(PlaybooksError::Conflict(text.into()));
        }
        let taker = self.named(&wanted.taker).await?;
        if taker.caller.id == giver.caller.id {
            return invalid("giver and taker are the same person".into());
        }
        let now = self.platform().now();
        let from = wanted.from.unwrap_or(now);
        if wanted.until <= from || wanted.until <= now {
            return invalid("until must lie after from, and in the future".into());
        }
        if wanted.until.micros_since(from) > MAX_DAYS * DAY_S * 1_000_000 {
            return invalid(format!("a delegation holds at most {MAX_DAYS} days"));
        }
        if !wanted.proposals && !wanted.steps {
            return invalid("kinds is empty: name proposals, steps or both".into());
        }
        let comment = wanted.comment.trim().to_owned();
        if comment.chars().count() > MAX_COMMENT_CHARS {
            return invalid(format!("a comment has at most {MAX_COMMENT_CHARS} characters"));
        }
        let it = Delegation {
            id: self.platform().uuid4().to_string(),
            giver: giver.caller.id,
            giver_name: giver.caller.name,
            taker: taker.caller.id,
            taker_name: taker.caller.name,
            proposals: wanted.proposals,
            steps: wanted.steps,
            playbook: wanted.playbook,
            comment,
            from_at: from,
            until_at: wanted.until,
            recorded_at: now,
            made_by: caller.name.clone(),
            revoked_at: None,
            revoked_by: None,
        };
        self.keep(it).await
    }

    async fn keep(&self, it: Delegation) -> Result<Delegation, PlaybooksError> {
        let kept = it.clone();
        let done: Result<bool, PlaybooksError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    if let Some(playbook) = it.playbook
                        && playbooks::one(tx.sql(), playbook).await?.is_none()
                    {
                        return Err(PlaybooksError::NoPlaybook(playbook));
                    }
                    let open = delegations::open(tx.sql(), now, MAX_OPEN).await?.len();
                    if i64::try_from(open).unwrap_or(MAX_OPEN) >= MAX_OPEN {
                        let text = format!("{MAX_OPEN} delegations hold, the limit; revoke some");
                        return Err(PlaybooksError::Conflict(text));
                    }
                    delegations::insert(tx.sql(), &it).await?;
                    tell(tx, &it, "made", &it.made_by).await?;
                    Ok(automation::current(tx.sql()).await?.mail_links.on)
                })
            })
            .await;
        if done? {
            self.queue(sending::about_delegation(self, &kept, "made"), None).await?;
        }
        Ok(kept)
    }

    /// Takes a voice back; giver and taker may, and whoever manages playbooks.
    ///
    /// # Errors
    /// There is none of this id, it has ended, or it is not the caller's.
    pub(crate) async fn take_back(&self, caller: &Caller, id: &str) -> Result<(), PlaybooksError> {
        let (id, by, account) = (id.to_owned(), caller.name.clone(), caller.id.clone());
        let manages = self.manages(caller);
        let own = caller.kind == CallerKind::User;
        let done: Result<(Delegation, bool), PlaybooksError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = delegations::one(tx.sql(), &id).await?;
                    let it = found.ok_or_else(|| PlaybooksError::NoDelegation(id.clone()))?;
                    let concerned = own && [&it.giver, &it.taker].contains(&&account);
                    if !manages && !concerned {
                        let text = "only giver and taker can end a delegation, or somebody with playbooks.write";
                        return Err(PlaybooksError::Conflict(text.into()));
                    }
                    let now = tx.now();
                    if it.until_at <= now || !delegations::revoke(tx.sql(), &id, &by, now).await? {
                        return Err(PlaybooksError::Conflict("the delegation has ended before".into()));
                    }
                    tell(tx, &it, "revoked", &by).await?;
                    Ok((it, automation::current(tx.sql()).await?.mail_links.on))
                })
            })
            .await;
        let (it, mails) = done?;
        if mails {
            self.queue(sending::about_delegation(self, &it, "revoked"), None).await?;
        }
        Ok(())
    }
}

async fn tell(
    tx: &mut platform::db::Tx,
    it: &Delegation,
    what: &str,
    by: &str,
) -> Result<(), PlaybooksError> {
    let title = match what {
        "made" => format!("{} may answer for {}", it.taker_name, it.giver_name),
        _ => format!("{} does not answer for {} any more", it.taker_name, it.giver_name),
    };
    let notice = Notice { title, body: words(it), link: Some("/approvals".into()) };
    let now = tx.now();
    notices::put(tx.sql(), &format!("delegation/{}/{what}", it.id), &notice, None, now).await?;
    let fact = DelegationChanged {
        delegation: it.id.clone(),
        what: what.into(),
        giver: it.giver_name.clone(),
        taker: it.taker_name.clone(),
        detail: words(it),
        by: by.to_owned(),
    };
    tx.publish(by, &fact).await?;
    Ok(())
}
