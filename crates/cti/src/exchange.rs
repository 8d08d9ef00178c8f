//! Deciding and preparing a share: policy first, then envelope, signature and queue in one transaction.

use async_trait::async_trait;
use model::event::ShareDecided;
use model::{IncidentId, IncidentReport, PeerId, ShareId, ShareState};
use platform::peers::Peer;
use ports::{Exchange, PortError, SharePreview};
use serde_json::{Value, json};

use crate::deliver;
use crate::error::CtiError;
use crate::outlet::{self, Outlet};
use crate::receipt;
use crate::room::Cti;
use crate::store::shares::{self, Share};

/// Longest idempotency key, bytes.
const MAX_KEY_BYTES: usize = 300;
/// Reasons why objects were left out that a share's history tells.
const MAX_REASONS: usize = 10;

#[async_trait]
impl Exchange for Cti {
    async fn preview(&self, incident: IncidentId) -> Result<Vec<SharePreview>, PortError> {
        let report = report(self, incident).await?;
        let peers = self.deps().peers.peers().await?;
        let share: ShareId = self.platform().mint();
        let mut previews = Vec::new();
        for peer in peers.into_iter().filter(|peer| peer.url.is_some()) {
            let outlet = outlet::open(self, &report, &peer, share).await?;
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            previews.push(SharePreview {
                peer: peer.id,
                decision: outlet.decision,
                peer_name: peer.name,
                objects: outlet.objects.len() as u64,
                pseudonymised: count(outlet.pseudonymised),
                left_out: count(outlet.left_out),
                redacted: count(outlet.redacted),
            });
        }
        Ok(previews)
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
    let id: ShareId = cti.platform().mint();
    let outlet = outlet::open(cti, &report, &peer, id).await?;
    let reasons = left_out(&outlet);
    let share = new_share(cti, &report, &peer, (actor, key), (id, outlet));
    let outcome: Result<Share, CtiError> =
        cti.platform().db.write(move |tx| Box::pin(store(tx, share, reasons))).await;
    outcome
}

/// What stays behind, in lines for the share's history; the most frequent reasons first.
fn left_out(outlet: &Outlet) -> Vec<String> {
    let mut reasons: Vec<(&String, &i64)> = outlet.reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let line = |(reason, count): (&String, &i64)| format!("{count} object(s) left out: {reason}");
    reasons.into_iter().take(MAX_REASONS).map(line).collect()
}

fn new_share(
    cti: &Cti,
    report: &IncidentReport,
    peer: &Peer,
    (actor, key): (&str, &str),
    (id, outlet): (ShareId, Outlet),
) -> Share {
    let mut share = Share {
        id,
        key: key.to_owned(),
        incident: report.incident.id,
        peer: peer.id,
        peer_name: peer.name.clone(),
        state: ShareState::Denied,
        tlp: report.incident.tlp,
        actor: actor.to_owned(),
        decision: outlet.decision,
        objects: 0,
        pseudonymised: 0,
        left_out: 0,
        redacted: 0,
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
        share.state = ShareState::Queued;
        share.objects = i64::try_from(outlet.objects.len()).unwrap_or(i64::MAX);
        share.pseudonymised = outlet.pseudonymised;
        share.left_out = outlet.left_out;
        share.redacted = outlet.redacted;
        share.envelope = json!({ "objects": outlet.objects }).to_string();
        share.digest = receipt::digest(share.envelope.as_bytes());
        share.signature = receipt::sign_envelope(cti.platform().signer.as_ref(), &share.digest);
    }
    share
}

async fn store(
    tx: &mut platform::db::Tx,
    share: Share,
    reasons: Vec<String>,
) -> Result<Share, CtiError> {
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
            "{} objects signed and queued, {} internal address(es) replaced, {} changed by redaction, {} left out; \
             SHA-256 {}",
            share.objects, share.pseudonymised, share.redacted, share.left_out, share.digest
        );
        shares::note(tx.sql(), share.id, now, &line).await?;
        for line in &reasons {
            shares::note(tx.sql(), share.id, now, line).await?;
        }
        tx.enqueue(deliver::KIND, &share.id.to_string(), &Value::Null, now).await?;
    }
    Ok(share)
}
