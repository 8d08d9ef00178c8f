//! Opens a capture, packed or plain, follows its conversations and cuts it into windows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use analytics::windows::Windower;
use protocols::capture::{CaptureError, CaptureStream, Frame, UnpackLimits, Unpacked};
use protocols::flow::{Sighting, Tracker};
use protocols::packet::decode;

use super::{CaptureSummary, OfflineError, OfflineProgress};

/// Bounds of packed files: windows as large as `zstd --long` makes them; memory does not grow with
/// what they unpack to, the bound ends endless input.
pub const UNPACK_LIMITS: UnpackLimits =
    UnpackLimits { window_bytes: 128 << 20, unpacked_bytes: 1 << 40 };
/// Frames between two reports of progress.
const PROGRESS_FRAMES: u64 = 1 << 17;

/// Counts what is read from the file, so that progress can be told for packed files too.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Sizes of the files, for progress.
pub(super) fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Opens a file, unpacking it if it is packed, whatever it holds.
pub(super) fn open(path: &Path, bytes: &Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
    let file = Counted { inner: File::open(path)?, bytes: Arc::clone(bytes) };
    Ok(Box::new(Unpacked::new(file, UNPACK_LIMITS)?))
}

/// Reads the frames of a capture in order. What breaks off is used up to the break, and the summary
/// names it.
pub(super) fn read_frames<E: From<OfflineError>>(
    path: &Path,
    mut progress: impl FnMut(OfflineProgress),
    mut each: impl FnMut(&Frame<'_>) -> Result<(), E>,
) -> Result<CaptureSummary, E> {
    let mut summary = CaptureSummary::new(path.to_path_buf());
    let bytes = Arc::new(AtomicU64::new(0));
    let total_bytes = size_of(path);
    let source = open(path, &bytes)
        .map_err(|source| OfflineError::Read { path: path.to_path_buf(), source })?;
    let mut stream = CaptureStream::new(source);
    let mut error = None;
    while let Some(frame) = stream.next_frame() {
        let frame = match frame {
            Ok(frame) => frame,
            Err(found) => {
                error = Some(found);
                break;
            }
        };
        if frame.index % PROGRESS_FRAMES == 0 {
            let bytes = bytes.load(Ordering::Relaxed);
            progress(OfflineProgress::Reading { bytes, total_bytes, packets: frame.index });
        }
        each(&frame)?;
    }
    summary.take_stats(stream.stats());
    progress(OfflineProgress::Reading {
        bytes: total_bytes,
        total_bytes,
        packets: summary.packets,
    });
    match error {
        Some(source @ (CaptureError::UnknownMagic { .. } | CaptureError::Version { .. })) => {
            Err(OfflineError::NotACapture { path: path.to_path_buf(), source }.into())
        }
        Some(error) => {
            summary.error = Some(error.to_string());
            Ok(summary)
        }
        None => Ok(summary),
    }
}

/// Takes what a capture gives.
pub(super) trait Reader<E> {
    /// A message of a conversation, already counted in its windows.
    fn message(&mut self, _sighting: &Sighting<'_>) {}

    /// Called after every frame with finished windows, and once at the end.
    fn windows(&mut self, windower: &mut Windower) -> Result<(), E>;
}

/// Who only wants the windows.
impl<E, F: FnMut(&mut Windower) -> Result<(), E>> Reader<E> for F {
    fn windows(&mut self, windower: &mut Windower) -> Result<(), E> {
        self(windower)
    }
}

/// Reads a capture through a windower. Every conversation is followed, so that training and scoring
/// count messages as an edge does.
pub(super) fn read_windows<E: From<OfflineError>>(
    path: &Path,
    windower: &mut Windower,
    progress: impl FnMut(OfflineProgress),
    reader: &mut impl Reader<E>,
) -> Result<CaptureSummary, E> {
    let (mut flawed, mut undecodable) = (0, 0);
    let mut tracker = Tracker::default();
    let mut summary = read_frames(path, progress, |frame| {
        match decode(frame.link, frame.captured, frame.wire_len) {
            Ok(packet) => {
                flawed += u64::from(packet.flaw.is_some());
                windower.push(frame.ts_ns, &packet);
                tracker.push(frame.ts_ns, &packet, &mut |sighting| {
                    windower.hear(sighting);
                    reader.message(sighting);
                });
            }
            Err(_) => undecodable += 1,
        }
        if windower.has_ready() { reader.windows(windower) } else { Ok(()) }
    })?;
    windower.finish();
    reader.windows(windower)?;
    summary.windows = windower.stats();
    (summary.flawed, summary.undecodable) = (flawed, undecodable);
    Ok(summary)
}
