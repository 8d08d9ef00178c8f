//! `GET /api/v1/shares`: what was shared, or not, newest first.

use axum::Json;
use axum::extract::{Query, State};
use model::{IncidentId, PeerId, ShareDecision, ShareId, ShareState, Timestamp, Tlp};
use platform::http::{Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::room::Cti;
use crate::store::shares::{self as store, Share};

/// Filter.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct SharesQuery {
    /// Only shares of this incident.
    incident: Option<String>,
    /// Items wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// A decision of the sharing policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareDecisionItem {
    /// May it be shared?
    allowed: bool,
    /// Why.
    reason: String,
    /// The policies that decided.
    policies: Vec<String>,
}

impl From<ShareDecision> for ShareDecisionItem {
    fn from(decision: ShareDecision) -> Self {
        let ShareDecision { allowed, reason, policies } = decision;
        Self { allowed, reason, policies }
    }
}

/// The recipient's signed word that it holds the envelope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareReceiptItem {
    /// It was verified before it was stored.
    verified: bool,
    /// SHA-256 of the envelope, hex.
    digest: String,
    /// When the recipient signed, by its clock.
    signed_at: String,
    /// The recipient's public key, hex.
    key: String,
    /// Ed25519 signature over the statement's canonical JSON, hex.
    signature: String,
}

/// What a person at the recipient answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareAnswerItem {
    /// Who.
    by: String,
    /// What.
    text: String,
    /// When, by the recipient's clock.
    #[schema(value_type = String)]
    at: Timestamp,
}

/// One share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareItem {
    /// Id.
    #[schema(value_type = String)]
    pub(super) id: ShareId,
    /// The incident.
    #[schema(value_type = String)]
    incident: IncidentId,
    /// The recipient.
    #[schema(value_type = String)]
    peer: PeerId,
    /// Its name.
    peer_name: String,
    /// `denied`, `queued`, `delivered`, `acknowledged` or `refused`.
    #[schema(value_type = String)]
    state: ShareState,
    /// The marking it travels under.
    #[schema(value_type = String)]
    tlp: Tlp,
    /// Who asked for it.
    actor: String,
    /// The decision.
    decision: ShareDecisionItem,
    /// STIX objects in it.
    objects: i64,
    /// Internal addresses replaced in it.
    pseudonymised: i64,
    /// Objects that may not go to the recipient and stayed; the history says why.
    left_out: i64,
    /// Objects changed by rules of redaction.
    redacted: i64,
    /// When it was decided.
    #[schema(value_type = String)]
    decided_at: Timestamp,
    /// When the receipt was verified.
    #[schema(value_type = Option<String>)]
    delivered_at: Option<Timestamp>,
    /// When the answer was read.
    #[schema(value_type = Option<String>)]
    acknowledged_at: Option<Timestamp>,
    /// The receipt.
    receipt: Option<ShareReceiptItem>,
    /// The answer.
    answer: Option<ShareAnswerItem>,
    /// Tries to deliver.
    attempts: i64,
    /// Why the last try failed.
    last_error: Option<String>,
}

impl From<Share> for ShareItem {
    fn from(share: Share) -> Self {
        let receipt = share.receipt.map(|receipt| ShareReceiptItem {
            verified: true,
            digest: receipt.statement.envelope_sha256,
            signed_at: receipt.statement.received_at,
            key: receipt.key,
            signature: receipt.signature,
        });
        let answer = share.answer.map(|a| ShareAnswerItem { by: a.by, text: a.text, at: a.at });
        Self {
            id: share.id,
            incident: share.incident,
            peer: share.peer,
            peer_name: share.peer_name,
            state: share.state,
            tlp: share.tlp,
            actor: share.actor,
            decision: share.decision.into(),
            objects: share.objects,
            pseudonymised: share.pseudonymised,
            left_out: share.left_out,
            redacted: share.redacted,
            decided_at: share.decided_at,
            delivered_at: share.delivered_at,
            acknowledged_at: share.acknowledged_at,
            receipt,
            answer,
            attempts: share.attempts,
            last_error: share.last_error,
        }
    }
}

/// The shares.
#[utoipa::path(get, path = "/api/v1/shares", tag = "cti", params(SharesQuery), responses(
    (status = 200, description = "Shares, newest first", body = Page<ShareItem>),
    (status = 400, description = "Bad cursor", body = Problem)))]
pub(crate) async fn shares(
    State(cti): State<Cti>,
    Query(query): Query<SharesQuery>,
) -> Result<Json<Page<ShareItem>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit();
    let before = page.after()?.map(|key| position(&key)).transpose()?;
    let mut sql = cti.platform().db.read().await?;
    let incident = query.incident.as_deref();
    let rows = store::list(&mut sql, incident, before, i64::from(limit) + 1).await?;
    let items = rows.into_iter().map(ShareItem::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |last: &ShareItem| {
        format!("{} {}", last.decided_at.as_micros(), last.id)
    })))
}

fn position(key: &str) -> Result<(i64, String), Problem> {
    key.split_once(' ')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| Problem::bad_request("the cursor was not made by this list"))
}
