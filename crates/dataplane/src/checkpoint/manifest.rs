//! What one checkpoint says of itself, and the entries of its state.

use std::collections::BTreeMap;

use model::Timestamp;
use ports::checkpoint::CheckpointInfo;
use serde::{Deserialize, Serialize};

/// Version of the manifest's form.
pub(crate) const VERSION: u16 = 1;

/// A checkpoint without its bytes; signed as the text it is stored as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form.
    pub version: u16,
    /// Which store it belongs to.
    pub store: String,
    /// Value of the monotonic counter.
    pub counter: u64,
    /// The service.
    pub service: String,
    /// The back-end that took it.
    pub backend: String,
    /// The state of an interrupted service, kept as evidence and never restored.
    pub evidence: bool,
    /// When the state was frozen.
    pub taken_at: Timestamp,
    /// How long the service stood still, microseconds.
    pub frozen_us: u64,
    /// Bytes of the state.
    pub bytes: u64,
    /// Bytes it added to the store.
    pub new_bytes: u64,
    /// The list of entries (JSON), as chunks.
    pub tree: Vec<String>,
    /// Every older checkpoint that is kept: what is not named here, or is not this, is refused.
    pub kept: BTreeMap<u64, Kept>,
    /// Why the counter jumped over lost checkpoints, where a person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
}

/// An older checkpoint, as the newest one knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// SHA-256 of its manifest's text, hex.
    pub digest: String,
    /// Younger than an infection that was found later.
    pub suspect: bool,
}

/// The file of a manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    /// The manifest's text.
    pub(crate) text: String,
    /// Ed25519 over it, hex.
    pub(crate) signature: String,
}

/// A manifest and its text, if the signature fits.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn read(
    bytes: &[u8],
    fits: impl FnOnce(&Signed) -> bool,
) -> Result<(Manifest, String), String> {
    let signed: Signed = serde_json::from_slice(bytes)
        .map_err(|cause| format!("its manifest is cut off or damaged: {cause}"))?;
    if !fits(&signed) {
        return Err("its signature does not fit".to_owned());
    }
    let manifest = serde_json::from_str(&signed.text)
        .map_err(|cause| format!("its manifest is of another form: {cause}"))?;
    Ok((manifest, signed.text))
}

/// One thing of a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where, below the state's root; bytes that are not plain UTF-8 text, and `%`, as `%xx`. Empty for the root itself.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change of the content, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A folder; opaque ones hide what lies below them in an overlay.
    Folder {
        /// Is it opaque?
        #[serde(default)]
        opaque: bool,
    },
    /// A file.
    File {
        /// Its size, bytes.
        size: u64,
        /// Digests of its chunks, in order.
        chunks: Vec<String>,
    },
    /// A symbolic link.
    Link {
        /// Where it points, written as a path is.
        target: String,
    },
    /// "Deleted here", in the upper layer of an overlay.
    Whiteout,
}

impl Manifest {
    /// How it is told outside.
    pub fn info(&self, suspect: bool) -> CheckpointInfo {
        CheckpointInfo {
            counter: self.counter,
            service: self.service.clone(),
            taken_at: self.taken_at,
            bytes: self.bytes,
            new_bytes: self.new_bytes,
            frozen_s: self.frozen_us as f64 / 1e6,
            evidence: self.evidence,
            suspect,
        }
    }
}

impl Entry {
    /// Bytes of content.
    pub fn bytes(&self) -> u64 {
        match self.what {
            What::File { size, .. } => size,
            _ => 0,
        }
    }
}
