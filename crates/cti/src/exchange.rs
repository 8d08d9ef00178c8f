//! Deciding and preparing a share: policy first, then envelope, signature and queue in one transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::event::ShareDecided;
use model::{IncidentId, IncidentReport, PeerId, ShareDecision, ShareId, ShareState};
use platform::peers::Peer;
use ports::{AccessQuestion, Exchange, PortError, SharePreview};
use serde_json::{Value, json};
use stix::Object;

use crate::deliver;
use crate::error::CtiError;
use crate::mapping::outgoing::{self, Context, Outgoing};
use crate::receipt;
use crate::room::Cti;
use crate::store::shares::{self, Share};

/// Longest idempotency key, bytes.
const MAX_KEY_BYTES: usize = 300;

#[async_trait]
impl Exchange for Cti {
    async fn preview(&self, incident: IncidentId) -> Result<Vec<SharePreview>, PortError> {
        let report = report(self, incident).await?;
        let peers = self.deps().peers.peers().await?;
        let share: ShareId = self.platform().mint();
        let previews = peers.into_iter().filter(|peer| peer.url.is_some()).map(|peer| {
            let outgoing = build(self, &report, &peer, share);
            SharePreview {
                peer: peer.id,
                decision: decide(self, &report, &peer),
                peer_name: peer.name,
                objects: outgoing.objects.len() as u64,
                pseudonymised: outgoing.pseudonymised as u64,
            }
        });
        Ok(previews.collect())
    }

    async fn share(
        &self,
        incident: IncidentId,
        peer: PeerId,
        actor: &str,
        key: &str,
    ) -> Result<ShareId, PortError> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(PortError::Invalid(format!(
                "a share's key has 1 to {MAX_KEY_BYTES} bytes"
            )));
        }
        Ok(prepare(self, incident, peer, actor, key).await?.id)
    }
}

async fn report(cti: &Cti, incident: IncidentId) -> Result<IncidentReport, PortError> {
    let report = cti.deps().incidents.report(incident).await?;
    report.ok_or_else(|| PortError::NotFound(format!("incident {incident}")))
}

/// Asks the policy: may this incident go to this peer?
fn decide(cti: &Cti, report: &IncidentReport, peer: &Peer) -> ShareDecision {
    let incident = &report.incident;
    let question = AccessQuestion {
        principal_kind: "Peer".into(),
        principal: peer.id.to_string(),
        principal_attributes: BTreeMap::from([
            ("roles".to_owned(), json!(["peer"])),
            ("organisation_kind".to_owned(), json!(peer.kind)),
            ("name".to_owned(), json!(peer.name)),
        ]),
        action: "share".into(),
        resource_kind: "Incident".into(),
        resource: incident.id.to_string(),
        resource_attributes: BTreeMap::from([
            ("tlp".to_owned(), json!(incident.tlp.label())),
            ("severity".to_owned(), json!(incident.severity.word())),
            ("kind".to_owned(), json!("incident")),
            ("received".to_owned(), json!(incident.received_share.is_some())),
        ]),
    };
    cti.deps().authorizer.decide(&question)
}

fn build(cti: &Cti, report: &IncidentReport, peer: &Peer, share: ShareId) -> Outgoing {
    let context = Context {
        node: &cti.platform().node,
        recipient: peer,
        share,
        pseudonymiser: cti.deps().pseudonymiser.as_ref(),
        now: cti.platform().now(),
    };
    outgoing::objects(report, &context)
}

/// Decides and stores the share with its envelope; a key that was used gives the share it made.
pub(crate) async fn prepare(
    cti: &Cti,
    incident: IncidentId,
    peer: PeerId,
    actor: &str,
    key: &str,
) -> Result<Share, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    if let Some(known) = shares::by_key(&mut sql, key).await? {
        return Ok(known);
    }
    drop(sql);
    let report = report(cti, incident).await?;
    let peer = cti.deps().peers.peer(peer).await?;
    let peer = peer.ok_or_else(|| CtiError::NotFound("the peer".into()))?;
    let share = new_share(cti, &report, &peer, actor, key);
    let outcome: Result<Share, CtiError> =
        cti.platform().db.write(move |tx| Box::pin(store(tx, share))).await;
    outcome
}

fn new_share(cti: &Cti, report: &IncidentReport, peer: &Peer, actor: &str, key: &str) -> Share {
    let decision = decide(cti, report, peer);
    let id: ShareId = cti.platform().mint();
    let mut share = Share {
        id,
        key: key.to_owned(),
        incident: report.incident.id,
        peer: peer.id,
        peer_name: peer.name.clone(),
        state: ShareState::Denied,
        tlp: report.incident.tlp,
        actor: actor.to_owned(),
        decision,
        objects: 0,
        pseudonymised: 0,
        envelope: String::new(),
        digest: String::new(),
        signature: String::new(),
        receipt: None,
        answer: None,
        attempts: 0,
        last_error: None,
        decided_at: cti.platform().now(),
        delivered_at: None,
        acknowledged_at: None,
    };
    if share.decision.allowed {
        let outgoing = build(cti, report, peer, id);
        share.state = ShareState::Queued;
        share.objects = i64::try_from(outgoing.objects.len()).unwrap_or(i64::MAX);
        share.pseudonymised = i64::try_from(outgoing.pseudonymised).unwrap_or(i64::MAX);
        let objects: Vec<Value> = outgoing.objects.iter().map(Object::to_value).collect();
        share.envelope = json!({ "objects": objects }).to_string();
        share.digest = receipt::digest(share.envelope.as_bytes());
        share.signature = receipt::sign_envelope(cti.platform().signer.as_ref(), &share.digest);
    }
    share
}

async fn store(tx: &mut platform::db::Tx, share: Share) -> Result<Share, CtiError> {
    if !shares::add(tx.sql(), &share).await? {
        let known = shares::by_key(tx.sql(), &share.key).await?;
        return known.ok_or_else(|| CtiError::NotFound("the share".into()));
    }
    let now = tx.now();
    let verdict = if share.decision.allowed { "allowed" } else { "denied" };
    let line = format!("Sharing with {} {verdict}: {}", share.peer_name, share.decision.reason);
    shares::note(tx.sql(), share.id, now, &line).await?;
    let decided = ShareDecided {
        share: share.id,
        incident: share.incident,
        peer: share.peer,
        peer_name: share.peer_name.clone(),
        tlp: share.tlp,
        decision: share.decision.clone(),
    };
    tx.publish(&share.actor, &decided).await?;
    if share.decision.allowed {
        let line = format!(
            "{} objects signed and queued, {} internal address(es) replaced; SHA-256 {}",
            share.objects, share.pseudonymised, share.digest
        );
        shares::note(tx.sql(), share.id, now, &line).await?;
        tx.enqueue(deliver::KIND, &share.id.to_string(), &Value::Null, now).await?;
    }
    Ok(share)
}
