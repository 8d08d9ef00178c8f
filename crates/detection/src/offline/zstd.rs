//! Unpacks Zstandard (RFC 8878), frame after frame.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Magic number of a frame.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Skippable frames have sixteen magic numbers from this one on, in little-endian order.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Whether a file that starts with these bytes is packed.
pub(super) fn is_packed(magic: &[u8]) -> bool {
    magic.starts_with(&FRAME)
        || matches!(magic, [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPABLE))
}

/// Reads what a file of one or more frames unpacks to. Windows larger than the library's bound
/// (100 MiB) are refused, and so are frames whose checksum is wrong.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    open: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), open: false }
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
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Refuses a frame whose content is not what was packed.
    fn check(&self) -> io::Result<()> {
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(stated), Some(found)) if stated != found => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a frame is wrong"))
            }
            _ => Ok(()),
        }
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
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.check()?;
            self.open = false;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "sereno\n" as `zstd` packs it, with a checksum.
    const PACKED: [u8; 20] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x07, 0x39, 0x00, 0x00, 0x73, 0x65, 0x72, 0x65, 0x6e, 0x6f,
        0x0a, 0x08, 0x03, 0x2f, 0x62,
    ];

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Frames::new(bytes).read_to_end(&mut plain).map(|_| plain)
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
}
