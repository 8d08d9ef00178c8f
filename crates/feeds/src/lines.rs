//! Lines of bounded length out of a `Read`.

use std::io::{self, BufRead, BufReader, Read};

use crate::record::{End, Limits, Place};

/// Bytes asked for at once.
const CHUNK: usize = 64 << 10;

/// One line without its end.
pub(crate) enum Line {
    /// Its bytes stand in [`Lines::line`].
    Whole,
    /// It is longer than a record may be; the beginning stands in [`Lines::line`].
    TooLong,
    /// There is none left.
    None,
}

/// Reads line by line into one buffer.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    limits: Limits,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R, limits: Limits) -> Self {
        let reader = BufReader::with_capacity(CHUNK, reader);
        Self { reader, limits, line: Vec::new(), number: 0, bytes: 0 }
    }

    /// Number of the line read last, from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The line read last, without `\r\n`, without a byte order mark.
    pub(crate) fn line(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
    }

    /// Reads on by a line.
    ///
    /// # Errors
    /// The end of the reading: the reader failed, or the feed is longer than it may be.
    pub(crate) fn next(&mut self) -> Result<Line, End> {
        self.line.clear();
        let (mut any, mut long) = (false, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(self.number + 1, error.to_string())),
            };
            if chunk.is_empty() {
                break;
            }
            if !any {
                any = true;
                self.number += 1;
            }
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = self.limits.max_record_bytes.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            long |= part.len() > room;
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.bytes += used as u64;
            if self.bytes > self.limits.max_bytes {
                return Err(broken(self.number, too_large(self.limits.max_bytes)));
            }
            if end.is_some() {
                break;
            }
        }
        Ok(match (any, long) {
            (false, _) => Line::None,
            (true, false) => Line::Whole,
            (true, true) => Line::TooLong,
        })
    }
}

pub(crate) fn broken(line: u64, reason: String) -> End {
    End::Broken { place: Place::Line(line), reason }
}

pub(crate) fn too_large(max: u64) -> String {
    format!(
        "the feed is longer than {max} bytes (max_bytes); raise the limit or take a smaller feed"
    )
}
