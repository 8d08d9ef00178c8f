//! The way from a cause to a run or a proposal: once per key, within the bounds, through the policy of automation.

use model::{DeviceId, IncidentReport, ProposalId, RunId, Severity, Timestamp, Tlp};
use platform::db::Tx;

use super::MAX_STARTS_PER_HOUR;
use crate::PlaybooksError;
use crate::automation::Level;
use crate::automation::proposals::propose;
use crate::cacao::variables::Values;
use crate::engine::{Engine, Order, start};
use crate::store::triggers::{self, Kept};
use crate::store::{automation, playbooks, proposals, runs};

/// An hour, in seconds.
const HOUR_S: i64 = 3_600;

/// A cause that starts a playbook.
pub(crate) struct Launch<'a> {
    pub report: Option<&'a IncidentReport>,
    /// Values of external variables.
    pub given: Values,
    /// The label of what others said that the run is told.
    pub tlp: Option<Tlp>,
    /// How critical the asset is, where there is one.
    pub criticality: Option<Severity>,
    /// What happened, in words, behind the words of the trigger.
    pub why: String,
    /// The same cause, the same key.
    pub start_key: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Launched {
    Run(RunId),
    Proposal(ProposalId),
    /// It had caused this before.
    Before(Option<RunId>, Option<ProposalId>),
    /// It started nothing; why.
    Held(String),
}

/// Starts or proposes, and writes down in `kept` what became of it; the caller keeps that.
pub(crate) async fn launch(
    tx: &mut Tx,
    engine: &Engine,
    kept: &mut Kept,
    cause: Launch<'_>,
) -> Result<Launched, PlaybooksError> {
    if let Some(before) = before(tx, &cause.start_key).await? {
        return Ok(before);
    }
    let now = tx.now();
    let Some(stored) = playbooks::one(tx.sql(), kept.playbook).await? else {
        return Ok(hold(kept, now, "the playbook was removed".into()));
    };
    let policy = automation::current(tx.sql()).await?;
    let mut judged = policy.judge(kept.trigger.level(), cause.criticality, now);
    let starts = triggers::starts_since(tx.sql(), stored.id, now.plus_secs(-HOUR_S)).await?;
    if starts >= MAX_STARTS_PER_HOUR {
        let why = format!(
            "the playbook started by itself {starts} times within an hour; at most {MAX_STARTS_PER_HOUR}"
        );
        // An incident is the last thing to be passed over: people decide.
        if cause.report.is_none() {
            return Ok(hold(kept, now, why));
        }
        judged.level = judged.level.min(Level::Ask);
        judged.reasons.push(why);
    }
    let about = if cause.why.is_empty() { String::new() } else { format!(": {}", cause.why) };
    let order = Order {
        stored: &stored,
        report: cause.report,
        given: cause.given,
        tlp: cause.tlp,
        trigger: format!("starts by itself {}{about}", kept.trigger.words()),
        start_key: cause.start_key,
        rehearsal: false,
        by_itself: true,
        refuse: false,
    };
    kept.last_at = Some(now);
    (kept.last_run, kept.last_proposal) = (None, None);
    if judged.level == Level::Act {
        let run = start(tx, engine, order).await?;
        let Some(run) = run else { return Ok(Launched::Before(None, None)) };
        kept.started += 1;
        kept.last_run = Some(run);
        return Ok(Launched::Run(run));
    }
    let Some(proposal) = propose(tx, &policy, &order, judged).await? else {
        return Ok(Launched::Before(None, None));
    };
    kept.proposed += 1;
    kept.last_proposal = Some(proposal);
    Ok(Launched::Proposal(proposal))
}

/// What the same cause started before.
pub(crate) async fn before(
    tx: &mut Tx,
    start_key: &str,
) -> Result<Option<Launched>, PlaybooksError> {
    let run = runs::by_key(tx.sql(), start_key).await?;
    let proposal = proposals::by_key(tx.sql(), start_key).await?;
    let any = run.is_some() || proposal.is_some();
    Ok(any.then_some(Launched::Before(run, proposal)))
}

/// Counts a match that starts nothing.
pub(crate) fn hold(kept: &mut Kept, now: Timestamp, why: String) -> Launched {
    kept.held += 1;
    kept.note = Some(format!("{}: {why}", now.to_millis_text()));
    Launched::Held(why)
}

/// Whether a cool-down of so many seconds that began at `last` holds. A clock that went back does not make it longer.
pub(crate) fn cools(last: Option<Timestamp>, now: Timestamp, seconds: u32) -> bool {
    last.is_some_and(|last| now.micros_since(last).abs() < i64::from(seconds) * 1_000_000)
}

/// Of the triggers of one playbook that match, the one that lets it go furthest.
pub(crate) fn furthest(matching: Vec<Kept>) -> Vec<Kept> {
    let mut chosen: Vec<Kept> = Vec::new();
    let far = |it: &Kept| it.trigger.level().unwrap_or(Level::Act);
    for kept in matching {
        match chosen.iter_mut().find(|it| it.playbook == kept.playbook) {
            None => chosen.push(kept),
            Some(before) if far(before) < far(&kept) => *before = kept,
            Some(_) => {}
        }
    }
    chosen
}

impl Engine {
    /// How critical the device is that a variable names; `None` where none is named or known.
    pub(crate) async fn criticality_of(
        &self,
        given: &Values,
    ) -> Result<Option<Severity>, PlaybooksError> {
        let named = given.get("__device__").and_then(|text| text.parse::<DeviceId>().ok());
        let Some(device) = named else { return Ok(None) };
        Ok(self.assets.device(device).await?.map(|device| device.criticality))
    }
}
