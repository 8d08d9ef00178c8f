//! Runs that wait for people: proposed, answered, told once more, over.
//!
//! A proposal starts its run in the transaction of the last yes it needs, under the key it was proposed with: the same
//! start is never proposed twice and never runs twice. One no ends it. Whoever stopped automation, or nobody in time,
//! leaves it without a run.

use std::sync::Arc;

use model::event::{ProposalDecided, ProposalMade, QuestionAnswered};
use model::{IncidentId, IncidentReport, PlaybookId, ProposalId, RunId, Timestamp, Tlp};
use platform::db::Tx;
use ports::Notice;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::due::DUE;
use super::{Automation, Judged, Level};
use crate::PlaybooksError;
use crate::approvals::asking::{self, MADE};
use crate::approvals::question::version_of;
use crate::approvals::{Kind, Method, Said, said};
use crate::cacao::variables::Values;
use crate::engine::{Engine, Order, start};
use crate::store::playbooks::{self, Stored};
use crate::store::{notices, proposals};

/// Longest comment, in characters.
pub(crate) const MAX_COMMENT_CHARS: usize = 4_000;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProposalState {
    /// It waits.
    Open,
    /// Enough people said yes; it has a run.
    Accepted,
    /// Somebody said no.
    Declined,
    /// Nobody answered in time.
    Expired,
}

impl ProposalState {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Open, "open"),
        (Self::Accepted, "accepted"),
        (Self::Declined, "declined"),
        (Self::Expired, "expired"),
    ];

    /// The word used in the database and the API.
    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("open", |(_, word)| word)
    }

    /// The state a word names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProposalVoice)]
pub(crate) struct Voice {
    /// Who.
    pub(crate) person: String,
    /// What was said about it.
    pub(crate) comment: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// In whose place, where it was not the person's own voice.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub(crate) giver: Option<String>,
    /// By which way.
    #[serde(default)]
    pub(crate) method: Method,
}

impl Voice {
    /// Whether this voice is this person's, by hand or by right: neither counts again.
    pub(crate) fn names(&self, person: &str) -> bool {
        self.person == person || self.giver.as_deref() == Some(person)
    }

    /// "Ana", "Ana for Ben (by link)".
    pub(crate) fn words(&self) -> String {
        said::words(&self.person, self.giver.as_deref(), self.method)
    }
}

/// A run that waits for people.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) id: ProposalId,
    pub(crate) playbook: PlaybookId,
    pub(crate) name: String,
    pub(crate) incident: Option<IncidentId>,
    /// [`Level::Ask`] or [`Level::Recommend`].
    pub(crate) level: Level,
    /// Why it does not start by itself.
    pub(crate) reasons: Vec<String>,
    /// What would have started it.
    pub(crate) trigger: String,
    pub(crate) start_key: String,
    /// Values of external variables that its run gets.
    pub(crate) given: Values,
    /// The label of what others said; who does not see that far sees nothing of it.
    pub(crate) tlp: Option<Tlp>,
    /// How many must say yes.
    pub(crate) persons: u32,
    pub(crate) state: ProposalState,
    pub(crate) voices: Vec<Voice>,
    pub(crate) recorded_at: Timestamp,
    /// When people are told once more.
    pub(crate) escalate_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
    pub(crate) decided_at: Option<Timestamp>,
    pub(crate) decided_by: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) run: Option<RunId>,
}

