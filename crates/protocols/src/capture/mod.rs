//! Capture files: classic pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).
//!
//! [`CaptureReader`] walks a byte slice (a mapped file) without copying, [`CaptureStream`] walks
//! anything that reads (a file, [`Unpacked`]) through one bounded buffer, [`CaptureWriter`] writes
//! classic pcap. Both readers share one parser, [`parser`], which does no input itself.
//!
//! Frames come in file order with the time the file gives them: neither order nor plausibility of
//! times is judged here.

mod classic;
mod error;
mod ng;
mod packed;
mod parser;
mod stream;
mod writer;

pub use error::CaptureError;
pub use packed::{ALWAYS_UNPACKED_BYTES, MAX_UNPACKED_RATIO, UnpackLimits, Unpacked};
pub use parser::CaptureReader;
pub use stream::CaptureStream;
pub use writer::{ByteOrder, CaptureWriter, Resolution, WriteError, WriterOptions};

use crate::packet::LinkType;

/// Longest captured frame accepted, bytes (256 KiB, the snap length tcpdump uses for "all").
pub const MAX_FRAME_BYTES: u32 = 256 * 1024;
/// Longest pcapng block that is held in memory, bytes; blocks that are skipped may be longer.
pub const MAX_BLOCK_BYTES: u32 = 1024 * 1024;
/// Most interfaces one pcapng section may describe.
pub const MAX_INTERFACES: usize = 4096;

/// One frame of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Time of capture, nanoseconds since 1970-01-01 UTC.
    pub ts_ns: i64,
    /// The captured bytes, from the link header on; may be fewer than were on the wire.
    pub captured: &'a [u8],
    /// Length on the wire as the file states it, bytes.
    pub wire_len: u32,
    /// Link type of the interface that saw it.
    pub link: LinkType,
    /// Number of the frame in the capture, from 0.
    pub index: u64,
}

/// What a reader has passed over so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaptureStats {
    /// Frames delivered.
    pub frames: u64,
    /// pcapng sections begun (0 for classic pcap).
    pub sections: u64,
    /// pcapng blocks skipped because they hold no frame (statistics, names, secrets, unknown).
    pub skipped_blocks: u64,
    /// Frames without a time of their own (pcapng simple packets): given that of the frame before.
    pub frames_without_time: u64,
    /// Frames whose time lies beyond what 64-bit nanoseconds hold (1677 to 2262): clamped.
    pub clamped_times: u64,
}
