//! The recorded captures a replay is made of.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use model::Timestamp;
use protocols::capture::CaptureStream;
use protocols::packet::LinkType;

use crate::EdgeError;

/// A capture being read; at most about 1 MiB of it is held.
pub type Stream = CaptureStream<Box<dyn Read + Send>>;

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

/// Opens a capture, unpacking `.gz` on the way.
///
/// # Errors
/// The file cannot be opened.
pub fn open(path: &Path) -> Result<Stream, EdgeError> {
    let file = File::open(path)
        .map_err(|source| EdgeError::OpenCapture { path: path.to_owned(), source })?;
    let file = BufReader::new(file);
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let source: Box<dyn Read + Send> =
        if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
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
