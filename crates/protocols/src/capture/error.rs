//! What can be wrong with a capture, with the place, the limit and the remedy.

use super::{MAX_BLOCK_BYTES, MAX_FRAME_BYTES, MAX_INTERFACES};

/// Why a capture could not be read (further). Frames before the error were delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The first bytes are not those of a capture.
    #[error(
        "not a capture: it begins with {}, expected a pcap or pcapng magic number{}",
        hex(found),
        hint(found)
    )]
    UnknownMagic {
        /// First bytes of the input, at most four.
        found: Vec<u8>,
    },
    /// A file of a version this reader does not know.
    #[error(
        "{form} version {major}.{minor}, this reader knows major version {known}: convert it with `editcap`"
    )]
    Version {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
        /// Major version this reader knows.
        known: u16,
        /// File format being read.
        form: &'static str,
    },
    /// The capture ends inside a header, a frame or a block.
    #[error(
        "capture cut off at byte {offset}: {needed} bytes expected from there, {available} left \
         (the {frames} frames before it were read; repeat the copy, or accept the shorter capture)"
    )]
    Truncated {
        /// Where the incomplete record begins, bytes from the start.
        offset: u64,
        /// Bytes the record needs.
        needed: u64,
        /// Bytes that are there.
        available: u64,
        /// Frames delivered before.
        frames: u64,
    },
    /// A frame longer than any link sends: a damaged length field.
    #[error(
        "frame {index} at byte {offset} claims {length} captured bytes, the limit is {limit}: \
         the file is damaged there, or was not written as {form}",
        limit = MAX_FRAME_BYTES
    )]
    FrameTooLong {
        /// Where the frame's record begins, bytes from the start.
        offset: u64,
        /// Number of the frame, from 0.
        index: u64,
        /// The claimed length in bytes.
        length: u32,
        /// File format being read.
        form: &'static str,
    },
    /// A pcapng block that must be held in memory is too long.
    #[error(
        "pcapng block at byte {offset} claims {length} bytes, the limit is {limit}: \
         the file is damaged there; `editcap` may save the rest",
        limit = MAX_BLOCK_BYTES
    )]
    BlockTooLong {
        /// Where the block begins, bytes from the start.
        offset: u64,
        /// The claimed length in bytes.
        length: u32,
    },
    /// A pcapng block that contradicts itself.
    #[error("pcapng block of type {kind:#x} at byte {offset}: {reason}; the file is damaged there")]
    BadBlock {
        /// Where the block begins, bytes from the start.
        offset: u64,
        /// Block type code.
        kind: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A packet names an interface its section has not described.
    #[error(
        "pcapng packet at byte {offset} names interface {interface}, its section has described \
         {known}: the file is damaged there"
    )]
    UnknownInterface {
        /// Where the block begins, bytes from the start.
        offset: u64,
        /// Interface number named.
        interface: u32,
        /// Interfaces described so far in the section.
        known: u32,
    },
    /// A section describes too many interfaces.
    #[error(
        "pcapng section describes more than {limit} interfaces (byte {offset}): split the capture",
        limit = MAX_INTERFACES
    )]
    TooManyInterfaces {
        /// Where the block begins, bytes from the start.
        offset: u64,
    },
    /// The source of a stream failed.
    #[error("reading the capture failed at byte {offset}: {message}")]
    Io {
        /// Bytes read before.
        offset: u64,
        /// The operating system's kind of error.
        kind: std::io::ErrorKind,
        /// The source's own words.
        message: String,
    },
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    if bytes.is_empty() {
        return "nothing (the file is empty)".to_owned();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the first bytes probably are, and what to do then.
fn hint(found: &[u8]) -> &'static str {
    match found {
        [0x1f, 0x8b, ..] => " (this is gzip: unpack it first)",
        [0x28, 0xb5, 0x2f, 0xfd] => " (this is zstd: unpack it first)",
        [0x42, 0x5a, 0x68, ..] => " (this is bzip2: unpack it first)",
        [0xfd, 0x37, 0x7a, 0x58] => " (this is xz: unpack it first)",
        [0x50, 0x4b, ..] => " (this is a zip archive: unpack it first)",
        [0x34, 0xcd, 0xb2, 0xa1] | [0xa1, 0xb2, 0xcd, 0x34] => {
            " (this is the modified pcap of old Linux systems: convert it with `editcap -F pcap`)"
        }
        [b's', b'n', b'o', b'o'] => " (this is snoop: convert it with `editcap -F pcap`)",
        _ => "",
    }
}
