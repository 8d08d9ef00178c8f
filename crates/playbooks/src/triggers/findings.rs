//! Findings, and values that intelligence knows.

use std::sync::Arc;

use async_trait::async_trait;
use intel::Sight;
use model::event::{Fact, FindingRaised, IntelHit, Payload};
use model::{Device, Finding, Severity, Tlp};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;

use super::launch::{Launch, Launched, before, cools, furthest, hold, launch};
use super::words::span;
use super::{OnFinding, Trigger};
use crate::PlaybooksError;
use crate::context;
use crate::engine::Engine;
use crate::store::triggers::{self, Kept};

/// Remote addresses of a finding that are looked up for `known`.
const MAX_LOOKED_UP: usize = 20;

/// Starts playbooks when findings are raised and when values are known.
pub(crate) struct Raised(pub(crate) Arc<Engine>);

#[async_trait]
impl Consumer for Raised {
    fn name(&self) -> &'static str {
        "playbooks.raised"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[FindingRaised::KIND, IntelHit::KIND]
    }
    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        if let Some(raised) = fact.read::<FindingRaised>()? {
            self.finding(tx, fact, &raised.finding).await?;
        } else if let Some(hit) = fact.read::<IntelHit>()? {
            self.hit(tx, fact, &hit).await?;
        }
        Ok(())
    }
}

/// Those made before it happened.
async fn awake(tx: &mut Tx, fact: &Fact, kind: &str) -> Result<Vec<Kept>, PlaybooksError> {
    let mut all = triggers::on(tx.sql(), kind).await?;
    all.retain(|it| it.cursor < fact.seq);
    Ok(all)
}

impl Raised {
    async fn finding(
        &self,
        tx: &mut Tx,
        fact: &Fact,
        finding: &Finding,
    ) -> Result<(), PlaybooksError> {
        let all = awake(tx, fact, "findings.raised").await?;
        if all.is_empty() {
            return Ok(());
        }
        let device = self.0.assets.device(finding.device).await?;
        let kind = self.0.assets.type_of(finding.device).await?;
        let mut known = None;
        let mut matching = Vec::new();
        for kept in all {
            let Trigger::Finding(wanted) = &kept.trigger else { continue };
            if !wanted.matches(finding, device.as_ref(), kind.as_deref()) {
                continue;
            }
            if wanted.known && known.is_none() {
                known = Some(knows(tx, finding).await?);
            }
            if !wanted.known || known == Some(true) {
                matching.push(kept);
            }
        }
        let criticality = device.map_or(Severity::Medium, |device| device.criticality);
        let about = format!("device/{}", finding.device);
        for mut kept in furthest(matching) {
            let Trigger::Finding(wanted) = &kept.trigger else { continue };
            let cause = Launch {
                report: None,
                given: context::of_finding(finding),
                tlp: None,
                criticality: Some(criticality),
                why: finding.title.clone(),
                start_key: format!("finding/{}/{}", kept.playbook, finding.id),
            };
            let cooldown_s = wanted.cooldown_s;
            self.unless_cool(tx, &mut kept, (&about, cooldown_s), cause).await?;
        }
        Ok(())
    }

    async fn hit(&self, tx: &mut Tx, fact: &Fact, hit: &IntelHit) -> Result<(), PlaybooksError> {
        let mut all = awake(tx, fact, "intel.hit").await?;
        all.retain(|it| match &it.trigger {
            Trigger::Hit(wanted) => {
                wanted.sources.is_empty()
                    || hit.sources.iter().any(|source| wanted.sources.contains(source))
            }
            _ => false,
        });
        for mut kept in furthest(all) {
            let Trigger::Hit(wanted) = &kept.trigger else { continue };
            let cause = Launch {
                report: None,
                given: context::of_hit(hit),
                // Such facts tell what this label lets everybody here read.
                tlp: Some(Tlp::Green),
                criticality: None,
                why: format!("{}: {}", hit.value, hit.summary),
                start_key: format!("hit/{}/{}", kept.playbook, fact.id),
            };
            let about = format!("value/{}", hit.value);
            let cooldown_s = wanted.cooldown_s;
            self.unless_cool(tx, &mut kept, (&about, cooldown_s), cause).await?;
        }
        Ok(())
    }

    /// Launches, unless the same started this playbook a short while ago.
    async fn unless_cool(
        &self,
        tx: &mut Tx,
        kept: &mut Kept,
        (about, cooldown_s): (&str, u32),
        cause: Launch<'_>,
    ) -> Result<(), PlaybooksError> {
        if before(tx, &cause.start_key).await?.is_some() {
            return Ok(());
        }
        let now = tx.now();
        let last = triggers::cooled(tx.sql(), kept.playbook, about).await?;
        if cools(last, now, cooldown_s) {
            let why = format!("'{}' started for the same within {}", cause.why, span(cooldown_s));
            hold(kept, now, why);
        } else {
            let launched = launch(tx, &self.0, kept, cause).await?;
            if matches!(launched, Launched::Run(_) | Launched::Proposal(_)) {
                triggers::cool(tx.sql(), kept.playbook, about, now).await?;
            }
        }
        triggers::put(tx.sql(), kept).await?;
        Ok(())
    }
}

impl OnFinding {
    fn matches(&self, finding: &Finding, device: Option<&Device>, kind: Option<&str>) -> bool {
        let place = device.and_then(|device| device.place.as_deref());
        let criticality = device.map_or(Severity::Medium, |device| device.criticality);
        let among = |list: &[String], text: Option<&str>| {
            list.is_empty() || text.is_some_and(|text| list.iter().any(|it| it == text))
        };
        finding.severity >= self.min_severity
            && (self.kinds.is_empty() || self.kinds.contains(&finding.kind))
            && self.min_criticality.is_none_or(|least| criticality >= least)
            && (self.devices.is_empty() || self.devices.contains(&finding.device))
            && among(&self.places, place)
            && among(&self.device_types, kind)
    }
}

/// Whether an indicator that everybody here may read names a remote address of the evidence.
async fn knows(tx: &mut Tx, finding: &Finding) -> Result<bool, PlaybooksError> {
    let now_us = tx.now().as_micros();
    let mut remotes: Vec<String> = finding.evidence.iter().map(|it| it.peer.to_string()).collect();
    remotes.sort_unstable();
    remotes.dedup();
    for remote in remotes.iter().take(MAX_LOOKED_UP) {
        let sight = Sight::up_to(stix::Tlp::Green);
        let words = intel::standing::of_value(tx.sql(), remote, sight, now_us).await?;
        // What merely mentions an address says nothing against it.
        let against = |it: &intel::standing::Standing| {
            it.known.object.as_ref().is_none_or(|object| object.starts_with("indicator--"))
        };
        if words.iter().any(|word| word.counts() && against(word)) {
            return Ok(true);
        }
    }
    Ok(false)
}
