//! The folder that keeps checkpoints: chunks by digest, compressed; manifests, signed.
//!
//! ```text
//! store.json   key (0600)   counter   chunks/ab/abcdef…   manifests/00000000000000000007.json   outcomes/
//! ```
//! The order of writing is the promise: chunks, manifest with the counter's *next* value, then the counter. A manifest
//! beyond the counter is unfinished and goes at the next start; one that the counter has passed was whole.

mod check;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ports::Random;
use ports::checkpoint::CheckpointInfo;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CheckpointError;
use super::chunk::{self, MAX_CHUNK_BYTES};
use super::counter::{MonotonicCounter, write_whole};
use super::manifest::{Entry, Manifest};

pub(crate) use write::sync;
pub use write::{Draft, Writer};

/// Most checkpoints of a store.
pub(crate) const MAX_CHECKPOINTS: usize = 1_024;
/// Most entries of one state.
pub(crate) const MAX_ENTRIES: usize = 500_000;
/// Largest manifest file, bytes.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// Largest list of entries, bytes.
const MAX_TREE_BYTES: usize = 256 << 20;

/// Where a store is and what bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The folder.
    pub folder: PathBuf,
    /// Most bytes of its chunks.
    pub max_bytes: u64,
    /// Checkpoints kept of each service.
    pub keep: usize,
    /// A person says that the store is what they want although the counter is beyond it.
    pub accept_rollback: bool,
}

/// Who a store is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    id: String,
    /// The counter's value when the store was made.
    base: u64,
    signature: String,
}

/// A manifest that stands.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) manifest: Manifest,
    pub(crate) digest: String,
    pub(crate) suspect: bool,
}

/// An opened store.
pub struct Store {
    settings: StoreSettings,
    id: String,
    key: SigningKey,
    counter: Box<dyn MonotonicCounter>,
    value: u64,
    held: BTreeMap<u64, Held>,
    /// What is wrong with the store as a whole.
    rollback: Option<String>,
    /// Said by a person, for the next manifest.
    gap: Option<String>,
    /// Manifests that were refused when the store was opened.
    refused: Vec<(u64, String)>,
    /// Chunks on the disk with their bytes there.
    chunks: HashMap<String, u64>,
    stored: u64,
}

impl Store {
    /// Opens the store, makes it where there is none, and sweeps away what a dead process left unfinished.
    ///
    /// # Errors
    /// The file system refuses, the counter does not answer, or the store is another one's.
    pub fn open(
        settings: StoreSettings,
        key: SigningKey,
        mut counter: Box<dyn MonotonicCounter>,
        random: &dyn Random,
    ) -> Result<Self, CheckpointError> {
        for folder in ["chunks", "manifests", "outcomes"] {
            let folder = settings.folder.join(folder);
            std::fs::create_dir_all(&folder).map_err(CheckpointError::io(&folder))?;
        }
        let value = counter.read()?;
        let (id, base) = identity(&settings.folder, &key, value, random)?;
        let mut store = Self {
            settings,
            id,
            key,
            counter,
            value,
            held: BTreeMap::new(),
            rollback: None,
            gap: None,
            refused: Vec::new(),
            chunks: HashMap::new(),
            stored: 0,
        };
        store.load(base)?;
        store.sweep()?;
        Ok(store)
    }

    /// `None` when the store is what the counter says.
    pub fn rollback(&self) -> Option<&str> {
        self.rollback.as_deref()
    }

    /// What the counter is, in words.
    pub fn counter_words(&self) -> String {
        self.counter.describe()
    }

    /// Public half of the key, hex.
    pub fn signer(&self) -> String {
        hex::encode(self.key.verifying_key().to_bytes())
    }

    /// Bytes of the chunks on the disk.
    pub fn stored_bytes(&self) -> u64 {
        self.stored
    }

