//! What the node's detectors say of a device takes effect at its gateway, packet by packet.
//!
//! Switched on by `gateway.suspect_s`. A finding makes its device a suspect for that time; while the finding goes on, the
//! time is prolonged. The order is one like any other: durable, with its reason, in force at the gateway by its kernel's
//! timeout, and undone by hand.

use async_trait::async_trait;
use model::event::{Fact, FindingRaised, FindingUpdated, Payload};
use model::{BlockTarget, Finding};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::edge::{MAX_WHY_BYTES, Order, Verb};
use serde_json::{Value, json};

use crate::Gateway;
use crate::error::GatewayError;

const KIND: &str = "gateway.suspect";

/// Listens to findings.
pub(crate) struct Findings(pub(crate) Gateway);

#[async_trait]
impl Consumer for Findings {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[FindingRaised::KIND, FindingUpdated::KIND]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        let seconds = self.0.config.suspect_s;
        if seconds == 0 {
            return Ok(());
        }
        let raised = fact.read::<FindingRaised>()?.map(|fact| fact.finding);
        let updated = fact.read::<FindingUpdated>()?.map(|fact| fact.finding);
        if let Some(finding) = raised.or(updated) {
            // One order for each half of its time: while the finding goes on, the next begins before the last ends.
            let lasts = finding.last_at.micros_since(finding.first_at) / 1_000_000;
            let half = i64::from(seconds.div_ceil(2));
            let key = format!("suspect/{}/{}", finding.id, lasts.max(0) / half);
            let now = tx.now();
            tx.enqueue(KIND, &key, &asked(&finding), now).await?;
        }
        Ok(())
    }
}

fn asked(finding: &Finding) -> Value {
    json!({ "mac": finding.device_mac, "address": finding.device_address, "title": finding.title })
}

/// Gives the orders.
pub(crate) struct Suspects(pub(crate) Gateway);

impl Suspects {
    async fn order(&self, job: &Job) -> Result<(), GatewayError> {
        let text = |name: &str| job.payload[name].as_str().unwrap_or_default();
        let mac = Some(text("mac").to_ascii_lowercase()).filter(|mac| !mac.is_empty());
        let addresses: Vec<_> = text("address").parse().into_iter().collect();
        let target = BlockTarget { mac, addresses };
        if target.mac.is_none() && target.addresses.is_empty() {
            return Ok(());
        }
        let Some(edge) = self.0.gateway_for(&target).await? else { return Ok(()) };
        let mut why = format!("finding: {}", text("title"));
        why.truncate(why.floor_char_boundary(MAX_WHY_BYTES));
        let verb = Verb::Suspect { timeout_s: self.0.config.suspect_s };
        let order = Order { key: job.key.clone(), verb, target, flow: None, why };
        self.0.place(&edge, order, "detection").await.map(drop)
    }
}

#[async_trait]
impl JobHandler for Suspects {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        match self.order(job).await {
            Ok(()) => JobEnd::Done,
            Err(GatewayError::Invalid(reason)) => {
                // Said again it would be wrong again.
                tracing::error!(reason, "a finding's device is not made a suspect");
                JobEnd::Done
            }
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}