/// Proposes a start instead of starting; `None` when the same was proposed before.
pub(crate) async fn propose(
    tx: &mut Tx,
    policy: &Automation,
    order: &Order<'_>,
    judged: Judged,
) -> Result<Option<ProposalId>, PlaybooksError> {
    let now = tx.now();
    let ask = judged.level == Level::Ask;
    let after = |seconds: u32| now.plus_secs(i64::from(seconds));
    let proposal = Proposal {
        id: tx.mint(),
        playbook: order.stored.id,
        name: order.stored.name.clone(),
        incident: order.report.map(|report| report.incident.id),
        level: judged.level,
        reasons: judged.reasons,
        trigger: order.trigger.clone(),
        start_key: order.start_key.clone(),
        given: order.given.clone(),
        tlp: order.bound(),
        persons: judged.persons,
        state: ProposalState::Open,
        voices: vec![],
        recorded_at: now,
        escalate_at: ask.then(|| after(policy.escalate_after_s)),
        expires_at: after(policy.expire_after_s),
        decided_at: None,
        decided_by: None,
        comment: None,
        run: None,
    };
    if !proposals::insert(tx.sql(), &proposal).await? {
        return Ok(None);
    }
    let what = if ask { "Start it?" } else { "Recommended:" };
    tell(tx, &proposal, "made", format!("{what} '{}'", proposal.name)).await?;
    put_to_people(tx, &proposal, MADE, now).await?;
    for at in proposal.escalate_at.into_iter().chain([proposal.expires_at]) {
        let key = format!("{}/{}", proposal.id, at.as_micros());
        tx.enqueue(DUE, &key, &json!({ "proposal": proposal.id }), at).await?;
    }
    let fact = ProposalMade {
        proposal: proposal.id,
        playbook: proposal.name,
        incident: proposal.incident,
        level: judged.level.word().into(),
        reason: proposal.reasons.join("; "),
        tlp: proposal.tlp,
    };
    tx.publish("system", &fact).await?;
    Ok(Some(proposal.id))
}

/// Has people asked by mail, where the policy says so; what is only recommended asks nobody.
pub(super) async fn put_to_people(
    tx: &mut Tx,
    it: &Proposal,
    round: &str,
    at: Timestamp,
) -> Result<(), PlaybooksError> {
    if it.level == Level::Ask {
        let (about, round) = (it.id.to_string(), round.to_owned());
        let order = asking::Order { kind: Kind::Proposal, about, round, to: None };
        asking::soon(tx, &order, "", at).await?;
    }
    Ok(())
}

pub(super) async fn tell(
    tx: &mut Tx,
    it: &Proposal,
    what: &str,
    title: String,
) -> Result<(), PlaybooksError> {
    let notice = Notice {
        title,
        body: format!("It {}. It did not start by itself: {}.", it.trigger, it.reasons.join("; ")),
        link: Some(it.incident.map_or("/playbooks".into(), |id| format!("/incidents/{id}"))),
    };
    let now = tx.now();
    notices::put(tx.sql(), &format!("proposal/{}/{what}", it.id), &notice, it.tlp, now).await?;
    Ok(())
}

/// A person's answer.
pub(crate) struct Answer {
    pub(crate) accept: bool,
    pub(crate) comment: String,
    pub(crate) said: Said,
}

impl Engine {
    /// Takes a person's answer; with the last yes that is needed the run starts.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        id: ProposalId,
        answer: Answer,
        report: Option<IncidentReport>,
    ) -> Result<Proposal, PlaybooksError> {
        let comment = answer.comment.trim().to_owned();
        if comment.chars().count() > MAX_COMMENT_CHARS {
            let text = format!("a comment has at most {MAX_COMMENT_CHARS} characters");
            return Err(PlaybooksError::invalid(text));
        }
        let answer = Answer { comment, ..answer };
        let engine = Arc::clone(self);
        let decided: Result<Proposal, PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move { answered(tx, &engine, id, answer, report.as_ref()).await })
            })
            .await;
        let decided = decided?;
        if let Some(run) = decided.run {
            self.touch(run);
        }
        Ok(decided)
    }
}

