//! Captures packed with gzip (RFC 1952) or Zstandard (RFC 8878), recognised by their first bytes.

mod zstd;

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Bytes that tell how a file is packed.
const MAGIC_BYTES: u64 = 4;
/// Bytes read from a packed file at a time.
const PACKED_CHUNK_BYTES: usize = 64 * 1024;
/// A packed file may unpack to so many times its size. Captures of one frame repeated for ever
/// reach some hundreds; gzip reaches 1,032 at most, Zstandard 30,000.
pub const MAX_UNPACKED_RATIO: u64 = 4_096;
/// Bytes that any file may unpack to, whatever its size.
pub const ALWAYS_UNPACKED_BYTES: u64 = 64 << 20;

/// Bounds of unpacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Largest window of a Zstandard frame, bytes; the decoder holds about twice as much. `zstd -19`
    /// takes 8 MiB (as much as RFC 8878 asks every decoder to support), `--long` 128 MiB.
    pub window_bytes: u64,
    /// Bytes that a packed file may unpack to.
    pub unpacked_bytes: u64,
}

/// Gives what the source holds, unpacked where it is packed.
///
/// Where a packed source breaks off, is damaged or passes a bound (these two, and
/// [`MAX_UNPACKED_RATIO`] beyond [`ALWAYS_UNPACKED_BYTES`]), what came before is given first and
/// then the error.
pub struct Unpacked<R: Read> {
    inner: Inner<R>,
    given: u64,
    limits: UnpackLimits,
}

/// What was looked at is given back in front: a pipe cannot be rewound.
type Whole<R> = Counted<Chain<Cursor<Vec<u8>>, R>>;

enum Inner<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
    Zstandard(Box<zstd::Frames<BufReader<Whole<R>>>>),
}

/// Counts the packed bytes.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<R: Read> Unpacked<R> {
    /// Looks how `source` is packed.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn new(mut source: R, limits: UnpackLimits) -> io::Result<Self> {
        let mut magic = Vec::new();
        source.by_ref().take(MAGIC_BYTES).read_to_end(&mut magic)?;
        let (gzip, zstandard) = (magic.starts_with(&GZIP_MAGIC), zstd::is_packed(&magic));
        let whole = Counted { inner: Cursor::new(magic).chain(source), bytes: 0 };
        let buffered = |whole| BufReader::with_capacity(PACKED_CHUNK_BYTES, whole);
        let inner = if gzip {
            Inner::Gzip(Box::new(MultiGzDecoder::new(buffered(whole))))
        } else if zstandard {
            let frames = zstd::Frames::new(buffered(whole), limits.window_bytes);
            Inner::Zstandard(Box::new(frames))
        } else {
            Inner::Plain(whole)
        };
        Ok(Self { inner, given: 0, limits })
    }

    /// Ends packed input that grows beyond its bounds.
    fn check(&self, packed: u64) -> io::Result<()> {
        let UnpackLimits { unpacked_bytes, .. } = self.limits;
        if self.given > unpacked_bytes {
            return Err(io::Error::other(format!(
                "unpacks to more than {unpacked_bytes} bytes: split the capture"
            )));
        }
        let ratio_bytes = packed.saturating_mul(MAX_UNPACKED_RATIO).max(ALWAYS_UNPACKED_BYTES);
        if self.given > ratio_bytes {
            return Err(io::Error::other(format!(
                "unpacks to more than {MAX_UNPACKED_RATIO} times its size, as only a trap does: \
                 give the capture unpacked if it is honest"
            )));
        }
        Ok(())
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, packed) = match &mut self.inner {
            Inner::Plain(source) => return source.read(buffer),
            Inner::Gzip(decoder) => {
                let read = decoder.read(buffer)?;
                (read, decoder.get_ref().get_ref().bytes)
            }
            Inner::Zstandard(frames) => {
                let read = frames.read(buffer)?;
                (read, frames.source().get_ref().bytes)
            }
        };
        self.given += read as u64;
        self.check(packed)?;
        Ok(read)
    }
}
