//! Who would receive what, and why (not), before anything leaves. It asks what sharing asks.

use std::collections::{BTreeMap, HashSet};

use intel::Sight;
use intel::objects::Stored;
use intel::search::{self, Wanted};
use model::PeerId;
use platform::peers::Peer;
use ports::disclosure::{Address, Disclosed, Known, Said};
use serde_json::Value;
use sqlx::AnyConnection;

use crate::circle::Circle;
use crate::disclose::Party;
use crate::error::CommunityError;
use crate::organisations::{Organisation, one_of};
use crate::policy::facts::of_stix;
use crate::redact::work::by_rule;
use crate::room::Communities;
use crate::store::circles;

/// Objects of one preview at most.
pub(crate) const MAX_OBJECTS: usize = 1_000;
/// Recipients of one preview at most; further ones come with the next call.
pub(crate) const MAX_RECIPIENTS: usize = 100;

/// Answers with the object as it would leave in one preview at most.
pub(crate) const MAX_BODIES: usize = 5_000;
/// Changes told of one object for one recipient at most; the rest are counted.
pub(crate) const MAX_SHOWN: usize = 50;

/// What would be shared, with whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) objects: Vec<String>,
    pub(crate) query: Option<String>,
    /// Go on with the query from here.
    pub(crate) before_seq: Option<i64>,
    /// Ids of communities.
    pub(crate) communities: Vec<String>,
    /// Ids or names of organisations. Nothing named at all means everybody by name.
    pub(crate) organisations: Vec<String>,
    /// Recipients left out at the beginning.
    pub(crate) skip_recipients: usize,
    /// The objects as they would leave are wanted too.
    pub(crate) bodies: bool,
}

/// One recipient and what it would get, in the order of the objects.
pub(crate) struct ForOne {
    pub(crate) to: Organisation,
    pub(crate) through: Option<Circle>,
    pub(crate) answers: Vec<Disclosed>,
    /// Objects that would go changed.
    pub(crate) redacted: u64,
    /// Objects changed by each rule.
    pub(crate) rules: BTreeMap<String, u64>,
}

impl ForOne {
    /// Keeps what is shown: a preview of many objects for many recipients must not hold all their copies.
    fn new(
        to: Organisation,
        through: Option<Circle>,
        mut answers: Vec<Disclosed>,
        bodies: bool,
    ) -> Self {
        let goes_changed =
            |answer: &&Disclosed| answer.decision.allowed && !answer.redactions.is_empty();
        let redacted = answers.iter().filter(goes_changed).count() as u64;
        let rules = by_rule(answers.iter().map(|answer| answer.redactions.as_slice()));
        for answer in &mut answers {
            answer.redactions.truncate(MAX_SHOWN + 1);
            if !bodies {
                answer.object = None;
            }
        }
        Self { to, through, answers, redacted, rules }
    }
}

/// A preview.
pub(crate) struct Preview {
    pub(crate) objects: Vec<Stored>,
    /// Whose word each object is, and what that source is called.
    pub(crate) said: Vec<(Said, String)>,
    /// Ids that are not known here, or not to the one who asks.
    pub(crate) missing: Vec<String>,
    pub(crate) recipients: Vec<ForOne>,
    pub(crate) next_seq: Option<i64>,
    pub(crate) next_recipient: Option<usize>,
}

impl Communities {
    /// Judges as sharing would.
    pub(crate) async fn preview(&self, ask: Ask, sight: Sight) -> Result<Preview, CommunityError> {
        let peers = self.peers().peers().await?;
        let organisations = self.organisations().await?;
        let mut sql = self.platform().db.read().await?;
        let (targets, next_recipient) = self.targets(&mut sql, &ask, &peers, organisations).await?;
        let (objects, missing, next_seq) = self.wanted(&mut sql, &ask, sight).await?;
        // Another room reads too: who holds one connection must not wait for a second.
        drop(sql);
        if ask.bodies && objects.len() * targets.len() > MAX_BODIES {
            let (these, those) = (objects.len(), targets.len());
            return Err(CommunityError::invalid(
                format!(
                    "{these} objects for {those} recipients; with bodies {MAX_BODIES} answers may be"
                ),
                "Ask for fewer objects or recipients, or without bodies.",
            ));
        }
        let known: Vec<Known> = objects.iter().map(known).collect();
        let candidates = self.candidates(&known).await?;
        let mut sql = self.platform().db.read().await?;
        let batch = self.batch(&mut sql, &candidates).await?;
        let mut recipients = Vec::with_capacity(targets.len());
        for (to, through) in targets {
            let address = Address::through(through.as_ref().map(|circle| circle.id));
            let peer = peers.iter().find(|peer| Some(peer.id) == to.peer());
            let party = peer.cloned().map_or_else(|| Party::Nodeless(to.clone()), Party::Peer);
            let channel = self.channel(&mut sql, &party, address).await?;
            let answers = self.judge_for(&mut sql, &channel, &batch).await?;
            recipients.push(ForOne::new(to, through, answers, ask.bodies));
        }
        let said = candidates.into_iter().map(|one| (one.said, one.source)).collect();
        Ok(Preview { objects, said, missing, recipients, next_seq, next_recipient })
    }

