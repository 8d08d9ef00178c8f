//! Letters on their way out: posted, sealed when they are about to leave, settled by a signed receipt.

use async_trait::async_trait;
use model::{LetterId, PeerId};
use platform::courier::{Courier, Letter as Posted};
use platform::db::{DbError, Tx};
use platform::peers::Peer;
use serde_json::{Value, json};

use crate::error::FederationError;
use crate::room::Federation;
use crate::store::letters::{self, Waiting};
use crate::store::links;
use crate::wire::{Letter, MAX_BATCH_BYTES, MAX_LETTER_BYTES, MAX_LETTERS, Receipt, VERSION, clip};
use crate::{objects, retract};

/// Bytes of a letter's content at most: the rest of the letter takes less than what is left.
pub(crate) const MAX_BODY_BYTES: usize = MAX_LETTER_BYTES - 4_096;
/// Characters of a reason at most.
pub(crate) const MAX_REASON_CHARS: usize = 300;
/// Letters cancelled in one transaction at most.
const MAX_CANCELLED: usize = 64;

/// Kind of letters with objects.
pub(crate) const OBJECTS: &str = "federation.objects";
/// Kind of letters that take objects back.
pub(crate) const RETRACTION: &str = "federation.retraction";
/// Kind of letters that count who learned of a retraction.
pub(crate) const PROGRESS: &str = "federation.progress";

#[async_trait]
impl Courier for Federation {
    async fn post(&self, tx: &mut Tx, letter: Posted) -> Result<bool, DbError> {
        let id = tx.mint();
        let link = links::ensure(tx, letter.to).await?;
        let posted = self.post_as(tx, id, &letter).await?;
        if posted { self.within_limit(link.queued).map(|()| true) } else { Ok(false) }
    }
}

impl Federation {
    /// Whether one more letter may wait.
    pub(crate) fn within_limit(&self, queued: i64) -> Result<(), DbError> {
        let most = self.config().max_queued_letters;
        if queued < most {
            return Ok(());
        }
        Err(DbError::QueueFull(format!(
            "{most} letters wait for this peer, the limit (federation.max_queued_letters); nothing was queued"
        )))
    }

    /// Queues a letter under an id of the caller's, beyond the limit too: a peer that is away must not keep what others
    /// say from taking effect here. This room's own letters are bounded by what was handed on.
    pub(crate) async fn post_as(
        &self,
        tx: &mut Tx,
        id: LetterId,
        letter: &Posted,
    ) -> Result<bool, DbError> {
        let body = letter.body.to_string();
        if body.len() > MAX_BODY_BYTES {
            let text = format!("{} bytes exceed the limit of {MAX_BODY_BYTES}", body.len());
            return Err(DbError::corrupt("federation_letters.body", text));
        }
        let now_us = tx.now().as_micros();
        links::ensure(tx, letter.to).await?;
        let new =
            letters::New { id, peer: letter.to, kind: &letter.kind, key: &letter.key, body: &body };
        if !letters::insert(tx.sql(), &new, now_us).await? {
            return Ok(false);
        }
        links::queued(tx.sql(), letter.to, 1).await?;
        self.wake(letter.to);
        Ok(true)
    }

    /// Seals what may leave and reads the signed letters after a number (with `None`: those without a receipt), as many as
    /// travel together: number and text of each.
    ///
    /// # Errors
    /// The database or another room says no.
    pub async fn offer(
        &self,
        peer: &Peer,
        after: Option<i64>,
    ) -> Result<Vec<(i64, String)>, FederationError> {
        let (own, peer) = (self.clone(), peer.clone());
        // Whoever judges reads through a connection of its own: an expulsion that was written a moment ago must be there.
        self.platform()
            .db
            .write_after_all(move |tx| {
                Box::pin(async move {
                    own.seal_due(tx, &peer).await?;
                    let after = match after {
                        Some(after) => after,
                        None => {
                            let link = links::ensure(tx, peer.id).await?;
                            letters::first_open(tx.sql(), peer.id, link.out_seq).await?
                        }
                    };
                    let mut found = letters::wires(tx.sql(), peer.id, after, MAX_LETTERS).await?;
                    let mut bytes = 32;
                    let fits = found.iter().take_while(|(_, wire)| {
                        bytes += wire.len() + 1;
                        bytes <= MAX_BATCH_BYTES
                    });
                    let fits = fits.count();
                    found.truncate(fits);
                    Ok(found)
                })
            })
            .await
    }

