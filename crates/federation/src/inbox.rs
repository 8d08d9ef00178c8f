//! Letters of peers: verified outside of any transaction, then taken in order, each in the transaction that answers it.

use model::event::LetterRefused;
use platform::db::{DbError, Tx};
use platform::peers::Peer;
use serde_json::json;

use crate::error::FederationError;
use crate::objects::take::{self, Parcel};
use crate::outbox::{MAX_REASON_CHARS, OBJECTS, PROGRESS, RETRACTION};
use crate::retract;
use crate::room::Federation;
use crate::store::links::{self, Answered, Link};
use crate::wire::{
    Letter, Letters, MAX_LETTER_BYTES, MAX_LETTERS, Receipt, RefusedObject, Statement, VERSION,
    clip, read,
};

/// Bytes of a stream's name at most.
const MAX_STREAM_BYTES: usize = 64;

/// A letter that is what it says it is, its objects judged.
#[derive(Clone)]
struct Arrived {
    letter: Letter,
    digest: String,
    parcel: Option<Result<Parcel, String>>,
}

impl Arrived {
    /// Whether it brings objects through a community.
    fn through_community(&self) -> bool {
        matches!(&self.parcel, Some(Ok(parcel)) if parcel.through_community())
    }
}

/// What became of a letter's content.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Why nothing of it was taken.
    pub(crate) refused: Option<String>,
    /// Objects that were not taken.
    pub(crate) objects: Vec<RefusedObject>,
}

impl Outcome {
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self { refused: Some(reason.into()), objects: vec![] }
    }
}

impl Federation {
    /// Takes letters of a peer, in order; the answer comes after the commit. Where one cannot be taken, those before it
    /// are; an error when it is the first.
    ///
    /// # Errors
    /// The first letter is not what it says it is, or letters before it are missing; or the database says no.
    pub async fn accept(
        &self,
        peer: &Peer,
        bytes: Vec<u8>,
    ) -> Result<Vec<Receipt>, FederationError> {
        let (us, from) = (self.platform().node.id, peer.clone());
        // Reading and verifying megabytes would hold up every other request of this thread.
        let opened = tokio::task::spawn_blocking(move || {
            let letters: Letters = read(&bytes).map_err(FederationError::Unreadable)?;
            if letters.letters.len() > MAX_LETTERS {
                let text =
                    format!("{} letters at once exceed {MAX_LETTERS}", letters.letters.len());
                return Err(FederationError::Unreadable(text));
            }
            let mut arrived = Vec::with_capacity(letters.letters.len());
            for letter in letters.letters {
                match open(letter, &from, us) {
                    Ok(one) => arrived.push(one),
                    Err(reason) => return Ok((arrived, Some(reason))),
                }
            }
            Ok((arrived, None))
        });
        let (arrived, forged) = opened.await.map_err(|_| {
            FederationError::Unreadable("the letters could not be read".to_owned())
        })??;
        let (receipts, stopped) = self.take_in(peer, arrived).await?;
        if !receipts.is_empty() {
            self.platform().live.send("federation.letters", json!({ "peer": peer.id }));
            self.arrived().notify_one();
            return Ok(receipts);
        }
        match stopped.or_else(|| forged.map(FederationError::Lie)) {
            None => Ok(receipts),
            Some(FederationError::Lie(reason)) => {
                self.note_lie(peer, &reason).await?;
                Err(FederationError::Lie(reason))
            }
            Some(other) => Err(other),
        }
    }