    /// Who would receive it, and through what.
    async fn targets(
        &self,
        sql: &mut AnyConnection,
        ask: &Ask,
        peers: &[Peer],
        organisations: Vec<Organisation>,
    ) -> Result<(Vec<Target>, Option<usize>), CommunityError> {
        let mut all: Vec<Target> = Vec::new();
        for id in &ask.communities {
            let found = match id.parse() {
                Ok(id) => circles::get(sql, id).await?,
                Err(_) => None,
            };
            let circle = found.ok_or_else(|| CommunityError::unknown("community", id))?;
            let receive: HashSet<PeerId> =
                self.recipients_of(sql, &circle, peers).await?.into_iter().collect();
            let gets = |it: &&Organisation| it.peer().is_some_and(|peer| receive.contains(&peer));
            let those = organisations.iter().filter(gets);
            all.extend(those.map(|it| (it.clone(), Some(circle.clone()))));
        }
        for name in &ask.organisations {
            all.push((one_of(&organisations, name)?.clone(), None));
        }
        if ask.communities.is_empty() && ask.organisations.is_empty() {
            let others = organisations.into_iter().filter(|it| it.recipient().is_some());
            all.extend(others.map(|it| (it, None)));
        }
        let end = ask.skip_recipients.saturating_add(MAX_RECIPIENTS);
        let next = (all.len() > end).then_some(end);
        Ok((all.into_iter().skip(ask.skip_recipients).take(MAX_RECIPIENTS).collect(), next))
    }

    /// The objects in sight of the one who asks, the ids that are not, and where to go on.
    async fn wanted(
        &self,
        sql: &mut AnyConnection,
        ask: &Ask,
        sight: Sight,
    ) -> Result<(Vec<Stored>, Vec<String>, Option<i64>), CommunityError> {
        if let Some(text) = &ask.query {
            let now_us = self.platform().now().as_micros();
            let query = search::parse(text, now_us).map_err(|error| {
                let text = format!("the query cannot be read {error}");
                CommunityError::invalid(text, "Its language stands in docs/knowledge.md.")
            })?;
            let limit = i64::try_from(MAX_OBJECTS).unwrap_or(i64::MAX).min(search::MAX_LIMIT);
            let wanted = Wanted {
                query: &query,
                sight,
                at_us: None,
                before_seq: ask.before_seq,
                limit,
                count: false,
            };
            let found = search::run(sql, &wanted).await?;
            return Ok((found.hits, vec![], found.next_seq));
        }
        let (mut objects, mut missing, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for id in ask.objects.iter().filter(|id| seen.insert(id.as_str())) {
            match intel::objects::newest(sql, id, sight).await? {
                Some(stored) => objects.push(stored),
                None => missing.push(id.chars().take(300).collect()),
            }
        }
        Ok((objects, missing, None))
    }
}

/// Who would receive something, and through what.
type Target = (Organisation, Option<Circle>);

/// An object of the store as it is judged.
fn known(stored: &Stored) -> Known {
    Known {
        object: serde_json::from_str(&stored.body).unwrap_or(Value::Null),
        tlp: of_stix(intel::label(stored.tlp)),
        source: stored.source,
    }
}

/// Why objects stay, with how many each, the most frequent first.
pub(crate) fn reasons(answers: &[Disclosed]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| !answer.decision.allowed) {
        *counts.entry(answer.decision.reason.as_str()).or_default() += 1;
    }
    let mut all: Vec<(String, u64)> = counts.into_iter().map(|(r, n)| (r.to_owned(), n)).collect();
    all.sort_by_key(|reason| std::cmp::Reverse(reason.1));
    all
}
