//! Opening a store: which manifests stand, and what is swept away.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::CheckpointError;
use super::super::manifest::{self, Manifest, Signed, VERSION, What};
use super::super::sign;
use super::{Held, MAX_CHECKPOINTS, MAX_MANIFEST_BYTES, Store};

/// Files looked at in the folder of manifests: twice what may stand there.
const MAX_FILES: usize = 2 * MAX_CHECKPOINTS;

/// A manifest with its digest, or why it is refused.
type Judged = Result<(Manifest, String), String>;

impl Store {
    /// Reads the manifests; afterwards `held` has those that stand, and `rollback` says what is wrong with the whole.
    pub(super) fn load(&mut self, base: u64) -> Result<(), CheckpointError> {
        let mut read: Vec<(u64, Judged)> = Vec::new();
        for counter in self.numbers()? {
            let path = self.manifest_path(counter);
            if counter > self.value {
                // Written, but the counter never moved: its process died in between.
                std::fs::remove_file(&path).map_err(CheckpointError::io(&path))?;
                tracing::warn!(counter, "an unfinished checkpoint was removed");
                continue;
            }
            read.push((counter, self.read_manifest(&path, counter)));
        }
        let newest = read.iter().rev().find_map(|(_, outcome)| outcome.as_ref().ok()).cloned();
        let newest_counter = newest.as_ref().map_or(base, |(manifest, _)| manifest.counter);
        if newest_counter != self.value {
            let text = format!(
                "the counter stands at {}, the newest checkpoint here is {newest_counter}: checkpoints are missing, were \
                 changed, or an older store was put back",
                self.value
            );
            if self.settings.accept_rollback {
                tracing::warn!("{text}; accepted");
                self.gap = Some(text);
            } else {
                self.rollback = Some(text);
            }
        }
        let Some((newest, digest)) = newest else {
            self.refused
                .extend(read.into_iter().filter_map(|(at, outcome)| Some((at, outcome.err()?))));
            return Ok(());
        };
        for (counter, outcome) in read {
            let judged = outcome.and_then(|(manifest, own)| {
                if counter == newest.counter {
                    return Ok(Held { manifest, digest: digest.clone(), suspect: false });
                }
                match newest.kept.get(&counter) {
                    Some(kept) if kept.digest == own => {
                        Ok(Held { manifest, digest: own, suspect: kept.suspect })
                    }
                    Some(_) => Err("it is not the one that the newest checkpoint names".to_owned()),
                    None => {
                        Err("it was given up: the newest checkpoint does not name it".to_owned())
                    }
                }
            });
            match judged {
                Ok(held) => drop(self.held.insert(counter, held)),
                Err(reason) => self.refused.push((counter, reason)),
            }
        }
        for counter in newest.kept.keys().filter(|at| !self.held.contains_key(at)) {
            if !self.refused.iter().any(|(refused, _)| refused == counter) {
                self.refused.push((*counter, "its manifest is missing".to_owned()));
            }
        }
        for (counter, reason) in &self.refused {
            tracing::warn!(counter, reason, "a checkpoint is refused");
        }
        Ok(())
    }

    /// The counters of all manifests on the disk, ascending.
    fn numbers(&self) -> Result<Vec<u64>, CheckpointError> {
        let folder = self.settings.folder.join("manifests");
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(CheckpointError::io(&folder))? {
            let path = entry.map_err(CheckpointError::io(&folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let json = path.extension().is_some_and(|extension| extension == "json");
            match stem.filter(|stem| json && stem.len() == 20).and_then(|stem| stem.parse().ok()) {
                Some(number) => numbers.push(number),
                // A half-written one.
                None => std::fs::remove_file(&path).map_err(CheckpointError::io(&path))?,
            }
            if numbers.len() > MAX_FILES {
                return Err(CheckpointError::Limit(format!(
                    "{} holds more than {MAX_FILES} manifests: it is not what this program wrote",
                    folder.display()
                )));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A manifest and its digest, if it is signed by us and says what its place says.
    fn read_manifest(&self, path: &Path, counter: u64) -> Judged {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|cause| format!("its manifest cannot be read: {cause}"))?;
        if bytes.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(format!("its manifest exceeds {MAX_MANIFEST_BYTES} bytes"));
        }
        let fits = |signed: &Signed| sign::verify(&self.key, &signed.text, &signed.signature);
        let (manifest, text) = manifest::read(&bytes, fits)?;
        if manifest.version != VERSION || manifest.store != self.id {
            return Err("it belongs to another store or another version".to_owned());
        }
        if manifest.counter != counter {
            return Err(format!("it is checkpoint {}, put in another's place", manifest.counter));
        }
        Ok((manifest, hex::encode(Sha256::digest(&text))))
    }

    /// Reads everything of a checkpoint; what is restored later is what was taken.
    ///
    /// # Errors
    /// Something is missing or changed, or the store is rolled back.
    pub fn verify(&self, counter: u64) -> Result<(), CheckpointError> {
        for entry in self.tree(counter)? {
            if let What::File { size, chunks } = entry.what {
                let mut read = 0;
                for digest in &chunks {
                    read += self.chunk(counter, digest)?.len() as u64;
                }
                if read != size {
                    let reason = format!("{}: {read} bytes, not {size}", entry.path);
                    return Err(CheckpointError::Refused { counter, reason });
                }
            }
        }
        Ok(())
    }

    /// Removes chunks that no checkpoint needs, and learns of those that are there. Chunks of a write that died may not
    /// have reached the disk whole, so none of them is built upon.
    pub(super) fn sweep(&mut self) -> Result<(), CheckpointError> {
        let mut needed: HashSet<String> = HashSet::new();
        // With a rollback nothing is removed: a person may put the right manifests back.
        let keep_all = self.rollback.is_some();
        for (counter, held) in &self.held {
            needed.extend(held.manifest.tree.iter().cloned());
            // One that is damaged is told when it is asked for; its chunks may serve others.
            let Ok(entries) = (if keep_all { Ok(Vec::new()) } else { self.tree(*counter) }) else {
                continue;
            };
            for entry in entries {
                if let What::File { chunks, .. } = entry.what {
                    needed.extend(chunks);
                }
            }
        }
        self.chunks.clear();
        self.stored = 0;
        let root = self.settings.folder.join("chunks");
        for folder in std::fs::read_dir(&root).map_err(CheckpointError::io(&root))? {
            let folder = folder.map_err(CheckpointError::io(&root))?.path();
            for file in std::fs::read_dir(&folder).map_err(CheckpointError::io(&folder))? {
                let file = file.map_err(CheckpointError::io(&folder))?;
                let name = file.file_name().to_string_lossy().into_owned();
                let size = file.metadata().map_err(CheckpointError::io(&file.path()))?.len();
                if keep_all || needed.contains(&name) {
                    self.stored += size;
                    self.chunks.insert(name, size);
                } else {
                    let path = file.path();
                    std::fs::remove_file(&path).map_err(CheckpointError::io(&path))?;
                }
            }
        }
        Ok(())
    }
}
