//! Writes classic pcap: evidence slices, test inputs, benchmark inputs.

use std::io::{self, Write};

use super::MAX_FRAME_BYTES;
use super::classic::{MAGIC_MICRO, MAGIC_NANO};
use crate::packet::LinkType;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Order of the bytes in the file's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Unit of the times in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds; nanoseconds of a frame are cut off.
    Micro,
    /// Nanoseconds.
    Nano,
}

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// Order of the bytes in the file's own fields.
    pub byte_order: ByteOrder,
    /// Unit of the times.
    pub resolution: Resolution,
    /// Link type of all frames.
    pub link: LinkType,
}

impl Default for WriterOptions {
    /// Little-endian, microseconds, Ethernet: what every tool reads.
    fn default() -> Self {
        Self {
            byte_order: ByteOrder::Little,
            resolution: Resolution::Micro,
            link: LinkType::ETHERNET,
        }
    }
}

/// Why a frame could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output failed.
    #[error("writing the capture failed: {0}")]
    Io(#[from] io::Error),
    /// Classic pcap holds the years 1970 to 2106 only.
    #[error("time {ts_ns} ns does not fit classic pcap (1970 to 2106)")]
    Time {
        /// The time refused, nanoseconds since 1970.
        ts_ns: i64,
    },
    /// Longer than readers accept.
    #[error("frame of {length} bytes, the limit is {limit}", limit = MAX_FRAME_BYTES)]
    FrameTooLong {
        /// The length refused, bytes.
        length: usize,
    },
}

/// Writes frames to a classic pcap file.
///
/// Each frame is two small writes: give it a buffered output.
pub struct CaptureWriter<W> {
    output: W,
    options: WriterOptions,
}

impl<W: Write> CaptureWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// When the output fails.
    pub fn new(output: W, options: WriterOptions) -> io::Result<Self> {
        let mut writer = Self { output, options };
        let magic = match options.resolution {
            Resolution::Micro => MAGIC_MICRO,
            Resolution::Nano => MAGIC_NANO,
        };
        let mut header = [0; 24];
        header[0..4].copy_from_slice(&writer.word(magic));
        header[4..6].copy_from_slice(&writer.half(2));
        header[6..8].copy_from_slice(&writer.half(4));
        header[16..20].copy_from_slice(&writer.word(MAX_FRAME_BYTES));
        header[20..24].copy_from_slice(&writer.word(u32::from(options.link.0)));
        writer.output.write_all(&header)?;
        Ok(writer)
    }

    /// Appends one frame; `wire_len` may be more than was captured.
    ///
    /// # Errors
    /// When the time or the length does not fit the format, or the output fails.
    pub fn write(&mut self, ts_ns: i64, captured: &[u8], wire_len: u32) -> Result<(), WriteError> {
        let length = u32::try_from(captured.len())
            .ok()
            .filter(|length| *length <= MAX_FRAME_BYTES)
            .ok_or(WriteError::FrameTooLong { length: captured.len() })?;
        let seconds = u32::try_from(ts_ns.div_euclid(NANOS_PER_SECOND))
            .map_err(|_| WriteError::Time { ts_ns })?;
        // A remainder below 10^9 fits.
        let nanos = ts_ns.rem_euclid(NANOS_PER_SECOND) as u32;
        let fraction = match self.options.resolution {
            Resolution::Micro => nanos / 1000,
            Resolution::Nano => nanos,
        };
        let mut header = [0; 16];
        header[0..4].copy_from_slice(&self.word(seconds));
        header[4..8].copy_from_slice(&self.word(fraction));
        header[8..12].copy_from_slice(&self.word(length));
        header[12..16].copy_from_slice(&self.word(wire_len));
        self.output.write_all(&header)?;
        self.output.write_all(captured)?;
        Ok(())
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// When the output fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }

    const fn word(&self, value: u32) -> [u8; 4] {
        match self.options.byte_order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    const fn half(&self, value: u16) -> [u8; 2] {
        match self.options.byte_order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }
}
