//! Whom a question is put to by mail. The transaction that makes a question enqueues a job; the job looks who is to be
//! asked and queues a letter to each: no account is read and no mail is sent inside a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Timestamp;
use platform::db::Tx;
use platform::jobs::{Job, JobEnd, JobHandler};
use platform::people::Person;
use ports::Notice;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::question::Question;
use super::{Approvals, Kind, delegations, sending};
use crate::PlaybooksError;
use crate::store::letters::{self, Letter};
use crate::store::{automation, notices};

/// Kind of the job that looks whom to ask.
pub(crate) const ASK: &str = "playbooks.ask";
/// The first time.
pub(crate) const MADE: &str = "made";
/// Nobody has answered.
pub(crate) const AGAIN: &str = "again";
/// Somebody asked another person instead.
pub(crate) const PASSED: &str = "passed";
/// People that one question is put to at most; the others see it on the console.
pub(crate) const MAX_ASKED: usize = 200;

/// What the job is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) about: String,
    pub(crate) round: String,
    /// The one person that it was passed on to, and by whom.
    #[serde(default)]
    pub(crate) to: Option<(String, String)>,
}

/// Has people asked, in the transaction of the question; nothing where the policy asks nobody by mail.
///
/// # Errors
/// The database said no.
pub(crate) async fn soon(
    tx: &mut Tx,
    order: &Order,
    version: &str,
    at: Timestamp,
) -> Result<bool, PlaybooksError> {
    if !automation::current(tx.sql()).await?.mail_links.on {
        return Ok(false);
    }
    let to = order.to.as_ref().map(|(account, _)| account.as_str()).unwrap_or_default();
    let Order { kind, about, round, .. } = order;
    let key = format!("{}/{about}/{version}/{round}/{to}", kind.word());
    tx.enqueue(ASK, &key, &json!(order), at).await?;
    Ok(true)
}

/// Looks whom to ask.
pub(crate) struct Ask(pub(crate) Arc<Approvals>);

#[async_trait]
impl JobHandler for Ask {
    fn kind(&self) -> &'static str {
        ASK
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let Ok(order) = serde_json::from_value::<Order>(job.payload.clone()) else {
            return JobEnd::Failed { reason: "the job names no question".into() };
        };
        match self.0.ask(&order).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

/// Somebody to be asked; the account and name of the person in whose place, or none.
type Asked = (Person, String, String);

impl Approvals {
    async fn ask(&self, order: &Order) -> Result<(), PlaybooksError> {
        let policy = {
            let mut sql = self.platform().db.read().await?;
            automation::current(&mut sql).await?
        };
        if !policy.mail_links.on {
            return Ok(());
        }
        let Some(question) = self.question(order.kind, &order.about).await? else { return Ok(()) };
        let people = self.people.people().await?;
        let named = |person: &Person| match &order.to {
            Some((account, _)) => person.caller.id == *account,
            None => policy.mail_links.names(person, &order.round),
        };
        let asked = self.asked(&question, &people, named, order.to.is_none()).await?;
        let passed_by = order.to.as_ref().map(|(_, by)| by.clone()).unwrap_or_default();
        let now = self.platform().now();
        let letters: Vec<Letter> = asked
            .into_iter()
            .take(MAX_ASKED)
            .map(|(person, giver, giver_name)| Letter {
                id: self.platform().uuid4().to_string(),
                kind: question.kind,
                about: question.about.clone(),
                version: question.version.clone(),
                round: order.round.clone(),
                account: person.caller.id,
                name: person.caller.name,
                giver,
                giver_name,
                passed_by: passed_by.clone(),
                tlp: question.tlp,
                state: "queued".into(),
                reason: None,
                attempts: 0,
                recorded_at: now,
                sent_at: None,
                expires_at: question.expires_at,
                used_at: None,
            })
            .collect();
        self.queue(letters, Some((&question, &order.round))).await
    }

    /// Who may answer, has an address and has not spoken yet; with those who hold the voice of such a person.
    async fn asked(
        &self,
        question: &Question,
        people: &[Person],
        named: impl Fn(&Person) -> bool,
        delegates: bool,
    ) -> Result<Vec<Asked>, PlaybooksError> {
        let spoken =
            |person: &Person| question.voices.iter().any(|voice| voice.names(&person.caller.name));
        let reached = |person: &Person| {
            person.mail.is_some() && self.may_answer(&person.caller, question.tlp)
        };
        let mut asked: Vec<Asked> = people
            .iter()
            .filter(|it| named(it) && reached(it) && !spoken(it))
            .map(|it| (it.clone(), String::new(), String::new()))
            .collect();
        if !delegates {
            return Ok(asked);
        }
        let now = self.platform().now();
        let given = {
            let mut sql = self.platform().db.read().await?;
            crate::store::delegations::open(&mut sql, now, delegations::MAX_OPEN).await?
        };
        let by_id: BTreeMap<&str, &Person> =
            people.iter().map(|it| (it.caller.id.as_str(), it)).collect();
        for it in given {
            if !it.holds(now) || !delegations::covers(&it, question.kind, question.playbook) {
                continue;
            }
            let giver = by_id.get(it.giver.as_str()).copied();
            let taker = by_id.get(it.taker.as_str()).copied();
            let (Some(giver), Some(taker)) = (giver, taker) else { continue };
            let stands = named(giver) && self.may(&giver.caller) && !spoken(giver);
            if stands && reached(taker) && !spoken(taker) {
                asked.push((taker.clone(), it.giver.clone(), giver.caller.name.clone()));
            }
        }
        Ok(asked)
    }

    /// Queues letters; says on the console when a question reaches nobody.
    pub(crate) async fn queue(
        &self,
        letters: Vec<Letter>,
        question: Option<(&Question, &str)>,
    ) -> Result<(), PlaybooksError> {
        let notice = question.filter(|_| letters.is_empty()).map(|(question, round)| {
            let body = "The policy of automation asks by mail, and nobody it names has both an address and \
                        the right to answer this.";
            let notice = Notice {
                title: format!("Nobody could be asked by mail about {}", question.what),
                body: body.into(),
                link: Some(question.place.clone()),
            };
            let key = format!("letters/{}/{}/{round}", question.about, question.version);
            (key, notice, question.tlp)
        });
        let done: Result<(), PlaybooksError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    for letter in &letters {
                        if letters::insert(tx.sql(), letter).await? {
                            let payload = json!({ "letter": letter.id });
                            tx.enqueue(sending::SEND, &letter.id, &payload, now).await?;
                        }
                    }
                    if let Some((key, notice, tlp)) = &notice {
                        notices::put(tx.sql(), key, notice, *tlp, now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        done
    }
}
