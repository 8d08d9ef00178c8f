//! Packed feeds: gzip, and the files of a zip archive; bounded in size and in ratio.

use std::io::{self, BufReader, Cursor, Read};

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};

/// What is unpacked at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Bytes of an archive as it comes; zip archives are held in memory.
    pub max_packed: u64,
    /// Bytes that come out.
    pub max_unpacked: u64,
    /// Bytes that come out for each that goes in, once [`RATIO_SLACK`] is passed.
    pub max_ratio: u64,
    /// Files of an archive.
    pub max_files: usize,
}

/// 128 MiB packed, 1 GiB unpacked, ratio 200, 1,000 files. Lists of addresses pack about 1:4,
/// repetitive JSON about 1:40; bombs begin at 1:1,000.
pub const DEFAULT_PACK_LIMITS: PackLimits =
    PackLimits { max_packed: 128 << 20, max_unpacked: 1 << 30, max_ratio: 200, max_files: 1_000 };

/// Bytes that come out before the ratio is looked at: short inputs may be very regular.
pub const RATIO_SLACK: u64 = 1 << 20;

/// Why something cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive is longer than it may be.
    #[error(
        "the archive is longer than {0} bytes (max_packed); raise the limit or take a smaller feed"
    )]
    TooLarge(u64),
    /// More files than there may be.
    #[error("the archive holds {0} files, more than {1} (max_files)")]
    TooManyFiles(usize, usize),
    /// A structure of the archive is damaged.
    #[error("damaged zip archive: {0}")]
    Damaged(&'static str),
    /// Something that this reader does not do.
    #[error("{0} is not supported; unpack the archive elsewhere")]
    Unsupported(&'static str),
    /// No file of that name.
    #[error("the archive holds no file `{0}`")]
    NoFile(String),
    /// The archive holds several files and none was named.
    #[error("the archive holds {0} files; name the one that is the feed")]
    WhichFile(usize),
    /// The reader failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens a feed as it comes: gzip and zip are recognised by their first bytes, everything else is
/// passed through. `file` names the file of an archive that holds several.
///
/// # Errors
/// [`UnpackError`]. Bounds on what comes out are errors of the reader that is returned.
pub fn open<'a, R: Read + 'a>(
    reader: R,
    file: Option<&str>,
    limits: PackLimits,
) -> Result<Box<dyn Read + 'a>, UnpackError> {
    let mut reader = reader;
    let mut head = [0_u8; 4];
    let mut have = 0;
    while have < head.len() {
        match reader.read(&mut head[have..]) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let whole = Cursor::new(head[..have].to_vec()).chain(reader);
    if head[..have].starts_with(&[0x1f, 0x8b]) {
        let counted = BufReader::new(Counted { inner: whole, read: 0 });
        return Ok(Box::new(Bounded::new(MultiGzDecoder::new(counted), limits)));
    }
    if head[..have].starts_with(b"PK\x03\x04") || head[..have].starts_with(b"PK\x05\x06") {
        let mut bytes = Vec::new();
        whole.take(limits.max_packed + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limits.max_packed {
            return Err(UnpackError::TooLarge(limits.max_packed));
        }
        let files = files(&bytes, limits)?;
        let chosen = match (file, files.as_slice()) {
            (Some(name), files) => files
                .iter()
                .find(|entry| entry.name == name)
                .ok_or_else(|| UnpackError::NoFile(name.to_owned()))?,
            (None, [only]) => only,
            (None, files) => return Err(UnpackError::WhichFile(files.len())),
        };
        return chosen.clone().open(bytes, limits);
    }
    Ok(Box::new(whole))
}

/// A decoder that knows how much went in.
trait Packed: Read {
    fn consumed(&self) -> u64;
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> Packed for MultiGzDecoder<BufReader<Counted<R>>> {
    fn consumed(&self) -> u64 {
        self.get_ref().get_ref().read
    }
}

/// Holds what comes out to the limits.
struct Bounded<D> {
    decoder: D,
    out: u64,
    limits: PackLimits,
}

impl<D> Bounded<D> {
    const fn new(decoder: D, limits: PackLimits) -> Self {
        Self { decoder, out: 0, limits }
    }
}

impl<D: Packed> Read for Bounded<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(out)?;
        self.out += read as u64;
        check(self.out, self.decoder.consumed(), self.limits)?;
        Ok(read)
    }
}

fn check(out: u64, consumed: u64, limits: PackLimits) -> io::Result<()> {
    if out > limits.max_unpacked {
        let text = format!("more than {} bytes unpacked (max_unpacked)", limits.max_unpacked);
        return Err(io::Error::other(text));
    }
    if out > RATIO_SLACK && out / limits.max_ratio.max(1) > consumed {
        let text = format!(
            "unpacks more than {} bytes for each packed one (max_ratio): a decompression bomb?",
            limits.max_ratio
        );
        return Err(io::Error::other(text));
    }
    Ok(())
}

/// A file of a zip archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipFile {
    /// Its name as it stands in the archive; never a path to write to.
    pub name: String,
    /// Bytes packed.
    pub packed: u64,
    /// Bytes unpacked, as the archive says.
    pub unpacked: u64,
    method: u16,
    crc: u32,
    header: usize,
}

/// Records of a zip archive (APPNOTE 6.3.9 §4.3.7, §4.3.12, §4.3.16).
const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const MAX_COMMENT: usize = 65_535;
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;

/// The files of a zip archive, folders left out.
///
/// # Errors
/// [`UnpackError`] for damage, encryption and Zip64.
pub fn files(bytes: &[u8], limits: PackLimits) -> Result<Vec<ZipFile>, UnpackError> {
    let from = bytes.len().saturating_sub(END_BYTES + MAX_COMMENT);
    let end = memchr::memmem::rfind(&bytes[from..], END_SIGNATURE)
        .map(|at| from + at)
        .ok_or(UnpackError::Damaged("no end of the central directory"))?;
    let count = usize::from(u16_at(bytes, end + 10)?);
    let mut at = u32_at(bytes, end + 16)? as usize;
    if count == 0xffff || at == 0xffff_ffff {
        return Err(UnpackError::Unsupported("Zip64"));
    }
    if count > limits.max_files {
        return Err(UnpackError::TooManyFiles(count, limits.max_files));
    }
    let mut found = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at + 4) != Some(ENTRY_SIGNATURE) {
            return Err(UnpackError::Damaged("no entry where the central directory has one"));
        }
        if u16_at(bytes, at + 8)? & 1 == 1 {
            return Err(UnpackError::Unsupported("an encrypted archive"));
        }
        let name_length = usize::from(u16_at(bytes, at + 28)?);
        let more = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
        let name = bytes
            .get(at + ENTRY_BYTES..at + ENTRY_BYTES + name_length)
            .ok_or(UnpackError::Damaged("a name beyond the end"))?;
        let file = ZipFile {
            name: String::from_utf8_lossy(name).into_owned(),
            packed: u32_at(bytes, at + 20)?.into(),
            unpacked: u32_at(bytes, at + 24)?.into(),
            method: u16_at(bytes, at + 10)?,
            crc: u32_at(bytes, at + 16)?,
            header: u32_at(bytes, at + 42)? as usize,
        };
        if !file.name.ends_with('/') {
            found.push(file);
        }
        at += ENTRY_BYTES + name_length + more;
    }
    Ok(found)
}

