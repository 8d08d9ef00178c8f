//! An envelope from outside: read, judged object by object, stored in one transaction together with
//! what it sets off (lookup values, received incidents) and its status.

use std::collections::HashSet;

use ::intel::{Batch, Prepared, Put, Source, sources};
use axum::body::Bytes;
use axum::http::StatusCode;
use model::Timestamp;
use platform::db::Tx;
use platform::http::{Caller, CallerKind};
use serde_json::Value;
use stix::json::{JsonError, Limits};
use stix::{Object, validate};

use super::status::{Status, StatusDetail};
use super::{MAX_OBJECTS_PER_ENVELOPE, TaxiiError, outside};
use crate::error::CtiError;
use crate::mapping::incoming::{self, Incoming, Sender};
use crate::receipt::{Receipt, Statement, digest, verify_envelope};
use crate::room::Cti;
use crate::store::collections::{Collection, Kind};
use crate::store::received::{self, Received};
use crate::store::statuses;

/// Header with the sender's signature over the envelope, hex.
pub(crate) const SIGNATURE_HEADER: &str = "x-sereno-signature";

/// An envelope and where it goes.
pub(super) struct Delivery {
    pub(super) collection: Collection,
    pub(super) caller: Caller,
    pub(super) signature: Option<String>,
    pub(super) body: Bytes,
    /// Largest envelope, bytes.
    pub(super) limit: usize,
}

/// An object with what is stored of it, or the reason why it is refused.
type Judged = (Object, Result<Prepared, String>);

/// Takes an envelope; the answer comes after the commit. An envelope that cannot be read stores nothing.
pub(super) async fn take(cti: &Cti, delivery: Delivery) -> Result<Status, TaxiiError> {
    let digest = digest(&delivery.body);
    let sender = sender(&delivery.caller);
    check_signature(cti, &delivery, &digest).await?;
    let limits = Limits { max_bytes: delivery.limit, ..stix::json::DEFAULT_LIMITS };
    let body = delivery.body.clone();
    // A million values take a hundred megabytes: few envelopes are opened at once, the others wait as text.
    let _turn = cti.intake_turn().await;
    // Reading megabytes of JSON would hold up every other request of this thread.
    let judged = tokio::task::spawn_blocking(move || judge(&body, limits))
        .await
        .map_err(|_| TaxiiError::unprocessable("the envelope could not be judged"))??;
    let now = cti.platform().now();
    let incidents = if Kind::of(&delivery.collection) == Kind::Inbox {
        let sound: Vec<&Object> =
            judged.iter().filter(|(_, kept)| kept.is_ok()).map(|(object, _)| object).collect();
        incoming::read(&sound, &sender, cti.platform().node.id, now)
    } else {
        vec![]
    };
    let mut status = status_of(cti, &judged, now);
    let statement = Statement {
        status_id: status.id.clone(),
        envelope_sha256: digest,
        recipient: cti.platform().node.id.to_string(),
        sender: sender.id.clone(),
        received_at: now.to_string(),
    };
    let receipt = Receipt::sign(cti.platform().signer.as_ref(), statement);
    status.x_sereno_receipt = Some(receipt.map_err(CtiError::Json)?);
    let (key, kind) = outside::source_of(cti, &delivery.caller).await?;
    let name = sender.name.clone();
    let source =
        Source { key, name, kind: kind.into(), tlp: stix::Tlp::Amber, licence: String::new() };
    store(cti, delivery, judged, incidents, (sender, source), status).await
}

fn sender(caller: &Caller) -> Sender {
    match &caller.kind {
        CallerKind::Peer { peer, node } => Sender {
            id: node.to_string(),
            node: Some(*node),
            peer: Some(*peer),
            name: caller.name.clone(),
        },
        _ => Sender { id: caller.id.clone(), node: None, peer: None, name: caller.name.clone() },
    }
}

