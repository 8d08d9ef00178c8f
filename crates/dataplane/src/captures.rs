//! The recorded captures a replay is made of.

use std::fs::File;
use std::path::{Path, PathBuf};

use model::Timestamp;
use protocols::capture::{CaptureStream, UnpackLimits, Unpacked};
use protocols::packet::LinkType;

use crate::EdgeError;

/// A capture being read; at most about 1 MiB of it is held, and twice the window of a packed one.
pub type Stream = CaptureStream<Unpacked<File>>;

/// Bounds of packed captures on a small machine: windows as `zstd -19` makes them at most, which is
/// what RFC 8878 (section 3.1.1.1.2) asks every decoder to support.
pub const UNPACK_LIMITS: UnpackLimits =
    UnpackLimits { window_bytes: 8 << 20, unpacked_bytes: 1 << 36 };

/// What the captures hold together.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Packet time of the first packet.
    pub start: Timestamp,
    /// Packet time of the last packet.
    pub end: Timestamp,
    /// Packets.
    pub total: u64,
    /// Packets that are not Ethernet frames and cannot be sent through a gateway.
    pub not_ethernet: u64,
    /// Files that end early or are damaged, each with the reason; the packets before are used.
    pub damaged: Vec<String>,
}

/// Opens a capture, unpacking gzip and Zstandard on the way, whatever its name.
///
/// # Errors
/// The file cannot be opened.
pub fn open(path: &Path) -> Result<Stream, EdgeError> {
    let source = File::open(path).and_then(|file| Unpacked::new(file, UNPACK_LIMITS));
    let source =
        source.map_err(|source| EdgeError::OpenCapture { path: path.to_owned(), source })?;
    Ok(CaptureStream::new(source))
}

/// Reads all captures once to know their span.
///
/// # Errors
/// A file cannot be opened, or there is no packet in any.
pub fn summarise(paths: &[PathBuf]) -> Result<Summary, EdgeError> {
    let mut found: Option<Summary> = None;
    let mut damaged = Vec::new();
    for path in paths {
        let mut stream = open(path)?;
        while let Some(frame) = stream.next_frame() {
            match frame {
                Ok(frame) => {
                    let at = Timestamp::from_nanos(frame.ts_ns);
                    let summary = found.get_or_insert(Summary {
                        start: at,
                        end: at,
                        total: 0,
                        not_ethernet: 0,
                        damaged: Vec::new(),
                    });
                    summary.start = summary.start.min(at);
                    summary.end = summary.end.max(at);
                    summary.total += 1;
                    summary.not_ethernet += u64::from(frame.link != LinkType::ETHERNET);
                }
                Err(source) => {
                    let error = EdgeError::ReadCapture { path: path.clone(), source };
                    damaged.push(error.to_string());
                }
            }
        }
    }
    let mut summary = found.ok_or(EdgeError::NoPackets)?;
    summary.damaged = damaged;
    Ok(summary)
}
