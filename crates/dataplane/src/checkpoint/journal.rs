//! What became of orders, on the disk: the same key is carried out once, whatever dies in between.

use std::path::{Path, PathBuf};

use model::Timestamp;
use ports::checkpoint::{CheckpointOrder, RecoveryReport, Reply};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CheckpointError;
use super::counter::write_whole;

/// Outcomes remembered; the oldest go.
const MAX_OUTCOMES: usize = 4_096;
/// Largest outcome read, bytes.
const MAX_OUTCOME_BYTES: u64 = 1 << 20;

/// One order and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) order: CheckpointOrder,
    pub(crate) asked_at: Timestamp,
    pub(crate) stage: Stage,
}

/// How far an order is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The service runs; it will be stopped then, and start again so long after.
    Waiting { stop_at: Timestamp, pause_us: i64 },
    /// The service stands; what it starts from lies ready.
    Stopped { run_at: Timestamp, report: Box<RecoveryReport> },
    /// Over.
    Over { reply: Reply },
}

impl Note {
    pub(crate) fn reply(&self) -> Reply {
        match &self.stage {
            // Neither sentence tells the moments that were drawn.
            Stage::Waiting { .. } => {
                Reply::Working { doing: "the service will be stopped at a random moment".into() }
            }
            Stage::Stopped { .. } => Reply::Working {
                doing: "the service is stopped and will run again after a random delay".into(),
            },
            Stage::Over { reply } => reply.clone(),
        }
    }
}

/// The folder of outcomes.
pub(crate) struct Journal(PathBuf);

impl Journal {
    pub(crate) fn new(store: &Path) -> Self {
        Self(store.join("outcomes"))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.0.join(format!("{}.json", hex::encode(Sha256::digest(key))))
    }

    fn read(path: &Path) -> Option<Note> {
        let size = std::fs::metadata(path).ok()?.len();
        let text = (size <= MAX_OUTCOME_BYTES).then(|| std::fs::read(path))?.ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn get(&self, key: &str) -> Option<Note> {
        Self::read(&self.path(key))
    }

    /// Writes down how far an order is; on the disk when this returns.
    pub(crate) fn put(&self, key: &str, note: &Note) -> Result<(), CheckpointError> {
        let path = self.path(key);
        if !path.exists() {
            self.make_room();
        }
        write_whole(&path, &serde_json::to_vec(note).unwrap_or_default())
    }

    /// Orders that were under way when the agent died.
    pub(crate) fn open(&self) -> Vec<Note> {
        let notes = self.files().into_iter().filter_map(|path| Self::read(&path));
        notes.filter(|note| !matches!(note.stage, Stage::Over { .. })).collect()
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let paths = folder.filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
    }

    fn make_room(&self) {
        let files = self.files();
        if files.len() < MAX_OUTCOMES {
            return;
        }
        let over = files.into_iter().filter(|path| {
            Self::read(path).is_none_or(|note| matches!(note.stage, Stage::Over { .. }))
        });
        let oldest =
            over.min_by_key(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok());
        if let Some(path) = oldest {
            let _ = std::fs::remove_file(path);
        }
    }
}
