//! What the lab's replayer and its gateway say to each other, over a pair of sockets.
//!
//! One message is one packet of a `SOCK_SEQPACKET` pair, JSON inside. The replayer sends the mark of
//! a frame before the frame itself, so whoever holds the frame finds its mark.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use ports::edge::{ReplayControl, SourceState};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Longest message, bytes.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;

/// What the replayer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReplayerSays {
    /// The next frame is sent at this wall time or right after; its packet time (nanoseconds both).
    Mark(i64, i64),
    /// No frame is on the way and packet time has come this far.
    Tick(i64),
    /// A new start from the first packet; no frame of the old one is on the way.
    Started(u64),
    /// Where the replay stands.
    State(SourceState),
    /// All frames were sent and none is on the way.
    Finished,
}

/// What the gateway says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GatewaySays {
    /// Frames are being captured and orders can be carried out.
    Ready,
    /// This gateway cannot work here, and why.
    Unable(String),
    /// Frames seen since the start, those dropped by the capture included.
    Seen(u64),
    /// Control from the node.
    Control(ReplayControl),
    /// Stand still (true) while nothing more can be kept, then go on (false).
    Hold(bool),
}

/// One end of the lane.
#[derive(Debug)]
pub struct LaneEnd {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

/// Both ends; the second may be handed to another process.
///
/// # Errors
/// The system has no such sockets.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

impl LaneEnd {
    /// Speaks over a socket made by [`pair`].
    #[must_use]
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd, buffer: vec![0; MAX_MESSAGE_BYTES] }
    }

    /// Says something, waiting for room.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn say<M: Serialize>(&self, message: &M) -> io::Result<()> {
        self.write(message, MsgFlags::MSG_NOSIGNAL).map(drop)
    }

    /// Says something if there is room now; `false` when there is none.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn try_say<M: Serialize>(&self, message: &M) -> io::Result<bool> {
        self.write(message, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT)
    }

    fn write<M: Serialize>(&self, message: &M, flags: MsgFlags) -> io::Result<bool> {
        let text = serde_json::to_vec(message)?;
        loop {
            match send(self.fd.as_raw_fd(), &text, flags) {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes the next message if one is there.
    ///
    /// # Errors
    /// The other end is gone or speaks another language.
    pub fn try_hear<M: DeserializeOwned>(&mut self) -> io::Result<Option<M>> {
        loop {
            match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => return Ok(Some(serde_json::from_slice(&self.buffer[..length])?)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits at most `wait` for the next message.
    ///
    /// # Errors
    /// As [`LaneEnd::try_hear`].
    pub fn hear<M: DeserializeOwned>(&mut self, wait: Duration) -> io::Result<Option<M>> {
        if let Some(message) = self.try_hear()? {
            return Ok(Some(message));
        }
        if wait.is_zero() {
            return Ok(None);
        }
        readable(&[self.fd.as_fd()], wait)?;
        self.try_hear()
    }
}

impl AsFd for LaneEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits at most `wait` until one of the descriptors can be read.
pub(crate) fn readable(fds: &[BorrowedFd<'_>], wait: Duration) -> io::Result<()> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    let wait = wait.min(Duration::from_secs(60));
    if wait < Duration::from_millis(1) {
        // Shorter than poll can wait: a plain nap keeps frames apart.
        std::thread::sleep(wait);
        return Ok(());
    }
    // Rounded down, so that a frame is not late by a whole millisecond.
    let timeout = PollTimeout::try_from(wait.as_millis()).unwrap_or(PollTimeout::MAX);
    match nix::poll::poll(&mut polled, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_arrive_whole_and_in_order_and_the_end_is_noticed() {
        let (a, b) = pair().unwrap();
        let (a, mut b) = (LaneEnd::new(a), LaneEnd::new(b));
        a.say(&ReplayerSays::Mark(1, 2)).unwrap();
        a.say(&ReplayerSays::Finished).unwrap();
        let wait = Duration::from_millis(5);
        assert_eq!(b.hear(wait).unwrap(), Some(ReplayerSays::Mark(1, 2)));
        assert_eq!(b.hear(wait).unwrap(), Some(ReplayerSays::Finished));
        assert_eq!(b.hear::<ReplayerSays>(wait).unwrap(), None);
        drop(a);
        assert!(b.hear::<ReplayerSays>(wait).is_err());
    }

    #[test]
    fn a_full_lane_says_so_instead_of_waiting() {
        let (a, _b) = pair().unwrap();
        let a = LaneEnd::new(a);
        let mut said = 0;
        while a.try_say(&GatewaySays::Seen(said)).unwrap() {
            said += 1;
            assert!(said < 1_000_000);
        }
        assert!(said > 10);
    }
}