async fn answered(
    tx: &mut Tx,
    engine: &Engine,
    id: ProposalId,
    answer: Answer,
    report: Option<&IncidentReport>,
) -> Result<Proposal, PlaybooksError> {
    let mut it = existing(tx, id).await?;
    let now = tx.now();
    if it.state != ProposalState::Open || it.expires_at <= now {
        let state = if it.state == ProposalState::Open { ProposalState::Expired } else { it.state };
        return Err(PlaybooksError::Conflict(format!("the proposal is {} already", state.word())));
    }
    let Answer { accept, comment, said } = answer;
    said.admit(tx, Kind::Proposal, it.playbook).await?;
    let decider = Decider { who: said.words(), actor: said.person.clone(), at: now };
    if !accept {
        tell_answer(tx, &it, &said, false, &comment).await?;
        end(tx, &mut it, ProposalState::Declined, &decider, &comment).await?;
        return Ok(it);
    }
    let spoken = |name: &str| it.voices.iter().any(|voice| voice.names(name));
    let again = [Some(said.person.as_str()), said.giver_name()].into_iter().flatten();
    if let Some(name) = again.into_iter().find(|name| spoken(name)) {
        let text = format!("{name} has said yes before; somebody else has to as well");
        return Err(PlaybooksError::Conflict(text));
    }
    let stored = stored(tx, &it).await?;
    if said.link.as_ref().is_some_and(|link| link.version != version_of(&stored.body)) {
        let text = "the playbook was changed since this was asked; answer on the console";
        return Err(PlaybooksError::Conflict(text.into()));
    }
    tell_answer(tx, &it, &said, true, &comment).await?;
    it.voices.push(Voice {
        person: said.person.clone(),
        comment: comment.clone(),
        at: now,
        giver: said.giver_name().map(str::to_owned),
        method: said.method,
    });
    if it.voices.len() < usize::try_from(it.persons).unwrap_or(1) {
        proposals::update(tx.sql(), &it).await?;
        return Ok(it);
    }
    let who: Vec<String> = it.voices.iter().map(Voice::words).collect();
    let order = Order {
        stored: &stored,
        report,
        given: it.given.clone(),
        tlp: it.tlp,
        trigger: format!("{}, accepted by {}", it.trigger, who.join(" and ")),
        start_key: it.start_key.clone(),
        rehearsal: false,
        by_itself: false,
        refuse: true,
    };
    it.run = start(tx, engine, order).await?;
    end(tx, &mut it, ProposalState::Accepted, &decider, &comment).await?;
    Ok(it)
}

async fn existing(tx: &mut Tx, id: ProposalId) -> Result<Proposal, PlaybooksError> {
    proposals::one(tx.sql(), id).await?.ok_or(PlaybooksError::NoProposal(id))
}

async fn stored(tx: &mut Tx, it: &Proposal) -> Result<Stored, PlaybooksError> {
    let gone = || PlaybooksError::Conflict(format!("the playbook '{}' was removed", it.name));
    playbooks::one(tx.sql(), it.playbook).await?.ok_or_else(gone)
}

async fn tell_answer(
    tx: &mut Tx,
    it: &Proposal,
    said: &Said,
    accept: bool,
    comment: &str,
) -> Result<(), PlaybooksError> {
    let fact = QuestionAnswered {
        question: it.id.to_string(),
        what: format!("starting '{}'", it.name),
        incident: it.incident,
        by: said.person.clone(),
        giver: said.giver_name().map(str::to_owned),
        method: said.method.words().into(),
        accept,
        comment: comment.to_owned(),
        tlp: None,
    };
    tx.publish(&said.person, &fact).await?;
    Ok(())
}

/// Who ended a proposal. The time is that of the answer, before a run begins: nothing starts before it was decided.
pub(super) struct Decider {
    /// In words.
    pub(super) who: String,
    pub(super) actor: String,
    pub(super) at: Timestamp,
}

pub(super) async fn end(
    tx: &mut Tx,
    it: &mut Proposal,
    state: ProposalState,
    by: &Decider,
    comment: &str,
) -> Result<(), PlaybooksError> {
    it.state = state;
    it.decided_at = Some(by.at);
    it.decided_by = Some(by.who.clone());
    it.comment = Some(comment.to_owned()).filter(|text| !text.is_empty());
    it.escalate_at = None;
    proposals::update(tx.sql(), it).await?;
    let fact = ProposalDecided {
        proposal: it.id,
        playbook: it.name.clone(),
        incident: it.incident,
        state: state.word().into(),
        by: by.who.clone(),
        comment: comment.to_owned(),
        tlp: it.tlp,
    };
    tx.publish(&by.actor, &fact).await?;
    Ok(())
}
