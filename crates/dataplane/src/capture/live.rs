//! Frames of one interface, in the order of their arrival, with every loss counted.
//!
//! An interface that goes down, or away and comes back under its name, interrupts a capture and does
//! not end it.

use std::io;
use std::time::Duration;

use nix::net::if_::InterfaceFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use serde::Serialize;

use super::filter::Filter;
use crate::sys::ring::{BLOCK_BYTES, RETIRE_MS, Ring, RingFrame};
use crate::{EdgeError, clock, counters};

/// Bounds of the ring, bytes.
pub const RING_BYTES: std::ops::RangeInclusive<usize> = 2 * BLOCK_BYTES..=1 << 30;
/// How long a capture that ends waits for frames the kernel still holds.
const LAST_FRAMES_WITHIN: Duration = Duration::from_millis(20 * RETIRE_MS as u64);
/// How often it is looked whether an interface that went away is back.
const LOOK_EVERY: Duration = Duration::from_secs(1);
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
    /// Times the interface went down or away; nothing is seen until it is back.
    pub interruptions: u64,
}

/// A running capture.
pub struct Live {
    /// None: the interface is away.
    ring: Option<Ring>,
    interface: String,
    index: u32,
    filter: Filter,
    ring_bytes: usize,
    tagged: Vec<u8>,
    counts: CaptureCounts,
    /// Of the interface: dropped when the ring was made, and dropped at interfaces of this name
    /// before.
    interface_dropped_before: u64,
    interface_dropped_past: u64,
    /// The interface is down or away; when to look next.
    look_at: Option<Duration>,
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
        let mut live = Self {
            ring: None,
            interface: interface.to_owned(),
            index: 0,
            filter: filter.clone(),
            ring_bytes,
            tagged: Vec::new(),
            counts: CaptureCounts::default(),
            interface_dropped_before: 0,
            interface_dropped_past: 0,
            look_at: None,
        };
        let index = interface_index(interface).ok_or_else(|| no_interface(interface))?;
        live.attach(index)?;
        Ok(live)
    }

    /// Makes the ring on the interface of that number.
    fn attach(&mut self, index: u32) -> Result<(), EdgeError> {
        let ring = Ring::open(index, self.filter.program(), self.ring_bytes / BLOCK_BYTES);
        self.ring = Some(ring.map_err(|error| refused(&self.interface, self.ring_bytes, &error))?);
        self.index = index;
        self.interface_dropped_before = interface_dropped(&self.interface);
        Ok(())
    }

    /// Waits at most `wait` for frames; an interface that is gone is waited for.
    ///
    /// # Errors
    /// The system refuses to wait, or to capture on the interface that came back.
    pub fn wait(&mut self, wait: Duration) -> Result<(), EdgeError> {
        if self.look_at.is_some_and(|at| clock::monotonic() >= at) {
            self.look()?;
        }
        let Some(ring) = &self.ring else {
            std::thread::sleep(wait);
            return Ok(());
        };
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        let mut polled = [PollFd::new(ring.descriptor(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => {
                return Err(EdgeError::system("waiting for frames")(io::Error::from(error)));
            }
        }
        let broken = polled[0].any().is_some()
            && polled[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        if broken {
            // Reading the error clears it; otherwise every wait would end at once.
            let error = getsockopt(&ring.descriptor(), sockopt::SocketError).unwrap_or_default();
            self.interrupted(io::Error::from_raw_os_error(error));
        }
        Ok(())
    }

    fn interrupted(&mut self, error: io::Error) {
        if self.look_at.is_none() {
            self.counts.interruptions += 1;
            let interface = &self.interface;
            tracing::warn!(%interface, %error, "nothing is captured: waiting for the interface to come back");
        }
        self.look_at = Some(clock::monotonic() + LOOK_EVERY);
    }

    /// Is the interface back? The same one goes on by itself; another one of its name needs a ring
    /// of its own.
    fn look(&mut self) -> Result<(), EdgeError> {
        self.look_at = Some(clock::monotonic() + LOOK_EVERY);
        let index = interface_index(&self.interface);
        if self.ring.is_some() && index != Some(self.index) {
            // What the kernel counted last; its frames have been handed on meanwhile.
            self.interface_dropped_past = self.counts()?.interface_dropped;
            self.ring = None;
        }
        let Some(index) = index.filter(|_| is_up(&self.interface)) else { return Ok(()) };
        if self.ring.is_none()
            && let Err(error) = self.attach(index)
        {
            tracing::warn!("{error}");
            return Ok(());
        }
        tracing::info!(interface = %self.interface, "the interface is back: capturing again");
        self.look_at = None;
        Ok(())
    }

    /// Hands on the frames of one block of the ring; `false` when none is ready.
    pub fn take(&mut self, mut each: impl FnMut(LiveFrame<'_>)) -> bool {
        let Self { ring: Some(ring), tagged, counts, .. } = self else { return false };
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
        let Some(ring) = &self.ring else { return Ok(self.counts) };
        let new = ring.counts().map_err(EdgeError::system("reading what the capture dropped"))?;
        self.counts.passed += new.passed;
        self.counts.dropped += new.dropped;
        // An interface that is away has no count: what was known of it stays.
        let now = interface_dropped(&self.interface).saturating_sub(self.interface_dropped_before);
        let so_far = self.interface_dropped_past.saturating_add(now);
        self.counts.interface_dropped = self.counts.interface_dropped.max(so_far);
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

fn interface_index(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

fn is_up(name: &str) -> bool {
    nix::ifaddrs::getifaddrs().is_ok_and(|mut all| {
        all.any(|one| one.interface_name == name && one.flags.contains(InterfaceFlags::IFF_UP))
    })
}

fn no_interface(name: &str) -> EdgeError {
    let here: Vec<String> = nix::net::if_::if_nameindex()
        .map(|all| all.iter().map(|one| one.name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let here = here.join(", ");
    EdgeError::Network(format!("there is no interface {name} here; there are: {here}"))
}

fn refused(interface: &str, ring_bytes: usize, error: &io::Error) -> EdgeError {
    EdgeError::Network(match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let program = std::env::current_exe().unwrap_or_else(|_| "sereno-edge".into());
            format!(
                "packets cannot be captured on {interface}: {error}: the capability CAP_NET_RAW is \
                 needed. Grant it with `setcap cap_net_raw+ep {}`, or with \
                 AmbientCapabilities=CAP_NET_RAW in the systemd unit",
                program.display()
            )
        }
        io::ErrorKind::OutOfMemory => {
            format!("a ring of {ring_bytes} bytes for {interface}: {error}: choose a smaller one")
        }
        _ => format!("packets cannot be captured on {interface}: {error}"),
    })
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
