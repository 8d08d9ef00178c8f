//! Training and scoring from capture files: the engine of `sereno detect train` and
//! `sereno detect score`. Nothing here needs a running node.
//!
//! A capture that is cut off or damaged is used up to the damage, and the summary names it; the
//! caller decides what exit code that is. A file that is no capture at all is an error.

pub mod benign;
pub mod eval;
mod input;
pub mod inventory;
mod jsonl;
pub mod keys;
mod laws;
mod machines;
mod operations;
mod row_files;
pub mod rows;
pub mod scenario;
mod score;
pub mod scored;
mod scoring;
mod sides;
mod singles;
pub mod store;
mod train;

use std::path::PathBuf;

use analytics::train::TrainError;
use analytics::windows::{WindowLengthError, WindowStats};
use protocols::capture::{CaptureError, CaptureStats};
use serde::Serialize;

pub use input::UNPACK_LIMITS;
pub use jsonl::{append_verdict, verdict_json};
pub use row_files::{
    RowScoreSummary, RowTrainSummary, RowTraining, is_of_rows, score_rows, train_rows,
};
pub use score::{
    DeviceAlerts, LawsScored, ScoreRequest, ScoreSummary, read_model, score, score_with,
};
pub use train::{DeviceTraining, LawTraining, TrainRequest, TrainSummary, train};

/// Why a training or a scoring could not be done.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not a capture.
    #[error("{path}: {source}")]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        source: CaptureError,
    },
    /// A model file was refused.
    #[error("{path}: {source}")]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: store::StoreError,
    },
    /// The captures hold too little, or an option is out of bounds.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Too little could be read because a capture breaks off.
    #[error("{source}; {path} breaks off: {cause}")]
    TrainBroken {
        /// The first capture that breaks off.
        path: PathBuf,
        /// How.
        cause: String,
        /// What is lacking.
        source: TrainError,
    },
    /// A file of labels is not what it should be.
    #[error("{path}: {source}")]
    Labels {
        /// The file.
        path: PathBuf,
        /// The line.
        source: eval::LabelError,
    },
    /// Rows could not be read.
    #[error(transparent)]
    Rows(#[from] rows::RowsError),
    /// A scenario folder cannot be used.
    #[error(transparent)]
    Scenario(#[from] scenario::ScenarioError),
    /// What was asked for does not exist or does not fit together; the text says what to do.
    #[error("{0}")]
    Unknown(String),
    /// The window length is out of bounds.
    #[error(transparent)]
    WindowLength(#[from] WindowLengthError),
}

/// What was read of one capture.
#[derive(Clone, Debug, Serialize)]
pub struct CaptureSummary {
    /// The file.
    pub path: PathBuf,
    /// Frames read.
    pub packets: u64,
    /// Frames whose link layer could not be read; they belong to no device.
    pub undecodable: u64,
    /// Frames damaged above the link layer; they count for their device as far as read.
    pub flawed: u64,
    /// pcapng blocks without frames that were passed over.
    pub skipped_blocks: u64,
    /// Frames without a time of their own, given that of the frame before.
    pub frames_without_time: u64,
    /// What the windows could not use.
    pub windows: WindowStats,
    /// Why reading stopped before the end; everything before was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A lesson that failed because a capture breaks off must name the capture.
fn lesson_failed(source: TrainError, captures: &[CaptureSummary]) -> OfflineError {
    let broken = captures.iter().find_map(|capture| Some((&capture.path, capture.error.clone()?)));
    match broken {
        None => OfflineError::Train(source),
        Some((path, cause)) => OfflineError::TrainBroken { path: path.clone(), cause, source },
    }
}

impl CaptureSummary {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            packets: 0,
            undecodable: 0,
            flawed: 0,
            skipped_blocks: 0,
            frames_without_time: 0,
            windows: WindowStats::default(),
            error: None,
        }
    }

    fn take_stats(&mut self, stats: CaptureStats) {
        self.packets = stats.frames;
        self.skipped_blocks = stats.skipped_blocks;
        self.frames_without_time = stats.frames_without_time;
    }
}

/// How far a long work is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OfflineProgress {
    /// Reading captures.
    Reading {
        /// Bytes of the files read so far (packed bytes of a gzip file).
        bytes: u64,
        /// Bytes of all files, where known.
        total_bytes: u64,
        /// Frames read so far.
        packets: u64,
    },
    /// Making models.
    Fitting {
        /// Models made.
        done: usize,
        /// Models to make.
        total: usize,
    },
}
