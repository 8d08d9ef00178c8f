//! Letters leave one by one, through the server of the actuator `mail`. A server that is away is tried again, with growing
//! pauses and a bound; every mail carries the same Message-ID on every try, so that what went twice shows as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::PortError;
use serde_json::Value;

use super::{Approvals, Kind, asking, compose};
use crate::PlaybooksError;
use crate::actuators::mail::{Mail, REMEDY};
use crate::store::letters::{self, Letter};
use crate::store::{automation, delegations};

/// Kind of the job that sends one letter.
pub(crate) const SEND: &str = "playbooks.letter";
/// Tries before a letter counts as failed.
pub(crate) const MAX_TRIES: i64 = 12;
/// The first pause between two tries, milliseconds; it doubles.
const PAUSE_MS: i64 = 2_000;
/// The longest one, milliseconds.
const MAX_PAUSE_MS: i64 = 600_000;
/// How long a letter waits for the doors to be opened, milliseconds.
const DOORS_MS: i64 = 500;

/// What came of one try.
enum Tried {
    /// The server has it.
    Sent,
    /// It is not needed any more.
    Dropped(&'static str),
    /// It will not go.
    Failed(String),
    /// Perhaps later.
    Again(String),
    /// Nobody knows yet where people reach this node; not counted.
    NotYet,
}

/// Sends one letter.
pub(crate) struct Send(pub(crate) Arc<Approvals>);

#[async_trait]
impl JobHandler for Send {
    fn kind(&self) -> &'static str {
        SEND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let id = job.payload.get("letter").and_then(Value::as_str).unwrap_or_default();
        match self.0.deliver(id).await {
            Ok(None) => JobEnd::Done,
            Ok(Some((reason, after_ms))) => JobEnd::Retry { reason, after_ms },
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Approvals {
    /// One try; why and when once more, if so.
    async fn deliver(&self, id: &str) -> Result<Option<(String, i64)>, PlaybooksError> {
        let letter = {
            let mut sql = self.platform().db.read().await?;
            letters::one(&mut sql, id).await?
        };
        let Some(letter) = letter.filter(|it| it.state == "queued") else { return Ok(None) };
        let tries = letter.attempts + 1;
        let late = tries >= MAX_TRIES || letter.expires_at <= self.platform().now();
        let (state, reason, again) = match self.attempt(&letter).await? {
            Tried::NotYet => return Ok(Some(("the doors are not open yet".into(), DOORS_MS))),
            Tried::Sent => ("sent", None, None),
            Tried::Dropped(why) => ("dropped", Some(why.to_owned()), None),
            Tried::Failed(why) => ("failed", Some(why), None),
            Tried::Again(why) if late => {
                ("failed", Some(format!("{why}; given up after {tries} tries")), None)
            }
            Tried::Again(why) => {
                let pause = (PAUSE_MS << letter.attempts.clamp(0, 20)).min(MAX_PAUSE_MS);
                ("queued", Some(why.clone()), Some((why, pause)))
            }
        };
        let id = letter.id;
        let kept: Result<(), PlaybooksError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    Ok(letters::settle(tx.sql(), &id, state, reason.as_deref(), now).await?)
                })
            })
            .await;
        kept?;
        Ok(again)
    }

    async fn attempt(&self, letter: &Letter) -> Result<Tried, PlaybooksError> {
        let Some(url) = self.url.get() else { return Ok(Tried::NotYet) };
        let url = match base(url.as_deref()) {
            Ok(url) => url,
            Err(why) => return Ok(Tried::Failed(why)),
        };
        let Some(config) = self.outside.config().mail.clone() else {
            return Ok(Tried::Failed(format!("mail is not configured: {REMEDY}")));
        };
        let (policy, given) = {
            let mut sql = self.platform().db.read().await?;
            let given = match letter.kind {
                Kind::Delegation => delegations::one(&mut sql, &letter.about).await?,
                _ => None,
            };
            (automation::current(&mut sql).await?, given)
        };
        if !policy.mail_links.on {
            return Ok(Tried::Dropped("the policy asks nobody by mail any more"));
        }
        let node = &self.platform().node.name;
        let (account, text) = if letter.kind == Kind::Delegation {
            let account = self.people.person(&letter.account).await?;
            let Some(given) = given else { return Ok(Tried::Dropped("the delegation is gone")) };
            (account, compose::delegation(node, letter, &given))
        } else {
            let question = self.question(letter.kind, &letter.about).await?;
            let Some(question) = question.filter(|it| it.version == letter.version) else {
                return Ok(Tried::Dropped("it was answered, changed or over before the mail left"));
            };
            let account = self.entitled(letter, question.tlp).await?;
            let token = self.mint().await?.token(letter)?;
            let link = format!("{url}{}{token}", platform::http::LINK_PATH);
            (account, compose::question(node, url, letter, &question, &link))
        };
        let Some(to) = account.and_then(|person| person.mail) else {
            return Ok(Tried::Dropped("the account went, or may not answer, or has no address"));
        };
        let mail = Mail { outside: Arc::clone(&self.outside), config };
        let arguments: BTreeMap<String, Value> =
            [("to", to), ("subject", text.subject), ("text", text.body)]
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into();
        let key = format!("{SEND}/{}", letter.id);
        Ok(match mail.send(&key, &arguments).await {
            Ok(Outcome::Done { .. } | Outcome::NotEnforced { .. }) => Tried::Sent,
            Ok(Outcome::Failed { reason, retry: true }) => Tried::Again(reason),
            Ok(Outcome::Failed { reason, .. }) => Tried::Failed(reason),
            Err(PortError::Invalid(reason)) => Tried::Failed(reason),
            Err(error) => Tried::Again(error.to_string()),
        })
    }
}

/// Where links lead, without a slash at the end.
fn base(url: Option<&str>) -> Result<&str, String> {
    let Some(url) = url else {
        return Err("server.public_url is not set: a link would lead nowhere".into());
    };
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("http://").map(|rest| rest.split([':', '/']).next());
    match host {
        None if url.starts_with("https://") => Ok(url),
        Some(Some("localhost" | "127.0.0.1")) => Ok(url),
        _ => {
            Err("server.public_url must begin with https://: a link is a secret on its way".into())
        }
    }
}

/// Letters about a voice given or taken back, to both.
pub(crate) fn about_delegation(
    approvals: &Approvals,
    it: &delegations::Delegation,
    what: &str,
) -> Vec<Letter> {
    let now = approvals.platform().now();
    [(&it.giver, &it.giver_name), (&it.taker, &it.taker_name)]
        .map(|(account, name)| Letter {
            id: approvals.platform().uuid4().to_string(),
            kind: Kind::Delegation,
            about: it.id.clone(),
            version: what.to_owned(),
            round: asking::MADE.into(),
            account: account.clone(),
            name: name.clone(),
            giver: String::new(),
            giver_name: String::new(),
            passed_by: String::new(),
            tlp: None,
            state: "queued".into(),
            reason: None,
            attempts: 0,
            recorded_at: now,
            sent_at: None,
            expires_at: it.until_at,
            used_at: None,
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_over_an_encrypted_way_or_stays_on_this_machine() {
        for good in ["https://soc.example", "http://localhost:8642", "http://127.0.0.1:1/"] {
            assert!(base(Some(good)).is_ok_and(|url| !url.ends_with('/')), "{good}");
        }
        for bad in [
            None,
            Some("http://soc.example"),
            Some("http://localhost.evil.example"),
            Some("soc.example"),
        ] {
            assert!(base(bad).is_err(), "{bad:?}");
        }
    }
}