/// A signature that is sent must hold; who sends none is still known by its certificate or token.
async fn check_signature(cti: &Cti, delivery: &Delivery, digest: &str) -> Result<(), TaxiiError> {
    let (Some(signature), CallerKind::Peer { peer, .. }) =
        (&delivery.signature, &delivery.caller.kind)
    else {
        return Ok(());
    };
    let known = cti.deps().peers.peer(*peer).await.map_err(CtiError::Port)?;
    if known.is_some_and(|peer| verify_envelope(&peer.signing_key, digest, signature)) {
        return Ok(());
    }
    let text = format!(
        "the signature of {} does not fit the envelope; nothing was stored; exchange the peers' \
         signing keys again",
        delivery.caller.name
    );
    Err(TaxiiError::new(StatusCode::UNPROCESSABLE_ENTITY, "signature", text))
}

fn judge(body: &[u8], limits: Limits) -> Result<Vec<Judged>, TaxiiError> {
    let value = stix::json::read(body, limits).map_err(|error| match error {
        JsonError::TooLarge { .. } => {
            TaxiiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", error.to_string())
        }
        other => TaxiiError::bad_request(format!("{other}; nothing was stored")),
    })?;
    let Value::Object(mut envelope) = value else {
        return Err(TaxiiError::unprocessable(
            "the body is not a TAXII envelope: not a JSON object",
        ));
    };
    let Some(Value::Array(items)) = envelope.remove("objects") else {
        let text = "the body is not a TAXII envelope: `objects` is missing or not a list";
        return Err(TaxiiError::unprocessable(text));
    };
    if items.is_empty() || items.len() > MAX_OBJECTS_PER_ENVELOPE {
        let text = format!(
            "an envelope holds 1 to {MAX_OBJECTS_PER_ENVELOPE} objects, this one {}",
            items.len()
        );
        return Err(TaxiiError::unprocessable(text));
    }
    let objects = stix::bundle::split(items)
        .map_err(|error| TaxiiError::unprocessable(format!("{error}; nothing was stored")))?;
    let judged = objects.into_iter().map(|object| {
        let kept = refusal(&object).map_or_else(|| Ok(Prepared::new(&object)), Err);
        (object, kept)
    });
    Ok(judged.collect())
}

/// What a STIX 2.0 object, which says no version of STIX but has a time of creation (STIX 2.1 §3.2), must have to be
/// stored as it came. Its content is not judged.
fn refusal_of_2_0(object: &Object) -> Option<String> {
    let id = object.id();
    let named = id.is_some_and(|_| object.id_text().starts_with(&format!("{}--", object.kind())));
    let dated = object.modified().is_some() || object.kind() == "marking-definition";
    match (named, dated) {
        (false, _) => {
            Some("/id: is not the object's type, two dashes and a UUID (STIX 2.0)".into())
        }
        (_, false) => Some("/modified: is missing or no timestamp (STIX 2.0)".into()),
        _ => None,
    }
}

fn refusal(object: &Object) -> Option<String> {
    let says_none = object.get("spec_version").is_none();
    if object.text("spec_version") == Some("2.0") || (says_none && object.created().is_some()) {
        return refusal_of_2_0(object);
    }
    let report = validate::object(object);
    let first = report.first_error()?;
    let more = match report.errors {
        0 | 1 => String::new(),
        errors => format!(" (and {} more)", errors - 1),
    };
    Some(format!("{}: {} ({}){more}", first.property, first.message, first.clause))
}

fn status_of(cti: &Cti, judged: &[Judged], now: Timestamp) -> Status {
    let failures: Vec<StatusDetail> = judged
        .iter()
        .filter_map(|(object, kept)| {
            Some(detail(object, now, kept.as_ref().err().cloned()?.into()))
        })
        .collect();
    Status {
        id: cti.platform().uuid4().hyphenated().to_string(),
        status: "complete".into(),
        request_timestamp: now.to_string(),
        total_count: judged.len(),
        success_count: judged.len() - failures.len(),
        successes: vec![],
        failure_count: failures.len(),
        failures,
        pending_count: 0,
        x_sereno_receipt: None,
    }
}

fn detail(object: &Object, now: Timestamp, message: Option<String>) -> StatusDetail {
    let version = object.version().map_or_else(|| now.to_string(), |at| at.to_string());
    StatusDetail { id: object.id_text().chars().take(300).collect(), version, message }
}

