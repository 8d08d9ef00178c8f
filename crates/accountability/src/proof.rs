//! Proofs for one entry and between two heads, made from the stored tree and checked without it.

use model::Timestamp;
use platform::db::Hidden;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::AnyConnection;
use utoipa::ToSchema;

use crate::entry::{hash_from_hex, leaf_of};
use crate::error::LedgerError;
use crate::head::TreeHead;
use crate::merkle::{self, Hash, Range};
use crate::{Accountability, store};

/// Hashes in a path at most: a tree of 2^63 entries needs no more.
pub const MAX_PATH_HASHES: usize = 64;

/// What an entry says, with the salt that lets anybody recompute its leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevealedEntry {
    /// The committed JSON text, byte for byte.
    pub body: String,
    /// The salt, hex: leaf = SHA-256(0x00 || SHA-256(salt || body)).
    pub salt: String,
}

/// That one entry stands in the log under a signed head (RFC 9162 §2.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryProof {
    /// The entry's position.
    pub index: u64,
    /// Size of the tree the path leads through.
    pub size: u64,
    /// The entry's leaf, hex.
    pub leaf_hash: String,
    /// Sibling hashes from the leaf up, hex.
    pub path: Vec<String>,
    /// The root they lead to, hex.
    pub root: String,
    /// The signed head for this root.
    pub head: TreeHead,
    /// What the entry says; absent when it was erased or is not for the reader.
    pub entry: Option<RevealedEntry>,
}

/// That an earlier tree is the beginning of a later one (RFC 9162 §2.1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyProof {
    /// Size of the earlier tree.
    pub first: u64,
    /// Size of the later tree.
    pub second: u64,
    /// The hashes, hex.
    pub path: Vec<String>,
    /// The earlier signed head.
    pub first_head: TreeHead,
    /// The later signed head.
    pub second_head: TreeHead,
}

impl Accountability {
    /// The proof that entry `index` stands in the tree of `size` entries (the newest when absent).
    ///
    /// # Errors
    /// No such entry or size, or the tree's rows are not all there.
    pub async fn prove(&self, index: u64, size: Option<u64>) -> Result<EntryProof, LedgerError> {
        self.prove_without(index, size, &Hidden::default()).await
    }

    /// The same for a reader to whom some entries are hidden: what they say is left out.
    ///
    /// # Errors
    /// No such entry or size, or the tree's rows are not all there.
    pub(crate) async fn prove_without(
        &self,
        index: u64,
        size: Option<u64>,
        hidden: &Hidden,
    ) -> Result<EntryProof, LedgerError> {
        let mut sql = self.platform.db.read().await?;
        let head = self.head_of(&mut sql, size).await?;
        let plan = merkle::inclusion_plan(index, head.size).ok_or(LedgerError::NotFound(index))?;
        let entry = store::entry(&mut sql, index).await?.ok_or(LedgerError::NotFound(index))?;
        let path = path(&mut sql, &plan).await?;
        let body = entry.body.filter(|_| !hidden.hides(&entry.kind, entry.tlp));
        let revealed = body.zip(entry.salt).map(|(body, salt)| RevealedEntry { body, salt });
        Ok(EntryProof {
            index,
            size: head.size,
            leaf_hash: entry.leaf_hash,
            path,
            root: head.root.clone(),
            head,
            entry: revealed,
        })
    }

    /// The proof that the tree of `first` entries is the beginning of the tree of `second`.
    ///
    /// # Errors
    /// No such sizes, or the tree's rows are not all there.
    pub async fn prove_consistency(
        &self,
        first: u64,
        second: Option<u64>,
    ) -> Result<ConsistencyProof, LedgerError> {
        let mut sql = self.platform.db.read().await?;
        let second_head = self.head_of(&mut sql, second).await?;
        let plan = merkle::consistency_plan(first, second_head.size).ok_or_else(|| {
            let second = second_head.size;
            LedgerError::Invalid(format!(
                "first must be 1 to {second}, the second size, not {first}"
            ))
        })?;
        let first_head = self.head_of(&mut sql, Some(first)).await?;
        let path = path(&mut sql, &plan).await?;
        Ok(ConsistencyProof { first, second: second_head.size, path, first_head, second_head })
    }

