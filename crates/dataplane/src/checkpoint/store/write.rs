//! Writing a checkpoint: chunks, manifest, counter, in this order.

use std::io::{Read, Write};
use std::path::Path;

use model::Timestamp;
use sha2::{Digest, Sha256};

use super::super::CheckpointError;
use super::super::chunk::{self, MAX_CHUNK_BYTES};
use super::super::counter::write_whole;
use super::super::manifest::{Entry, Kept, Manifest, Signed, VERSION};
use super::super::{retain, sign};
use super::{Held, MAX_CHECKPOINTS, MAX_ENTRIES, MAX_MANIFEST_BYTES, Store, chunk_path};

/// Strength of compression: the fastest; the service may stand still meanwhile.
const STRENGTH: flate2::Compression = flate2::Compression::fast();

/// A checkpoint to be.
#[derive(Debug)]
pub struct Draft {
    /// The service.
    pub service: String,
    /// The back-end.
    pub backend: &'static str,
    /// The state of an interrupted service.
    pub evidence: bool,
    /// When the state was frozen.
    pub taken_at: Timestamp,
    /// How long the service stood still, microseconds.
    pub frozen_us: u64,
    /// The state.
    pub entries: Vec<Entry>,
    /// Counters of checkpoints that are suspect from now on.
    pub suspects: Vec<u64>,
    /// Bytes that chunks of this state added.
    pub new_bytes: u64,
}

/// Puts the bytes of a state into the store.
pub struct Writer<'s> {
    store: &'s mut Store,
    new_bytes: u64,
}

impl Store {
    /// Begins to write a state.
    pub fn writer(&mut self) -> Writer<'_> {
        Writer { store: self, new_bytes: 0 }
    }

    /// Makes a draft a checkpoint: when this returns it is on the disk, and the counter has moved.
    ///
    /// # Errors
    /// A bound is met, the store is rolled back, the file system refuses or the counter does not answer. Whatever was
    /// there before is there still.
    pub fn commit(&mut self, draft: Draft) -> Result<Manifest, CheckpointError> {
        if let Some(rollback) = &self.rollback {
            return Err(CheckpointError::Rollback(rollback.clone()));
        }
        if draft.entries.len() > MAX_ENTRIES {
            return Err(CheckpointError::Limit(format!(
                "the state of {} has {} entries, more than {MAX_ENTRIES}: protect a smaller folder",
                draft.service,
                draft.entries.len()
            )));
        }
        let text = serde_json::to_vec(&draft.entries).unwrap_or_default();
        let mut writer = self.writer();
        let tree = writer.stream(text.as_slice())?.0;
        let added = writer.new_bytes;
        let bytes = draft.entries.iter().map(Entry::bytes).sum();
        for counter in &draft.suspects {
            if let Some(held) = self.held.get_mut(counter) {
                held.suspect = true;
            }
        }
        let (kept, dropped) = self.kept(&draft);
        let counter = self.value + 1;
        let manifest = Manifest {
            version: VERSION,
            store: self.id.clone(),
            counter,
            service: draft.service,
            backend: draft.backend.to_owned(),
            evidence: draft.evidence,
            taken_at: draft.taken_at,
            frozen_us: draft.frozen_us,
            bytes,
            new_bytes: draft.new_bytes + added,
            tree,
            kept,
            gap: self.gap.clone(),
        };
        let digest = self.write_manifest(&manifest)?;
        self.value = self.counter.increment()?;
        if self.value != counter {
            return Err(CheckpointError::Counter(format!(
                "it jumped to {} where {counter} was expected: something else counts with it",
                self.value
            )));
        }
        self.gap = None;
        self.held.insert(counter, Held { manifest: manifest.clone(), digest, suspect: false });
        self.forget(&dropped)?;
        Ok(manifest)
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<String, CheckpointError> {
        let text = serde_json::to_string(manifest).unwrap_or_default();
        let signed = Signed { signature: sign::sign(&self.key, &text), text };
        let digest = hex::encode(Sha256::digest(&signed.text));
        let body = serde_json::to_vec(&signed).unwrap_or_default();
        if body.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(CheckpointError::Limit(format!(
                "the manifest would exceed {MAX_MANIFEST_BYTES} bytes: keep fewer checkpoints (agent.keep)"
            )));
        }
        // The chunks first: a manifest never names what a power cut could still take away.
        sync(&self.settings.folder)?;
        write_whole(&self.manifest_path(manifest.counter), &body)?;
        Ok(digest)
    }

    /// What the next manifest names as kept, and what it gives up.
    fn kept(&self, draft: &Draft) -> (std::collections::BTreeMap<u64, Kept>, Vec<u64>) {
        let own: Vec<(u64, Timestamp)> = self
            .held
            .iter()
            .filter(|(_, held)| held.manifest.service == draft.service)
            .map(|(counter, held)| (*counter, held.manifest.taken_at))
            .collect();
        let times: Vec<Timestamp> = own.iter().map(|(_, at)| *at).collect();
        let gone = retain::surplus(&times, self.settings.keep, draft.taken_at);
        let mut dropped: Vec<u64> = gone.into_iter().map(|at| own[at].0).collect();
        // Services that are no longer declared must not fill the store for good.
        let left = self.held.keys().filter(|at| !dropped.contains(at)).count();
        let surplus = (left + 1).saturating_sub(MAX_CHECKPOINTS);
        let oldest: Vec<u64> =
            self.held.keys().filter(|at| !dropped.contains(at)).take(surplus).copied().collect();
        dropped.extend(oldest);
        let kept = self.held.iter().filter(|(counter, _)| !dropped.contains(counter));
        let kept = kept
            .map(|(at, held)| (*at, Kept { digest: held.digest.clone(), suspect: held.suspect }))
            .collect();
        (kept, dropped)
    }

    fn forget(&mut self, counters: &[u64]) -> Result<(), CheckpointError> {
        if counters.is_empty() {
            return Ok(());
        }
        for counter in counters {
            self.held.remove(counter);
            let path = self.manifest_path(*counter);
            std::fs::remove_file(&path).map_err(CheckpointError::io(&path))?;
        }
        self.sweep()
    }
}