    /// Takes letters in one transaction, after all that was written before: who may send through a community is read
    /// through another connection. Where that fails, the first one alone, so that a letter that cannot be taken now
    /// does not keep those before it back.
    async fn take_in(
        &self,
        peer: &Peer,
        arrived: Vec<Arrived>,
    ) -> Result<(Vec<Receipt>, Option<FederationError>), FederationError> {
        let first = arrived.first().filter(|_| arrived.len() > 1).cloned();
        let (own, from) = (self.clone(), peer.clone());
        let taken = self
            .platform()
            .db
            .write_after_all(move |tx| {
                Box::pin(async move { own.take_all(tx, &from, arrived).await })
            })
            .await;
        let (Err(error), Some(first)) = (&taken, first) else { return taken };
        tracing::warn!(peer = peer.name, %error, "letters could not be taken together; taking the first");
        let (own, from) = (self.clone(), peer.clone());
        self.platform()
            .db
            .write_after_all(move |tx| {
                Box::pin(async move { own.take_all(tx, &from, vec![first]).await })
            })
            .await
    }

    async fn take_all(
        &self,
        tx: &mut Tx,
        peer: &Peer,
        arrived: Vec<Arrived>,
    ) -> Result<(Vec<Receipt>, Option<FederationError>), FederationError> {
        let mut link = links::ensure(tx, peer.id).await?;
        let (stream, seq) = (link.in_stream.clone(), link.in_seq);
        let taken = self.take_in_order(tx, peer, &mut link, arrived).await?;
        if link.in_stream != stream || link.in_seq != seq {
            links::answered(tx.sql(), peer.id, link.in_seq, &link.in_digest).await?;
        }
        Ok(taken)
    }

    /// Takes letters one after the other, up to the first that is not the next; `link` says where that is, and is not
    /// written here.
    async fn take_in_order(
        &self,
        tx: &mut Tx,
        peer: &Peer,
        link: &mut Link,
        arrived: Vec<Arrived>,
    ) -> Result<(Vec<Receipt>, Option<FederationError>), FederationError> {
        let mut receipts = Vec::with_capacity(arrived.len());
        let mut others = false;
        for one in arrived {
            // A letter of another room may have changed who may send; that shows after the commit, and the sender brings
            // the rest again at once.
            if others && one.through_community() {
                return Ok((receipts, None));
            }
            others |= one.parcel.is_none();
            let (seq, stream) = (one.letter.seq, one.letter.stream.as_str());
            let ahead = stream == link.in_stream && seq > link.in_seq;
            let before = match ahead {
                true => None,
                false => links::taken(tx.sql(), peer.id, stream, seq).await?,
            };
            if before.is_some() || (stream == link.in_stream && seq <= link.in_seq) {
                match before {
                    Some((digest, receipt)) if digest == one.digest => {
                        receipts.push(crate::store::json(&receipt, "federation_taken.receipt")?);
                        continue;
                    }
                    _ => {
                        let text = format!("another letter was taken under the number {seq}");
                        return Ok((receipts, Some(FederationError::Lie(text))));
                    }
                }
            }
            if stream != link.in_stream && seq == 1 {
                links::begin_in(tx.sql(), peer.id, stream).await?;
                *link = links::ensure(tx, peer.id).await?;
            }
            let expected = if stream == link.in_stream { link.in_seq + 1 } else { 1 };
            if seq != expected {
                return Ok((receipts, Some(FederationError::Gap { expected, seq })));
            }
            if one.letter.previous != link.in_digest {
                let text = format!("letter {seq} does not follow the letter {} that came", seq - 1);
                return Ok((receipts, Some(FederationError::Lie(text))));
            }
            link.in_seq = seq;
            link.in_digest.clone_from(&one.digest);
            receipts.push(self.take_one(tx, peer, one).await?);
        }
        Ok((receipts, None))
    }

