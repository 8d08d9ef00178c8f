//! Sends the frames of the replay into the ends of the wires.

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use ports::edge::SourceState;
use protocols::capture::Frame;
use protocols::packet::LinkType;

use super::wires::{Ends, MTU};
use crate::lane::{GatewaySays, LaneEnd, ReplayerSays};
use crate::replay::{Command, Lane};
use crate::{EdgeError, clock};

/// Frames that may be on the way: fewer than the smallest receive queue holds.
const MAX_ON_THE_WAY: u64 = 64;
/// How long a frame may stay unseen before it counts as lost.
const LOST_AFTER: Duration = Duration::from_millis(300);
/// Bytes of an Ethernet header.
const HEADER_BYTES: usize = 14;

/// The lane through a real gateway.
pub(super) struct Sender {
    ends: Ends,
    macs: HashSet<[u8; 6]>,
    lane: LaneEnd,
    stop: Arc<AtomicBool>,
    sent: u64,
    /// Frames the gateway has seen, and those given up as lost.
    accounted: u64,
    lost: u64,
    unsendable: u64,
    commands: Vec<Command>,
    padded: Vec<u8>,
}

impl Sender {
    pub(super) fn new(
        ends: Ends,
        macs: HashSet<[u8; 6]>,
        lane: LaneEnd,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            ends,
            macs,
            lane,
            stop,
            sent: 0,
            accounted: 0,
            lost: 0,
            unsendable: 0,
            commands: Vec::new(),
            padded: Vec::new(),
        }
    }

    /// Says what became of the frames.
    pub(super) fn report(&self) {
        let (sent, lost, unsendable) = (self.sent, self.lost, self.unsendable);
        tracing::info!(sent, lost, unsendable, "frames sent");
    }

    fn say(&mut self, message: &ReplayerSays) -> Result<(), EdgeError> {
        // The gateway may be waiting for room to speak as well: listen while the lane is full.
        while !self.lane.try_say(message).map_err(|_| EdgeError::Gone("the gateway process"))? {
            self.listen(Duration::from_millis(1))?;
        }
        Ok(())
    }

    /// Takes what the gateway says, waiting at most `wait` for the first of it.
    fn listen(&mut self, wait: Duration) -> Result<(), EdgeError> {
        let mut wait = wait;
        while let Some(said) =
            self.lane.hear(wait).map_err(|_| EdgeError::Gone("the gateway process"))?
        {
            wait = Duration::ZERO;
            match said {
                GatewaySays::Seen(seen) => self.accounted = self.accounted.max(seen + self.lost),
                GatewaySays::Control(control) => self.commands.push(Command::Control(control)),
                GatewaySays::Hold(hold) => self.commands.push(Command::Hold(hold)),
                GatewaySays::Ready => {}
                GatewaySays::Unable(reason) => return Err(EdgeError::Network(reason)),
            }
        }
        Ok(())
    }

    /// Waits until at most `allowed` frames are on the way; what does not show up in time is lost.
    fn let_pass(&mut self, allowed: u64) -> Result<(), EdgeError> {
        let mut progress = (self.accounted, clock::monotonic());
        while self.sent.saturating_sub(self.accounted) > allowed {
            self.listen(Duration::from_millis(5))?;
            let now = clock::monotonic();
            if self.accounted != progress.0 {
                progress = (self.accounted, now);
            } else if now.saturating_sub(progress.1) > LOST_AFTER {
                let missing = self.sent - self.accounted;
                tracing::warn!(missing, "frames were lost on their way to the gateway");
                self.lost += missing;
                self.accounted = self.sent;
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Lane for Sender {
    fn started(&mut self, epoch: u64) -> Result<(), EdgeError> {
        self.let_pass(0)?;
        self.say(&ReplayerSays::Started(epoch))
    }

    fn send(&mut self, frame: &Frame<'_>) -> Result<bool, EdgeError> {
        // A frame cut by the capture is filled up with zeros to the length it had.
        let length = frame.captured.len().max(frame.wire_len as usize);
        let sendable = HEADER_BYTES..=MTU as usize + HEADER_BYTES;
        if frame.link != LinkType::ETHERNET
            || frame.captured.len() < HEADER_BYTES
            || !sendable.contains(&length)
        {
            self.unsendable += 1;
            return Ok(false);
        }
        self.let_pass(MAX_ON_THE_WAY)?;
        let from_device = frame.captured[6..12]
            .first_chunk::<6>()
            .is_some_and(|source| self.macs.contains(source));
        let end = if from_device { &self.ends.device } else { &self.ends.rest }.as_raw_fd();
        let bytes = if length == frame.captured.len() {
            frame.captured
        } else {
            self.padded.clear();
            self.padded.extend_from_slice(frame.captured);
            self.padded.resize(length, 0);
            &self.padded
        };
        let mark = ReplayerSays::Mark(clock::realtime_ns(), frame.ts_ns);
        while !self.lane.try_say(&mark).map_err(|_| EdgeError::Gone("the gateway process"))? {
            // Never with so few frames on the way; the mark's time is then still before the frame.
            std::thread::sleep(Duration::from_micros(100));
        }
        loop {
            match send(end, bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(_) => break,
                Err(Errno::EINTR | Errno::ENOBUFS | Errno::EAGAIN) => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(error) => {
                    tracing::debug!(%error, length, "a frame cannot be sent");
                    self.unsendable += 1;
                    return Ok(false);
                }
            }
        }
        self.sent += 1;
        Ok(true)
    }

    fn tick(&mut self, packet_ns: i64) -> Result<(), EdgeError> {
        // Said only when no frame is on the way, so that it cannot overtake one.
        if self.sent > self.accounted {
            return Ok(());
        }
        self.say(&ReplayerSays::Tick(packet_ns))
    }

    fn state(&mut self, state: &SourceState) -> Result<(), EdgeError> {
        self.say(&ReplayerSays::State(state.clone()))
    }

    fn finished(&mut self) -> Result<(), EdgeError> {
        self.let_pass(0)?;
        self.say(&ReplayerSays::Finished)
    }

    fn command(&mut self, wait: Duration) -> Result<Option<Command>, EdgeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Some(Command::Stop));
        }
        if self.commands.is_empty() {
            self.listen(wait)?;
        }
        Ok((!self.commands.is_empty()).then(|| self.commands.remove(0)))
    }
}