impl Writer<'_> {
    /// Cuts what `reader` gives into chunks and keeps those that are new: their digests and the bytes read.
    ///
    /// # Errors
    /// Reading or writing failed, or the store is full.
    pub fn stream(&mut self, reader: impl Read) -> Result<(Vec<String>, u64), CheckpointError> {
        let (mut digests, mut size) = (Vec::new(), 0);
        let folder = self.store.settings.folder.clone();
        chunk::each::<StreamError>(reader, |bytes| {
            size += bytes.len() as u64;
            digests.push(self.keep(bytes)?);
            Ok(())
        })
        .map_err(|error| match error {
            StreamError::Read(cause) => CheckpointError::Io { place: folder, cause },
            StreamError::Keep(error) => error,
        })?;
        Ok((digests, size))
    }

    /// Is this chunk in the store?
    pub fn knows(&self, digest: &str) -> bool {
        self.store.chunks.contains_key(digest)
    }

    /// Bytes added to the store so far.
    pub fn new_bytes(&self) -> u64 {
        self.new_bytes
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<String, CheckpointError> {
        let digest = hex::encode(Sha256::digest(bytes));
        if self.knows(&digest) {
            return Ok(digest);
        }
        let mut packed = flate2::write::ZlibEncoder::new(vec![chunk::PACKED], STRENGTH);
        let packed = packed.write_all(bytes).and_then(|()| packed.finish());
        let body = match packed {
            Ok(packed) if packed.len() <= bytes.len() && packed.len() <= MAX_CHUNK_BYTES => packed,
            _ => [&[chunk::PLAIN], bytes].concat(),
        };
        let size = body.len() as u64;
        let limit = self.store.settings.max_bytes;
        if self.store.stored + size > limit {
            return Err(CheckpointError::Limit(format!(
                "the store would exceed {limit} bytes (agent.max_bytes): raise it, or keep fewer checkpoints (agent.keep)"
            )));
        }
        let path = chunk_path(&self.store.settings.folder, &digest).unwrap_or_default();
        put(&path, &body).map_err(CheckpointError::io(&path))?;
        self.store.stored += size;
        self.store.chunks.insert(digest.clone(), size);
        self.new_bytes += size;
        Ok(digest)
    }
}

/// A chunk appears whole; that it reaches the disk is waited for once, before the manifest.
fn put(path: &Path, body: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, body)?;
    std::fs::rename(&fresh, path)
}

/// Everything written to the folder's file system is on the disk.
pub(crate) fn sync(folder: &Path) -> Result<(), CheckpointError> {
    let file = std::fs::File::open(folder).map_err(CheckpointError::io(folder))?;
    nix::unistd::syncfs(&file)
        .map_err(|cause| CheckpointError::io(folder)(std::io::Error::from(cause)))
}

enum StreamError {
    Read(std::io::Error),
    Keep(CheckpointError),
}

impl From<std::io::Error> for StreamError {
    fn from(error: std::io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<CheckpointError> for StreamError {
    fn from(error: CheckpointError) -> Self {
        Self::Keep(error)
    }
}