    /// Gives numbers and signatures to waiting letters, as many as may be under way.
    async fn seal_due(&self, tx: &mut Tx, peer: &Peer) -> Result<(), FederationError> {
        let now = tx.now();
        let link = links::ensure(tx, peer.id).await?;
        let under_way = letters::under_way(tx.sql(), peer.id).await?;
        let mut room = MAX_LETTERS.saturating_sub(usize::try_from(under_way).unwrap_or(usize::MAX));
        if room == 0 || self.peer(peer.id).await?.is_none() {
            return Ok(());
        }
        let (mut seq, mut previous) = (link.out_seq, link.out_digest);
        let (mut left, mut cancelled) = (0, 0);
        'full: loop {
            let batch = letters::waiting(tx.sql(), peer.id, room).await?;
            if batch.is_empty() {
                break;
            }
            // Filling one may add to those behind it, or queue more: each is filled when its turn comes.
            for waiting in batch {
                if room == 0 || cancelled == MAX_CANCELLED {
                    break 'full;
                }
                left += 1;
                let Some(body) = self.fill(tx, peer, &waiting).await? else {
                    let reason = Some("nothing in it may leave any more");
                    let now_us = now.as_micros();
                    letters::end(tx.sql(), waiting.place, "cancelled", reason, now_us).await?;
                    cancelled += 1;
                    continue;
                };
                let mut letter = Letter {
                    version: VERSION,
                    id: waiting.id,
                    from: self.platform().node.id,
                    to: peer.node,
                    stream: link.out_stream.clone(),
                    seq: seq + 1,
                    previous,
                    kind: waiting.kind,
                    sent_at: now.to_string(),
                    body,
                    signature: String::new(),
                };
                let digest = letter.seal(self.platform().signer.as_ref());
                let wire = serde_json::to_string(&letter)
                    .map_err(|cause| DbError::corrupt("federation_letters.wire", cause))?;
                seq += 1;
                letters::seal(tx.sql(), waiting.place, seq, &digest, &wire).await?;
                previous = digest;
                room -= 1;
            }
        }
        if left > 0 {
            links::queued(tx.sql(), peer.id, -left).await?;
            links::sealed(tx.sql(), peer.id, seq, &previous).await?;
        }
        if cancelled == MAX_CANCELLED {
            self.wake(peer.id);
        }
        Ok(())
    }

    /// The content as it leaves; `None` when nothing is left of it.
    async fn fill(
        &self,
        tx: &mut Tx,
        peer: &Peer,
        waiting: &Waiting,
    ) -> Result<Option<Value>, FederationError> {
        if waiting.kind == OBJECTS {
            return objects::send::fill(self, tx, peer, waiting.id).await;
        }
        let body = serde_json::from_str(&waiting.body)
            .map_err(|cause| DbError::corrupt("federation_letters.body", cause))?;
        Ok(Some(body))
    }

    /// Takes receipts of a peer. One that is not signed by the peer, or is about another letter than was sent, changes
    /// nothing.
    ///
    /// # Errors
    /// The database or another room says no.
    pub async fn settle(&self, peer: &Peer, receipts: Vec<Receipt>) -> Result<(), FederationError> {
        let us = self.platform().node.id;
        let genuine: Vec<Receipt> = receipts
            .into_iter()
            .filter(|receipt| {
                let said = &receipt.statement;
                said.from == peer.node && said.to == us && receipt.verify(&peer.signing_key)
            })
            .collect();
        let (own, from) = (self.clone(), peer.clone());
        let settled: Result<usize, FederationError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut count = 0;
                    for receipt in &genuine {
                        count += usize::from(own.settle_one(tx, &from, receipt).await?);
                    }
                    Ok(count)
                })
            })
            .await;
        if settled? > 0 {
            self.platform().live.send("federation.receipts", json!({ "peer": peer.id }));
            self.wake(peer.id);
        }
        Ok(())
    }

    async fn settle_one(
        &self,
        tx: &mut Tx,
        peer: &Peer,
        receipt: &Receipt,
    ) -> Result<bool, FederationError> {
        let said = &receipt.statement;
        let Some(letter) = letters::by_digest(tx.sql(), peer.id, said.seq, &said.letter).await?
        else {
            return Ok(false);
        };
        if letter.state != "sealed" {
            return Ok(false);
        }
        let now_us = tx.now().as_micros();
        let refused = said.refused.as_deref().map(|reason| clip(reason, MAX_REASON_CHARS));
        let state = if refused.is_some() { "refused" } else { "taken" };
        letters::end(tx.sql(), letter.place, state, refused.as_deref(), now_us).await?;
        match letter.kind.as_str() {
            OBJECTS => {
                objects::send::settled(tx, letter.id, refused.as_deref(), &said.objects).await?
            }
            RETRACTION => retract::settled(self, tx, letter.id, refused.is_none()).await?,
            kind => {
                if let Some(poster) = self.correspondent(kind) {
                    poster.answered(tx, peer, &letter.key, refused.as_deref()).await?;
                }
            }
        }
        metrics::counter!("sereno_federation_letters_total", "way" => "out", "outcome" => state)
            .increment(1);
        Ok(true)
    }

    /// Begins a new stream of letters to a peer: it does not know the one so far, or knows more of it than we do, because
    /// one of us was restored from a backup or forgot the other for a while. What has no receipt is numbered and signed
    /// anew; a letter that took effect before is recognised by its id.
    ///
    /// # Errors
    /// The database says no.
    pub async fn begin_anew(&self, peer: PeerId) -> Result<(), FederationError> {
        metrics::counter!("sereno_federation_streams_total").increment(1);
        tracing::info!(%peer, "a new stream of letters begins");
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    links::ensure(tx, peer).await?;
                    let now_us = tx.now().as_micros();
                    let waiting = letters::unseal(tx.sql(), peer).await?;
                    for letter in &waiting {
                        crate::store::hands::unsend(tx.sql(), *letter, now_us).await?;
                    }
                    let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
                    links::queued(tx.sql(), peer, count).await?;
                    let stream = tx.mint();
                    links::begin_out(tx.sql(), peer, stream).await?;
                    Ok(())
                })
            })
            .await
    }

    /// What a peer that fetches has: begins anew where its stream is not ours, or it has more of it than we sent. The
    /// number after which it wants letters.
    pub(crate) async fn place_of(
        &self,
        peer: &Peer,
        stream: &str,
        after: i64,
    ) -> Result<i64, FederationError> {
        let mut sql = self.platform().db.read().await?;
        let Some(link) = links::get(&mut sql, peer.id).await? else { return Ok(0) };
        let open = letters::first_open(&mut sql, peer.id, link.out_seq).await?;
        let first = letters::wires(&mut sql, peer.id, after, 1).await?;
        drop(sql);
        let same = stream == link.out_stream;
        let gone = first.first().is_some_and(|(seq, _)| *seq != after + 1);
        // One that never heard of us begins at the first letter, as long as it is there.
        if (same && after <= link.out_seq && !gone) || (!same && open == 0) {
            return Ok(if same { after } else { 0 });
        }
        self.begin_anew(peer.id).await?;
        Ok(0)
    }

    /// The stream of our letters to a peer; `None` before the first.
    pub(crate) async fn out_stream(&self, peer: PeerId) -> Result<Option<String>, FederationError> {
        let mut sql = self.platform().db.read().await?;
        Ok(links::get(&mut sql, peer).await?.map(|link| link.out_stream))
    }

    /// Ends the link to a former peer: what waits for it is cancelled.
    pub(crate) async fn end_link(&self, peer: PeerId) -> Result<(), FederationError> {
        let reason = "the exchange with this peer was ended";
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    letters::cancel_all(tx.sql(), peer, reason, now_us).await?;
                    crate::store::hands::cancel_all(tx.sql(), peer, reason, now_us).await?;
                    crate::store::retractions::cancel_all(tx.sql(), peer, now_us).await?;
                    links::remove(tx.sql(), peer).await?;
                    Ok(())
                })
            })
            .await
    }
}