    /// Manifests that were refused when the store was opened, with the reasons.
    pub fn refused(&self) -> &[(u64, String)] {
        &self.refused
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Checkpoints of a service, the oldest first.
    pub fn of(&self, service: &str) -> Vec<CheckpointInfo> {
        let own = self.held.values().filter(|held| held.manifest.service == service);
        own.map(|held| held.manifest.info(held.suspect)).collect()
    }

    /// Counters of all checkpoints that stand.
    pub fn counters(&self) -> Vec<u64> {
        self.held.keys().copied().collect()
    }

    fn manifest(&self, counter: u64) -> Result<&Manifest, CheckpointError> {
        if let Some(rollback) = &self.rollback {
            return Err(CheckpointError::Rollback(rollback.clone()));
        }
        match self.held.get(&counter) {
            Some(held) => Ok(&held.manifest),
            None => {
                let told = self.refused.iter().find(|(refused, _)| *refused == counter);
                let reason = told.map_or("it is not in this store", |(_, reason)| reason.as_str());
                Err(CheckpointError::Refused { counter, reason: reason.to_owned() })
            }
        }
    }

    /// The entries of a checkpoint.
    ///
    /// # Errors
    /// The store is rolled back, or something of the checkpoint is missing or changed.
    pub fn tree(&self, counter: u64) -> Result<Vec<Entry>, CheckpointError> {
        let manifest = self.manifest(counter)?;
        let mut text = Vec::new();
        for digest in &manifest.tree {
            text.extend_from_slice(&self.chunk(counter, digest)?);
            if text.len() > MAX_TREE_BYTES {
                let reason = format!("its list of entries exceeds {MAX_TREE_BYTES} bytes");
                return Err(CheckpointError::Refused { counter, reason });
            }
        }
        serde_json::from_slice(&text).map_err(|cause| CheckpointError::Refused {
            counter,
            reason: format!("its list of entries cannot be read: {cause}"),
        })
    }

    /// The bytes of a chunk of a checkpoint, as they were taken.
    ///
    /// # Errors
    /// It is missing or changed.
    pub fn chunk(&self, counter: u64, digest: &str) -> Result<Vec<u8>, CheckpointError> {
        let refused = |reason: String| CheckpointError::Refused { counter, reason };
        let path = chunk_path(&self.settings.folder, digest)
            .ok_or_else(|| refused("a digest in it is not one".to_owned()))?;
        let file = std::fs::File::open(&path)
            .map_err(|cause| refused(format!("chunk {digest} cannot be read: {cause}")))?;
        let mut raw = Vec::new();
        file.take(MAX_CHUNK_BYTES as u64 + 2)
            .read_to_end(&mut raw)
            .map_err(|cause| refused(format!("chunk {digest} cannot be read: {cause}")))?;
        let bytes = chunk::unpacked(&raw)
            .map_err(|cause| refused(format!("chunk {digest} is damaged: {cause}")))?;
        if hex::encode(Sha256::digest(&bytes)) != digest {
            return Err(refused(format!("chunk {digest} is not what was taken")));
        }
        Ok(bytes)
    }

    /// Bytes of a chunk before it was packed; zero when it is not there.
    pub(crate) fn plain_size(&self, digest: &str) -> u64 {
        self.chunk(0, digest).map_or(0, |bytes| bytes.len() as u64)
    }

    fn manifest_path(&self, counter: u64) -> PathBuf {
        self.settings.folder.join("manifests").join(format!("{counter:020}.json"))
    }
}

/// Where a chunk lies; `None` when the digest is not 64 hexadecimal digits.
fn chunk_path(folder: &Path, digest: &str) -> Option<PathBuf> {
    let fits =
        digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    fits.then(|| folder.join("chunks").join(&digest[..2]).join(digest))
}

/// Id and base of the store; made and signed where there is none.
fn identity(
    folder: &Path,
    key: &SigningKey,
    value: u64,
    random: &dyn Random,
) -> Result<(String, u64), CheckpointError> {
    let path = folder.join("store.json");
    let text = |id: &str, base: u64| format!("store {id} from {base}");
    match std::fs::read(&path) {
        Ok(bytes) => {
            let known: Identity = serde_json::from_slice(&bytes).map_err(|cause| {
                CheckpointError::Settings(format!(
                    "{}: {cause}: this is not a store of checkpoints",
                    path.display()
                ))
            })?;
            if !super::sign::verify(key, &text(&known.id, known.base), &known.signature) {
                return Err(CheckpointError::Settings(format!(
                    "{} was not signed by this key: it is another agent's store, or was changed",
                    path.display()
                )));
            }
            Ok((known.id, known.base))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            let id = hex::encode(bytes);
            let signature = super::sign::sign(key, &text(&id, value));
            let fresh = Identity { id: id.clone(), base: value, signature };
            let body = serde_json::to_vec(&fresh).unwrap_or_default();
            write_whole(&path, &body)?;
            Ok((id, value))
        }
        Err(error) => Err(CheckpointError::io(&path)(error)),
    }
}

#[cfg(test)]
mod tests;
