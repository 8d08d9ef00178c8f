//! Unpacks Zstandard (RFC 8878), frame after frame.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Magic number of a frame.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Skippable frames have sixteen magic numbers from this one on, in little-endian order.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// An empty last block and room for a checksum: ends a frame whose rest is missing.
const END_OF_FRAME: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Whether a file that starts with these bytes is packed.
pub(super) fn is_packed(magic: &[u8]) -> bool {
    magic.starts_with(&FRAME)
        || matches!(magic, [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPABLE))
}

/// Reads what a file of one or more frames unpacks to. Frames with a larger window than allowed are
/// refused, and so are those whose checksum is wrong. Where the file breaks off or is damaged, what
/// was unpacked before is given first, then the error.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    open: bool,
    /// Why the open frame ended before its end.
    broken: Option<io::Error>,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R, window_bytes: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(window_bytes);
        Self { source, decoder, open: false, broken: None }
    }

    pub(super) fn source(&self) -> &R {
        &self.source
    }

    /// Opens the next frame, passing over those without content; `false` at the end of the file.
    fn open_next(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let mut skipped = self.source.by_ref().take(length);
                    if io::copy(&mut skipped, &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(in_words(error)),
            }
        }
        Ok(false)
    }

    /// Unpacks blocks until there is something to read. The decoder keeps a whole window back until
    /// it knows the last block: a frame that breaks off is ended here, so that nothing stays inside.
    fn unpack(&mut self) {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.decoder.decode_blocks(&mut self.source, one) {
                self.broken = Some(in_words(error));
                let all = BlockDecodingStrategy::All;
                if self.decoder.decode_blocks(END_OF_FRAME.as_slice(), all).is_err() {
                    return;
                }
            }
        }
    }

    /// Refuses a frame whose content is not what was packed.
    fn check(&mut self) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(stated), Some(found)) if stated != found => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a frame is wrong"))
            }
            _ => Ok(()),
        }
    }
}

fn in_words(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, max } => io::Error::other(format!(
            "packed with a window of {requested} bytes, the limit here is {max}: pack it again with \
             `zstd -19` or less and without --long"
        )),
        error => io::Error::other(format!("Zstandard: {error}")),
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.open {
                self.open = self.open_next()?;
                if !self.open {
                    return Ok(0);
                }
            }
            if self.broken.is_none() {
                self.unpack();
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.open = false;
            self.check()?;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// "sereno\n" as `zstd` packs it, with a checksum.
    const PACKED: [u8; 20] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x07, 0x39, 0x00, 0x00, 0x73, 0x65, 0x72, 0x65, 0x6e, 0x6f,
        0x0a, 0x08, 0x03, 0x2f, 0x62,
    ];

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Frames::new(bytes, 1 << 20).read_to_end(&mut plain).map(|_| plain)
    }

    #[test]
    fn frames_follow_each_other_and_skippable_ones_are_passed_over() {
        let skippable = [0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let file = [&skippable, PACKED.as_slice(), &skippable, &PACKED].concat();
        assert!(is_packed(&file) && is_packed(&PACKED) && !is_packed(&[0x1f, 0x8b, 8, 0]));
        assert_eq!(unpack(&file).unwrap(), b"sereno\nsereno\n");
        assert_eq!(unpack(&[]).unwrap(), b"");
    }

    #[test]
    fn damage_and_cuts_are_errors() {
        for cut in 1..PACKED.len() {
            assert!(unpack(&PACKED[..cut]).is_err(), "cut at {cut}");
        }
        let mut damaged = PACKED;
        damaged[10] ^= 1;
        assert!(unpack(&damaged).unwrap_err().to_string().contains("checksum"));
        assert!(unpack(&[0x51, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1]).is_err());
    }

    #[test]
    fn what_was_whole_before_a_cut_is_given() {
        // The block is whole, its checksum is not there.
        for (cut, whole) in [(16, "sereno\n"), (18, "sereno\n"), (8, "")] {
            let mut plain = Vec::new();
            assert!(Frames::new(&PACKED[..cut], 1 << 20).read_to_end(&mut plain).is_err());
            assert_eq!(plain, whole.as_bytes(), "cut at {cut}");
        }
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused_in_words() {
        // A frame header alone: window of 2^27 bytes, no content size.
        let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3];
        let error = unpack(&header).unwrap_err().to_string();
        assert!(error.contains("134217728") && error.contains("1048576"), "{error}");
    }
}