async fn store(
    cti: &Cti,
    delivery: Delivery,
    judged: Vec<Judged>,
    incidents: Vec<Incoming>,
    (sender, source): (Sender, Source),
    mut status: Status,
) -> Result<Status, TaxiiError> {
    let peer_outbox = sender.node.map(|node| crate::room::outbox(&node.to_string(), &sender.name));
    let done: Result<Option<Status>, CtiError> = cti
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                // It may have been taken away since the rights were looked at.
                let Collection { root, id, .. } = &delivery.collection;
                if ::intel::collections::find(tx.sql(), root, id).await?.is_none() {
                    return Ok(None);
                }
                if let Some(outbox) = peer_outbox {
                    crate::store::collections::ensure(tx.sql(), &outbox, now.as_micros()).await?;
                }
                let refused = keep(tx, &delivery, &judged, &source, &mut status).await?;
                metrics::counter!("sereno_cti_objects_total", "outcome" => "stored")
                    .increment(status.success_count as u64);
                metrics::counter!("sereno_cti_objects_total", "outcome" => "refused")
                    .increment(status.failure_count as u64);
                let stored = |incident: &&Incoming| {
                    !refused.contains(&(incident.object.clone(), incident.version_us))
                };
                for incident in incidents.iter().filter(stored) {
                    open(tx, incident, &sender, judged.len()).await?;
                }
                let body = serde_json::to_value(&status)?;
                let caller = delivery.caller.id.clone();
                let collection = &delivery.collection.id;
                statuses::put(tx.sql(), &status.id, &caller, collection, &body, now.as_micros())
                    .await?;
                Ok(Some(status))
            })
        })
        .await;
    done?.ok_or_else(|| TaxiiError::not_found("the collection"))
}

fn version_us(object: &Object) -> i64 {
    object.version().map_or(0, |at| at.unix_us())
}

/// Stores what is sound and notes what became of each object. Answers which versions are refused although they are
/// sound: they are known with other content.
async fn keep(
    tx: &mut Tx,
    delivery: &Delivery,
    judged: &[Judged],
    source: &Source,
    status: &mut Status,
) -> Result<HashSet<(String, i64)>, CtiError> {
    let now = tx.now();
    let at = now.as_micros();
    let (sound, objects): (Vec<&Object>, Vec<Prepared>) = judged
        .iter()
        .filter_map(|(object, kept)| Some((object, kept.as_ref().ok()?.clone())))
        .unzip();
    let batch = Batch {
        source: sources::ensure(tx.sql(), source, at).await?,
        unmarked: ::intel::rank(source.tlp),
        collection: Some(delivery.collection.number),
        objects: &objects,
        now_us: at,
    };
    let mut refused = HashSet::new();
    let puts = ::intel::write::store(tx.sql(), &batch).await?;
    for (object, put) in sound.into_iter().zip(puts) {
        match put {
            // Whether it was known before is not for every sender to learn.
            Put::New | Put::Updated | Put::Older | Put::Same | Put::Beside => {
                status.successes.push(detail(object, now, None));
            }
            Put::Conflict => {
                refused.insert((object.id_text().to_owned(), version_us(object)));
                let text = "this version stands in the collection with other content, which stays; a change needs a new `modified`";
                status.failures.push(detail(object, now, Some(text.into())));
            }
        }
    }
    status.success_count = status.successes.len();
    status.failure_count = status.failures.len();
    Ok(refused)
}

/// Announces a received incident once, and every newer version of it.
async fn open(
    tx: &mut Tx,
    incoming: &Incoming,
    sender: &Sender,
    objects: usize,
) -> Result<(), CtiError> {
    let row = Received {
        incident: incoming.incident.id,
        object: incoming.object.clone(),
        version_us: incoming.version_us,
        sender: sender.id.clone(),
        sender_peer: sender.peer.map(|peer| peer.to_string()),
        share: incoming.incident.received_share.map(|share| share.to_string()),
        note: None,
    };
    let now = tx.now().as_micros();
    if received::add(tx.sql(), &row, now).await? {
        let fact = model::event::IncidentReceived {
            incident: incoming.incident.clone(),
            findings: incoming.findings.clone(),
            peer_name: sender.name.clone(),
            indicators: incoming.indicators.clone(),
            objects: objects as u64,
        };
        tx.publish(&format!("peer:{}", sender.name), &fact).await?;
    }
    Ok(())
}
