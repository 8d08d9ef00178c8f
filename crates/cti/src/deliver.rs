//! Delivery of queued shares: sent again until the recipient's signed receipt is here. A crash at any
//! point repeats the sending, never the effect: the recipient stores the same objects once.

use async_trait::async_trait;
use model::event::ShareMoved;
use model::{ShareId, ShareState};
use platform::jobs::{Job, JobEnd, JobHandler};
use reqwest::StatusCode;

use crate::client::{self, Line};
use crate::error::CtiError;
use crate::receipt::Receipt;
use crate::room::Cti;
use crate::store::contacts;
use crate::store::shares::{self, Share};
use crate::taxii::{INBOX_ID, SIGNATURE_HEADER, Status};

/// Kind of the job; its key is the share's id.
pub(crate) const KIND: &str = "cti.deliver";

/// The job handler.
pub(crate) struct Deliver(pub(crate) Cti);

/// How one try ended.
enum Sent {
    /// The receipt holds; some objects may have been refused, in words.
    Delivered(Box<Receipt>, Option<String>),
    /// The recipient does not take it.
    Refused(String),
    /// Try again later.
    Later(String),
}

#[async_trait]
impl JobHandler for Deliver {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let Ok(id) = job.key.parse::<ShareId>() else {
            return JobEnd::Failed { reason: format!("'{}' is no share", job.key) };
        };
        match self.attempt(id).await {
            Ok(Some(reason)) => self.later(job, reason),
            Ok(None) => JobEnd::Done,
            Err(error) => self.later(job, error.to_string()),
        }
    }
}

impl Deliver {
    /// Doubling pauses up to the configured longest, so that a recipient that comes back is served
    /// within seconds.
    fn later(&self, job: &Job, reason: String) -> JobEnd {
        let longest = self.0.config().deliver_pause_max_ms;
        let after_ms = (250_i64 << job.attempts.clamp(0, 20)).min(longest);
        JobEnd::Retry { reason, after_ms }
    }

    /// One try; the reason when it must be repeated.
    async fn attempt(&self, id: ShareId) -> Result<Option<String>, CtiError> {
        let mut sql = self.0.platform().db.read().await?;
        let share = shares::get(&mut sql, id).await?;
        drop(sql);
        // Where the answer overtook the receipt (the recipient died in between), the same objects
        // are sent once more: the recipient stores them once, and its receipt is still the proof.
        let Some(share) = share.filter(Share::wants_receipt) else {
            return Ok(None);
        };
        let sent = self.send(&share).await;
        let reached = !matches!(sent, Sent::Later(_));
        self.0.deps().peers.note_contact(share.peer, reached);
        let later = match &sent {
            Sent::Later(reason) => Some(reason.clone()),
            _ => None,
        };
        let written: Result<(), CtiError> = self
            .0
            .platform()
            .db
            .write(move |tx| Box::pin(async move { record(tx, &share, sent).await }))
            .await;
        written?;
        if later.is_none() {
            self.0.delivered().notify_one();
        }
        Ok(later)
    }

    async fn send(&self, share: &Share) -> Sent {
        let line = match Line::to(&self.0, share.peer).await {
            Ok(line) => line,
            Err(reason) => return Sent::Later(reason),
        };
        let request = line
            .post(&format!("collections/{INBOX_ID}/objects/"))
            .header(SIGNATURE_HEADER, &share.signature)
            .body(share.envelope.clone());
        let answer = match client::send(request).await {
            Ok(answer) => answer,
            Err(reason) => return Sent::Later(reason),
        };
        match answer.status {
            StatusCode::ACCEPTED | StatusCode::OK => {}
            // Not the envelope's fault, or mended by an administrator: it may succeed later.
            StatusCode::UNAUTHORIZED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => return Sent::Later(answer.complaint()),
            status if status.is_client_error() => return Sent::Refused(answer.complaint()),
            _ => return Sent::Later(answer.complaint()),
        }
        match answer.json::<Status>() {
            Ok(status) => self.judge(share, &line, status),
            Err(reason) => Sent::Later(reason),
        }
    }

    fn judge(&self, share: &Share, line: &Line, status: Status) -> Sent {
        let refused = status.failures.first().map(|first| {
            let why = first.message.as_deref().unwrap_or("no reason given");
            format!("{} object(s) refused, first {}: {why}", status.failure_count, first.id)
        });
        if let Some(reason) = &refused
            && status.failures.iter().any(|failure| failure.id.starts_with("incident--"))
        {
            return Sent::Refused(reason.clone());
        }
        let Some(receipt) = status.x_sereno_receipt else {
            return Sent::Later("the recipient gave no receipt".into());
        };
        let said = &receipt.statement;
        let ours = self.0.platform().node.id.to_string();
        let fits = said.envelope_sha256 == share.digest
            && said.recipient == line.peer.node.to_string()
            && said.sender == ours
            && receipt.verify(&line.peer.signing_key);
        if !fits {
            return Sent::Later("the recipient's receipt does not verify".into());
        }
        Sent::Delivered(Box::new(receipt), refused)
    }
}

async fn record(tx: &mut platform::db::Tx, share: &Share, sent: Sent) -> Result<(), CtiError> {
    let now = tx.now();
    let peer = share.peer.to_string();
    match sent {
        Sent::Delivered(receipt, refused) => {
            shares::tried(tx.sql(), share.id, None).await?;
            contacts::note(tx.sql(), &peer, now.as_micros(), None, None).await?;
            if shares::delivered(tx.sql(), share.id, &receipt, now).await? {
                let line = format!("Delivered; receipt of {} verified", share.peer_name);
                shares::note(tx.sql(), share.id, now, &line).await?;
                if let Some(refused) = refused {
                    shares::note(tx.sql(), share.id, now, &refused).await?;
                }
                // What is acknowledged already does not go back to delivered.
                if share.state == ShareState::Queued {
                    let detail = format!("signed receipt verified, SHA-256 {}", share.digest);
                    publish(tx, share, ShareState::Delivered, detail).await?;
                }
            }
        }
        Sent::Refused(reason) => {
            shares::tried(tx.sql(), share.id, Some(&reason)).await?;
            contacts::note(tx.sql(), &peer, now.as_micros(), None, None).await?;
            if shares::refused(tx.sql(), share.id, &reason).await? {
                shares::note(tx.sql(), share.id, now, &format!("Refused: {reason}")).await?;
                publish(tx, share, ShareState::Refused, reason).await?;
            }
        }
        Sent::Later(reason) => {
            shares::tried(tx.sql(), share.id, Some(&reason)).await?;
            contacts::note(tx.sql(), &peer, now.as_micros(), Some(&reason), None).await?;
            if share.last_error.as_deref() != Some(reason.as_str()) {
                let line = format!("Not delivered yet, it waits: {reason}");
                shares::note(tx.sql(), share.id, now, &line).await?;
            }
        }
    }
    Ok(())
}

/// Announces that a share moved on.
pub(crate) async fn publish(
    tx: &mut platform::db::Tx,
    share: &Share,
    state: ShareState,
    detail: String,
) -> Result<(), CtiError> {
    metrics::counter!("sereno_cti_shares_total", "state" => state.word()).increment(1);
    let moved = ShareMoved {
        share: share.id,
        incident: share.incident,
        peer_name: share.peer_name.clone(),
        state,
        detail,
    };
    tx.publish(&format!("peer:{}", share.peer_name), &moved).await?;
    Ok(())
}
