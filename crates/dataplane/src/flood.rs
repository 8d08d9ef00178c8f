//! A load for measurements: small frames as fast as asked, or as this machine can, with every frame
//! accounted for: those the kernel took, those that left the interface, those it dropped.
//!
//! Frames go through a packet socket straight to the driver. Through the internet layer and the
//! queue of the interface the same two cores sent about half as many.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};

use crate::counters::{self, InterfaceCounters};
use crate::prove::checksum;
use crate::{EdgeError, clock, sys};

/// Frames handed to the kernel at a time.
const BATCH: usize = 64;
/// Bytes of a frame: the least of Ethernet, without its check sequence.
pub const FRAME_BYTES: usize = 60;
/// UDP port that the frames go to.
pub const PORT: u16 = 9_999;
/// Different senders at most: what the last three bytes of their addresses hold.
pub const MAX_SENDERS: u32 = 1 << 24;

/// Threads at most.
pub const MAX_THREADS: u64 = 16;

/// What is sent.
#[derive(Clone, Debug)]
pub struct FloodSettings {
    /// Interface that the frames leave by.
    pub interface: String,
    /// How many frames.
    pub count: u64,
    /// How many a second; as fast as possible without.
    pub per_second: Option<f64>,
    /// Threads that share the work, at most [`MAX_THREADS`].
    pub threads: u64,
    /// Different senders (MAC and internet address) that take turns, 1 to [`MAX_SENDERS`].
    pub senders: u32,
}

/// What became of it: `accepted = left + dropped` where nobody else sends on the interface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloodCounts {
    /// Frames the kernel took.
    pub accepted: u64,
    /// Of these, frames that left by the interface (its own count).
    pub left: u64,
    /// Of these, frames the interface dropped (its own count).
    pub dropped: u64,
    /// How long it took, seconds.
    pub seconds: f64,
}

/// Sends all frames.
///
/// # Errors
/// There is no such interface, no right to send, or the interface goes down.
pub fn run(settings: &FloodSettings) -> Result<FloodCounts, EdgeError> {
    let interface = settings.interface.as_str();
    let failed = |error: io::Error| {
        EdgeError::Network(format!("frames cannot be sent by {interface}: {error}"))
    };
    if !(1..=MAX_SENDERS).contains(&settings.senders) {
        return Err(EdgeError::Settings(format!("choose 1 to {MAX_SENDERS} senders")));
    }
    let index = nix::net::if_::if_nametoindex(interface).map_err(|error| failed(error.into()))?;
    let threads = settings.threads.clamp(1, MAX_THREADS);
    let sockets: Vec<OwnedFd> = (0..threads)
        .map(|_| sys::open_flooder(index))
        .collect::<io::Result<_>>()
        .map_err(failed)?;
    let before = counters::read(interface).unwrap_or_default();
    let start = clock::monotonic();
    let results: Vec<io::Result<u64>> = std::thread::scope(|scope| {
        let share = |thread: u64| Share {
            first: thread * settings.count / threads,
            end: (thread + 1) * settings.count / threads,
            per_second: settings.per_second.map(|rate| rate / threads as f64),
            senders: settings.senders,
        };
        let running: Vec<_> = sockets
            .iter()
            .zip(0..)
            .map(|(socket, thread)| scope.spawn(move || share(thread).send(socket, start)))
            .collect();
        let gone = |_| Err(io::Error::other("a thread ended badly"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
    });
    let accepted = results.into_iter().sum::<io::Result<u64>>().map_err(failed)?;
    let seconds = (clock::monotonic() - start).as_secs_f64();
    let InterfaceCounters { out, out_dropped, .. } = counters::read(interface).unwrap_or_default();
    let (left, dropped) = (out - before.out.min(out), out_dropped - before.out_dropped);
    Ok(FloodCounts { accepted, left, dropped, seconds })
}

/// What one thread sends: the frames from `first` up to `end`.
struct Share {
    first: u64,
    end: u64,
    per_second: Option<f64>,
    senders: u32,
}

impl Share {
    fn send(&self, socket: &OwnedFd, start: Duration) -> io::Result<u64> {
        let mut frames = [frame(); BATCH];
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, None);
        let mut next = self.first;
        while next < self.end {
            wait_for_turn(start, next - self.first, self.per_second);
            let now = BATCH.min(usize::try_from(self.end - next).unwrap_or(BATCH));
            if self.senders > 1 {
                for (place, frame) in (next..).zip(&mut frames) {
                    set_sender(frame, (place % u64::from(self.senders)) as u32);
                }
            }
            let parts = frames.each_ref().map(|frame| [IoSlice::new(frame)]);
            let (parts, to) = (&parts[..now], &[None; BATCH][..now]);
            match sendmmsg(socket.as_raw_fd(), &mut headers, parts, to, [], MsgFlags::empty()) {
                Ok(results) => next += results.count() as u64,
                // No room at this moment: none of these frames was taken.
                Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(next - self.first)
    }
}

/// Waits until the next frame is due; frames that are late are caught up with.
fn wait_for_turn(start: Duration, sent: u64, per_second: Option<f64>) {
    let Some(rate) = per_second else { return };
    let due = Duration::from_secs_f64(sent as f64 / rate);
    while clock::monotonic() - start < due {
        std::hint::spin_loop();
    }
}

/// A datagram of 18 bytes from 10.0.0.0 to 192.0.2.1, to a MAC address that nobody has.
fn frame() -> [u8; FRAME_BYTES] {
    let mut frame = [0; FRAME_BYTES];
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 1, 0x0b, 2, 0, 0, 0, 0, 0]);
    frame[12..26].copy_from_slice(&[8, 0, 0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame[26..34].copy_from_slice(&[10, 0, 0, 0, 192, 0, 2, 1]);
    frame[34..36].copy_from_slice(&40_000_u16.to_be_bytes());
    frame[36..38].copy_from_slice(&PORT.to_be_bytes());
    frame[38..40].copy_from_slice(&26_u16.to_be_bytes());
    sum(&mut frame);
    frame
}

/// A bridge that shows its packets to iptables drops those whose header does not add up.
fn sum(frame: &mut [u8; FRAME_BYTES]) {
    frame[24..26].fill(0);
    let sum = checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
}

/// Puts the number of a sender into its MAC and its internet address.
fn set_sender(frame: &mut [u8; FRAME_BYTES], sender: u32) {
    let [_, number @ ..] = sender.to_be_bytes();
    frame[9..12].copy_from_slice(&number);
    frame[27..30].copy_from_slice(&number);
    sum(frame);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use protocols::packet::{LinkType, decode};

    use super::*;
    use crate::capture::Filter;

    #[test]
    fn frames_are_datagrams_of_their_sender() {
        let mut frame = frame();
        set_sender(&mut frame, 0x00_01_02_03);
        let view = decode(LinkType::ETHERNET, &frame, FRAME_BYTES as u32).unwrap();
        assert_eq!(view.src_mac, Some([2, 0, 0, 1, 2, 3]));
        assert_eq!(view.flaw, None);
        assert_eq!(checksum(&frame[14..34]), 0);
        let passes = |text: &str| Filter::compile(text).unwrap().passes(&frame, 60);
        assert!(passes("udp dst port 9999 and src host 10.1.2.3"));
    }
}