    async fn head_of(
        &self,
        sql: &mut AnyConnection,
        size: Option<u64>,
    ) -> Result<TreeHead, LedgerError> {
        let found = store::head(sql, size, &self.key()).await?;
        found.ok_or_else(|| {
            LedgerError::Invalid(match size {
                Some(size) => format!("no head was signed for a log of {size} entries"),
                None => "the log has no entry yet".into(),
            })
        })
    }
}

async fn path(sql: &mut AnyConnection, plan: &[Range]) -> Result<Vec<String>, LedgerError> {
    let nodes: Vec<_> = plan.iter().map(|range| range.nodes()).collect();
    let mut hashes = store::hashes(sql, &nodes.concat()).await?.into_iter();
    let folded = nodes.iter().map(|range| {
        let own: Vec<Hash> = hashes.by_ref().take(range.len()).collect();
        hex::encode(merkle::fold(&own))
    });
    Ok(folded.collect())
}

/// Why a proof file cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Not the shape of an [`EntryProof`].
    #[error("not a proof as `sereno ledger proof` prints it: {0}")]
    Shape(#[from] serde_json::Error),
    /// More hashes than any tree needs.
    #[error("a path of {0} hashes; the limit is {MAX_PATH_HASHES}")]
    TooLong(usize),
    /// The key is not 32 bytes in hex.
    #[error("the key is not 32 bytes in hex")]
    Key,
}

/// What became of checking a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Does it hold?
    pub verified: bool,
    /// What it shows, or the first thing that is wrong, in one sentence.
    pub sentence: String,
}

/// Checks one entry's proof with nothing but the proof and, if given, the node's public key (hex).
/// Without it the key in the proof is used, and the sentence says so.
///
/// # Errors
/// The text is no proof at all; a proof that does not hold is not an error but the answer.
pub fn verify_proof(proof: &Value, key: Option<&str>) -> Result<Checked, ProofError> {
    let proof = EntryProof::deserialize(proof)?;
    if proof.path.len() > MAX_PATH_HASHES {
        return Err(ProofError::TooLong(proof.path.len()));
    }
    let trusted = hash_from_hex(key.unwrap_or(&proof.head.key).trim()).ok_or(ProofError::Key)?;
    let failed = |sentence: &str| Checked { verified: false, sentence: sentence.into() };
    if !proof.head.is_signed_by(&trusted) {
        return Ok(failed("The tree head is not signed by this key."));
    }
    if proof.head.size != proof.size || proof.head.root != proof.root {
        return Ok(failed("The signed tree head is not the one the path leads to."));
    }
    let path: Option<Vec<Hash>> = proof.path.iter().map(|hash| hash_from_hex(hash)).collect();
    let leaf = hash_from_hex(&proof.leaf_hash);
    let (Some(path), Some(leaf)) = (path, leaf) else {
        return Ok(failed("A hash of the proof is not 32 bytes in hex."));
    };
    let root = merkle::root_of_inclusion(proof.index, proof.size, &leaf, &path);
    if root.map(hex::encode).as_deref() != Some(proof.root.as_str()) {
        return Ok(failed("The path does not lead from the entry to the signed root."));
    }
    let said = match &proof.entry {
        None => "what it said was erased".to_owned(),
        Some(entry) => {
            let salt = hex::decode(&entry.salt).unwrap_or_default();
            if leaf_of(&salt, &entry.body) != leaf {
                return Ok(failed("The entry's text is not the one its leaf commits to."));
            }
            said(&entry.body)
        }
    };
    let whose = if key.is_some() { "the given key" } else { "the key named in the proof" };
    let sentence = format!(
        "Entry {} stands in the log {} of {} entries, signed by {whose} at {}: {said}",
        proof.index, proof.head.origin, proof.size, proof.head.signed_at
    );
    Ok(Checked { verified: true, sentence })
}

fn said(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let at = text("recorded_at").parse::<Timestamp>().unwrap_or_default();
    format!("“{}”, by {}, {at}", text("sentence"), text("actor"))
}
