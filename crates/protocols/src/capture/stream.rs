//! Captures from a source that can only be read forward.

use std::io::{ErrorKind, Read};

use super::parser::{Parser, Step};
use super::{CaptureError, CaptureStats, Frame, MAX_BLOCK_BYTES};

/// Bytes asked of the source at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Most bytes held: the longest block that must be in memory, and what was read ahead of it.
const MAX_BUFFER_BYTES: usize = MAX_BLOCK_BYTES as usize + CHUNK_BYTES;

/// Reads the frames of a capture from a source, for instance a decompressor.
///
/// Holds at most about 1 MiB whatever the input claims. The caller bounds how much a decompressor
/// may produce: this reader only promises not to hold it.
pub struct CaptureStream<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    parser: Parser,
    done: bool,
}

impl<R: Read> CaptureStream<R> {
    /// Reads the capture that `source` gives.
    pub fn new(source: R) -> Self {
        let buffer = vec![0; CHUNK_BYTES];
        Self { source, buffer, start: 0, end: 0, offset: 0, parser: Parser::new(), done: false }
    }

    /// What has been read and passed over so far.
    #[must_use]
    pub const fn stats(&self) -> CaptureStats {
        self.parser.stats
    }

    /// The next frame, valid until the next call; `None` at the end and after an error.
    ///
    /// # Errors
    /// As [`super::CaptureReader`], and [`CaptureError::Io`] when the source fails.
    pub fn next_frame(&mut self) -> Option<Result<Frame<'_>, CaptureError>> {
        while !self.done {
            let data = &self.buffer[self.start..self.end];
            match self.parser.step(data, self.offset) {
                Ok(Step::Frame(record)) => {
                    let from = self.start;
                    self.start += record.consumed;
                    self.offset += record.consumed as u64;
                    let index = self.parser.stats.frames;
                    self.parser.stats.frames += 1;
                    return Some(Ok(record.frame(&self.buffer[from..self.end], index)));
                }
                Ok(Step::Skip(length)) => {
                    if let Err(error) = self.skip(length) {
                        return self.fail(error);
                    }
                }
                Ok(Step::Need(length)) => match self.fill(length) {
                    Ok(true) => {}
                    Ok(false) => {
                        let left = &self.buffer[self.start..self.end];
                        match self.parser.at_end(left, self.offset, length) {
                            Some(error) => return self.fail(error),
                            None => self.done = true,
                        }
                    }
                    Err(error) => return self.fail(error),
                },
                Err(error) => return self.fail(error),
            }
        }
        None
    }

    #[cold]
    fn fail(&mut self, error: CaptureError) -> Option<Result<Frame<'_>, CaptureError>> {
        self.done = true;
        Some(Err(error))
    }

    /// Makes at least `needed` bytes available; false when the source ends before.
    fn fill(&mut self, needed: u64) -> Result<bool, CaptureError> {
        let needed = usize::try_from(needed).unwrap_or(usize::MAX).min(MAX_BUFFER_BYTES);
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < needed {
            self.buffer.resize(needed, 0);
        }
        while self.end < needed {
            let read = self.read_some()?;
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads once into the free tail of the buffer.
    fn read_some(&mut self) -> Result<usize, CaptureError> {
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let offset = self.offset + (self.end - self.start) as u64;
                    let (kind, message) = (error.kind(), error.to_string());
                    return Err(CaptureError::Io { offset, kind, message });
                }
            }
        }
    }

    /// Passes over `length` bytes without holding them.
    fn skip(&mut self, length: u64) -> Result<(), CaptureError> {
        let mut left = length;
        loop {
            let held = (self.end - self.start) as u64;
            let step = left.min(held);
            // At most what the buffer holds, so it fits.
            self.start += step as usize;
            left -= step;
            if left == 0 {
                self.offset += length;
                return Ok(());
            }
            (self.start, self.end) = (0, 0);
            if self.read_some()? == 0 {
                return Err(CaptureError::Truncated {
                    offset: self.offset,
                    needed: length,
                    available: length - left,
                    frames: self.parser.stats.frames,
                });
            }
        }
    }
}
