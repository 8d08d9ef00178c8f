//! The state machine both readers share: bytes in, the place of the next frame out.

use super::classic::Classic;
use super::ng::Section;
use super::{CaptureError, CaptureStats, Frame, ng};
use crate::packet::LinkType;

/// What the parser found at its position.
pub(super) enum Step {
    /// A frame; its bytes lie at `start..start + length` from the position.
    Frame(Record),
    /// Pass over that many bytes, which need not be in memory.
    Skip(u64),
    /// Give at least that many bytes from the position.
    Need(u64),
}

/// A frame by place instead of by reference, so that a stream may refill its buffer.
pub(super) struct Record {
    pub(super) ts_ns: i64,
    pub(super) wire_len: u32,
    pub(super) link: LinkType,
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) consumed: usize,
}

impl Record {
    /// The frame this record describes in the bytes it was found in.
    #[inline]
    pub(super) fn frame(self, data: &[u8], index: u64) -> Frame<'_> {
        // The parser has seen these bytes; an empty frame is the harmless answer were it wrong.
        let captured = data.get(self.start..self.start + self.length).unwrap_or(&[]);
        Frame { ts_ns: self.ts_ns, captured, wire_len: self.wire_len, link: self.link, index }
    }
}

enum Form {
    Unknown,
    Classic(Classic),
    Ng(Section),
}

/// Reads one header, frame or block at a time.
pub(super) struct Parser {
    form: Form,
    pub(super) stats: CaptureStats,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self { form: Form::Unknown, stats: CaptureStats::default() }
    }

    /// Looks at `data`, which begins `offset` bytes into the capture.
    #[inline]
    pub(super) fn step(&mut self, data: &[u8], offset: u64) -> Result<Step, CaptureError> {
        match &mut self.form {
            Form::Classic(classic) => classic.step(data, offset, &mut self.stats),
            Form::Ng(section) => section.step(data, offset, &mut self.stats),
            Form::Unknown => self.begin(data),
        }
    }

    #[cold]
    fn begin(&mut self, data: &[u8]) -> Result<Step, CaptureError> {
        let Some((magic, _)) = data.split_first_chunk::<4>() else {
            return Ok(Step::Need(4));
        };
        if ng::is_section_header(*magic) {
            self.form = Form::Ng(Section::default());
            return Ok(Step::Skip(0));
        }
        if !Classic::knows(*magic) {
            return Err(CaptureError::UnknownMagic { found: magic.to_vec() });
        }
        let Some((header, _)) = data.split_first_chunk::<{ Classic::HEADER_BYTES }>() else {
            return Ok(Step::Need(Classic::HEADER_BYTES as u64));
        };
        self.form = Form::Classic(Classic::from_header(header)?);
        Ok(Step::Skip(Classic::HEADER_BYTES as u64))
    }

    /// What the end of the input means when `available` bytes are left and `needed` are wanted:
    /// nothing at a boundary, an error inside a record.
    #[cold]
    pub(super) fn at_end(&self, left: &[u8], offset: u64, needed: u64) -> Option<CaptureError> {
        if matches!(self.form, Form::Unknown) && left.len() < 4 {
            return Some(CaptureError::UnknownMagic { found: left.to_vec() });
        }
        if left.is_empty() {
            return None;
        }
        let available = left.len() as u64;
        Some(CaptureError::Truncated { offset, needed, available, frames: self.stats.frames })
    }
}

/// Iterates over the frames of a capture in memory, without copying.
///
/// After an error the iterator ends. A capture without frames is fine and yields none.
pub struct CaptureReader<'a> {
    data: &'a [u8],
    position: usize,
    parser: Parser,
    done: bool,
}

impl<'a> CaptureReader<'a> {
    /// Reads the capture in `data`. What is wrong with its header is told by the first item.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, parser: Parser::new(), done: false }
    }

    /// What has been read and passed over so far.
    #[must_use]
    pub const fn stats(&self) -> CaptureStats {
        self.parser.stats
    }

    /// Bytes of the capture read so far; with its length this makes a progress bar.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    #[cold]
    fn end(&mut self, error: Option<CaptureError>) -> Option<Result<Frame<'a>, CaptureError>> {
        self.done = true;
        error.map(Err)
    }
}

impl<'a> Iterator for CaptureReader<'a> {
    type Item = Result<Frame<'a>, CaptureError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let rest = self.data.get(self.position..).unwrap_or(&[]);
            let offset = self.position as u64;
            match self.parser.step(rest, offset) {
                Ok(Step::Frame(record)) => {
                    self.position += record.consumed;
                    let index = self.parser.stats.frames;
                    self.parser.stats.frames += 1;
                    return Some(Ok(record.frame(rest, index)));
                }
                Ok(Step::Skip(length)) if length <= rest.len() as u64 => {
                    self.position += usize::try_from(length).unwrap_or(rest.len());
                }
                Ok(Step::Skip(length) | Step::Need(length)) => {
                    let error = self.parser.at_end(rest, offset, length);
                    return self.end(error);
                }
                Err(error) => return self.end(Some(error)),
            }
        }
        None
    }
}

impl std::iter::FusedIterator for CaptureReader<'_> {}