impl ZipFile {
    /// Opens the file for reading; its checksum is compared at the end.
    ///
    /// # Errors
    /// [`UnpackError`] for damage and for other methods than "stored" and "deflate".
    pub fn open<'a>(
        self,
        archive: Vec<u8>,
        limits: PackLimits,
    ) -> Result<Box<dyn Read + 'a>, UnpackError> {
        let at = self.header;
        if archive.get(at..at.saturating_add(4)) != Some(LOCAL_SIGNATURE) {
            return Err(UnpackError::Damaged("no file where the central directory has one"));
        }
        let name = usize::from(u16_at(&archive, at + 26)?);
        let start = at + LOCAL_BYTES + name + usize::from(u16_at(&archive, at + 28)?);
        let packed = usize::try_from(self.packed).unwrap_or(usize::MAX);
        let end = start.saturating_add(packed);
        if end > archive.len() {
            return Err(UnpackError::Damaged("a file beyond the end"));
        }
        let mut data = archive;
        data.truncate(end);
        let mut cursor = Cursor::new(data);
        cursor.set_position(start as u64);
        let body: Box<dyn Read> = match self.method {
            0 => Box::new(cursor),
            8 => Box::new(DeflateDecoder::new(cursor)),
            _ => return Err(UnpackError::Unsupported("the compression of this archive")),
        };
        Ok(Box::new(Checked { body, crc: Crc::new(), out: 0, file: self, limits }))
    }
}

/// A file of an archive, held to the limits and to its checksum.
struct Checked {
    body: Box<dyn Read>,
    crc: Crc,
    out: u64,
    file: ZipFile,
    limits: PackLimits,
}

impl Read for Checked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let read = self.body.read(out)?;
        self.crc.update(&out[..read]);
        self.out += read as u64;
        check(self.out, self.file.packed, self.limits)?;
        if read == 0 && self.crc.sum() != self.file.crc {
            let text = format!("the checksum of `{}` is wrong", self.file.name);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(read)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, UnpackError> {
    match bytes.get(at..at.saturating_add(2)) {
        Some(&[low, high]) => Ok(u16::from_le_bytes([low, high])),
        _ => Err(UnpackError::Damaged("cut off")),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, UnpackError> {
    Ok(u32::from(u16_at(bytes, at)?) | u32::from(u16_at(bytes, at.saturating_add(2))?) << 16)
}