    async fn take_one(
        &self,
        tx: &mut Tx,
        peer: &Peer,
        one: Arrived,
    ) -> Result<Receipt, FederationError> {
        let Arrived { letter, digest, parcel } = one;
        let before = links::taken_as(tx.sql(), peer.id, letter.id).await?;
        let mut outcome = match (letter.kind.as_str(), parcel) {
            // It took effect in a stream that its sender has given up.
            _ if before.is_some() => {
                let receipt: Receipt =
                    crate::store::json(&before.unwrap_or_default(), "federation_taken.receipt")?;
                let Statement { refused, objects, .. } = receipt.statement;
                Outcome { refused, objects }
            }
            (OBJECTS, Some(Ok(parcel))) => take::parcel(self, tx, peer, parcel).await?,
            (OBJECTS, Some(Err(reason))) => Outcome::refused(reason),
            (RETRACTION, _) => retract::take(self, tx, peer, &letter.body).await?,
            (PROGRESS, _) => retract::take_progress(self, tx, peer, &letter.body).await?,
            (kind, _) => match self.correspondent(kind) {
                None => Outcome::refused("letters of this kind are not known here"),
                Some(taker) => {
                    let taken = taker.take(tx, peer, kind, &letter.body).await?;
                    Outcome { refused: taken.err(), objects: vec![] }
                }
            },
        };
        outcome.refused = outcome.refused.map(|reason| clip(&reason, MAX_REASON_CHARS));
        let word = if outcome.refused.is_some() { "refused" } else { "taken" };
        metrics::counter!("sereno_federation_letters_total", "way" => "in", "outcome" => word)
            .increment(1);
        let now = tx.now();
        let statement = Statement {
            letter: digest.clone(),
            seq: letter.seq,
            from: self.platform().node.id,
            to: peer.node,
            refused: outcome.refused.clone(),
            objects: outcome.objects,
            at: now.to_string(),
        };
        let receipt = Receipt::sign(self.platform().signer.as_ref(), statement);
        let text = serde_json::to_string(&receipt)
            .map_err(|cause| DbError::corrupt("federation_taken.receipt", cause))?;
        let answer = Answered {
            peer: peer.id,
            stream: &letter.stream,
            id: letter.id,
            seq: letter.seq,
            digest: &digest,
            kind: &clip(&letter.kind, 100),
            reason: outcome.refused.as_deref(),
            receipt: &text,
        };
        links::note_answer(tx.sql(), &answer, now.as_micros()).await?;
        Ok(receipt)
    }

    /// Counts a letter that was refused for what it is, and tells of it.
    async fn note_lie(&self, peer: &Peer, reason: &str) -> Result<(), FederationError> {
        metrics::counter!("sereno_federation_lies_total").increment(1);
        tracing::warn!(peer = peer.name, reason, "a letter was refused");
        let tells = self.door(peer.id).tells(self.platform().now().as_micros());
        let (peer, reason) = (peer.clone(), clip(reason, MAX_REASON_CHARS));
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    links::ensure(tx, peer.id).await?;
                    links::refused(tx.sql(), peer.id, &reason).await?;
                    if tells {
                        let actor = format!("peer:{}", peer.name);
                        let fact = LetterRefused { peer_name: peer.name, reason };
                        tx.publish(&actor, &fact).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Looks whether a letter is what it says it is, or says why not.
fn open(letter: Letter, peer: &Peer, us: model::NodeId) -> Result<Arrived, String> {
    if letter.version != VERSION {
        return Err(format!("its version is {}, known here is {VERSION}", letter.version));
    }
    if letter.from != peer.node {
        return Err("it is from another node than the one that brings it".into());
    }
    if letter.to != us {
        return Err("it is for another node".into());
    }
    if letter.stream.is_empty() || letter.stream.len() > MAX_STREAM_BYTES {
        return Err(format!("its stream has 1 to {MAX_STREAM_BYTES} bytes"));
    }
    if letter.seq < 1 {
        return Err("letters are numbered from 1".into());
    }
    let Some(digest) = letter.verified(&peer.signing_key) else {
        return Err("its signature is not the peer's".into());
    };
    let size = serde_json::to_string(&letter).map_or(usize::MAX, |text| text.len());
    if size > MAX_LETTER_BYTES {
        return Err(format!("it has {size} bytes, {MAX_LETTER_BYTES} is the limit"));
    }
    let parcel = (letter.kind == OBJECTS).then(|| take::open(&letter.body, us));
    Ok(Arrived { letter, digest, parcel })
}
