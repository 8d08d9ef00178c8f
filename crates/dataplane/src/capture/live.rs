//! Frames of one interface, in the order of their arrival, with every loss counted.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use super::filter::Filter;
use crate::sys::ring::{BLOCK_BYTES, RETIRE_MS, Ring, RingFrame};
use crate::{EdgeError, clock, counters};

/// Bounds of the ring, bytes.
pub const RING_BYTES: std::ops::RangeInclusive<usize> = 2 * BLOCK_BYTES..=1 << 30;
/// How long a capture that ends waits for frames the kernel still holds.
const LAST_FRAMES_WITHIN: Duration = Duration::from_millis(20 * RETIRE_MS as u64);
/// Longest frame with a tag put back.
const MAX_FRAME_BYTES: usize = 65_535 + 64;

/// A frame as it was on the wire.
#[derive(Clone, Copy, Debug)]
pub struct LiveFrame<'a> {
    /// Captured bytes; a VLAN tag that the kernel took off is put back.
    pub bytes: &'a [u8],
    /// Bytes on the wire.
    pub wire_len: u32,
    /// Kernel arrival time, nanoseconds since the Unix epoch.
    pub arrival_ns: i64,
}

/// Where the frames of a capture went: `passed = seen + dropped` once the capture has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaptureCounts {
    /// Frames that passed the filter.
    pub passed: u64,
    /// Of these, frames handed on.
    pub seen: u64,
    /// Of these, frames dropped because the ring was full.
    pub dropped: u64,
    /// Frames the interface itself dropped on their way in while we captured (kernel statistics).
    pub interface_dropped: u64,
}

/// A running capture.
pub struct Live {
    ring: Ring,
    interface: String,
    tagged: Vec<u8>,
    counts: CaptureCounts,
    interface_dropped_before: u64,
}

impl Live {
    /// Captures what passes `filter` on an interface.
    ///
    /// # Errors
    /// There is no such interface, or no right to capture; the text says what to do.
    pub fn open(interface: &str, filter: &Filter, ring_bytes: usize) -> Result<Self, EdgeError> {
        if !RING_BYTES.contains(&ring_bytes) {
            return Err(EdgeError::Settings(format!(
                "a ring of {ring_bytes} bytes is out of bounds: choose {} to {}",
                RING_BYTES.start(),
                RING_BYTES.end()
            )));
        }
        let index = nix::net::if_::if_nametoindex(interface).map_err(|_| {
            EdgeError::Network(format!("there is no interface {interface} here: see `ip link`"))
        })?;
        let ring = Ring::open(index, filter.program(), ring_bytes / BLOCK_BYTES).map_err(|error| {
            EdgeError::Network(match error.kind() {
                io::ErrorKind::PermissionDenied => format!(
                    "packets cannot be captured on {interface}: {error}: CAP_NET_RAW is needed"
                ),
                io::ErrorKind::OutOfMemory => format!(
                    "a ring of {ring_bytes} bytes for {interface}: {error}: choose a smaller one"
                ),
                _ => format!("packets cannot be captured on {interface}: {error}"),
            })
        })?;
        Ok(Self {
            ring,
            interface: interface.to_owned(),
            tagged: Vec::new(),
            counts: CaptureCounts::default(),
            interface_dropped_before: interface_dropped(interface),
        })
    }

    /// The descriptor that becomes readable when frames wait.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.ring.descriptor()
    }

    /// Waits at most `wait` for frames.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn wait(&self, wait: Duration) -> Result<(), EdgeError> {
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        let mut polled = [PollFd::new(self.descriptor(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(EdgeError::system("waiting for frames")(io::Error::from(error))),
        }
    }

    /// Hands on the frames of one block of the ring; `false` when none is ready.
    pub fn take(&mut self, mut each: impl FnMut(LiveFrame<'_>)) -> bool {
        let Self { ring, tagged, counts, .. } = self;
        let taken = ring.next_block(|frame| {
            counts.seen += 1;
            each(whole(&frame, tagged));
        });
        taken.is_some()
    }

    /// What was counted so far. While the capture runs, `passed` includes what still waits.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn counts(&mut self) -> Result<CaptureCounts, EdgeError> {
        let new =
            self.ring.counts().map_err(EdgeError::system("reading what the capture dropped"))?;
        self.counts.passed += new.passed;
        self.counts.dropped += new.dropped;
        self.counts.interface_dropped =
            interface_dropped(&self.interface).saturating_sub(self.interface_dropped_before);
        Ok(self.counts)
    }

    /// Hands on what the kernel still holds, so that the counts come out even.
    ///
    /// # Errors
    /// The kernel does not tell what it dropped.
    pub fn finish(
        &mut self,
        mut each: impl FnMut(LiveFrame<'_>),
    ) -> Result<CaptureCounts, EdgeError> {
        let until = clock::monotonic() + LAST_FRAMES_WITHIN;
        loop {
            while self.take(&mut each) {}
            let counts = self.counts()?;
            let missing = counts.passed > counts.seen + counts.dropped;
            if !missing || clock::monotonic() >= until {
                return Ok(counts);
            }
            self.wait(Duration::from_millis(u64::from(RETIRE_MS)))?;
        }
    }
}

/// The frame with the tag the kernel took off.
fn whole<'a>(frame: &RingFrame<'a>, tagged: &'a mut Vec<u8>) -> LiveFrame<'a> {
    let arrival_ns = frame.arrival_ns;
    match (frame.vlan, frame.bytes.split_at_checked(12)) {
        (Some((kind, control)), Some((addresses, rest)))
            if frame.bytes.len() + 4 <= MAX_FRAME_BYTES =>
        {
            tagged.clear();
            tagged.extend_from_slice(addresses);
            tagged.extend_from_slice(&kind.to_be_bytes());
            tagged.extend_from_slice(&control.to_be_bytes());
            tagged.extend_from_slice(rest);
            LiveFrame { bytes: tagged, wire_len: frame.wire_len.saturating_add(4), arrival_ns }
        }
        _ => LiveFrame { bytes: frame.bytes, wire_len: frame.wire_len, arrival_ns },
    }
}

/// What the interface dropped before anybody could capture it; 0 where the kernel does not say.
fn interface_dropped(interface: &str) -> u64 {
    counters::read(interface).map_or(0, |counters| counters.in_dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_taken_off_is_put_back() {
        let bytes: Vec<u8> = (0..20).collect();
        let mut scratch = Vec::new();
        let mut frame = RingFrame { bytes: &bytes, wire_len: 20, arrival_ns: 7, vlan: None };
        assert_eq!(whole(&frame, &mut scratch).bytes, &bytes[..]);
        frame.vlan = Some((0x8100, 5));
        let tagged = whole(&frame, &mut scratch);
        assert_eq!((tagged.wire_len, &tagged.bytes[12..16]), (24, &[0x81, 0, 0, 5][..]));
        assert_eq!((&tagged.bytes[..12], &tagged.bytes[16..]), (&bytes[..12], &bytes[12..]));
    }
}
