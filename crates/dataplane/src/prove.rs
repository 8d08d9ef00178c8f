//! The self-test of a block: a frame of the device, made here, through the very hook that real ones pass.
//!
//! Two veth pairs are ports of the gateway's own bridge: what is sent into the first comes out of the
//! second, unless the table drops it. The ports learn nothing and take nothing that is flooded, so the
//! real network does not notice them, and the frame's destination is the second port alone: a frame
//! that is not dropped reaches nobody but this process. At a router they are interfaces of their own: a rule
//! routes what comes in by the first, and nothing else, out by the second.

mod frame;
mod wires;

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{MsgFlags, send};
use std::os::fd::AsRawFd;

use crate::lane::readable;
use crate::{clock, sys};

pub use frame::ProbeFrame;
pub use wires::PROBE_PORT;

/// How long a frame may take from one port to the other.
const ARRIVES_WITHIN: Duration = Duration::from_millis(200);
/// How long after a later frame an earlier one may still come: each processor has a queue of its own.
const OVERTAKEN_BY: Duration = Duration::from_millis(3);
/// Frames looked at while waiting for one.
const MAX_OTHERS: usize = 4_096;

/// Shows whether a frame passes.
pub trait Prove: Send {
    /// Sends the frame through the gateway. True: it came out at the other side.
    ///
    /// # Errors
    /// The test itself does not work: not even a frame that nobody ordered to stop came through.
    fn probe(&mut self, frame: &ProbeFrame) -> Result<bool, String>;
    /// Whether a frame that is not dropped must come out: a router may have another place for its destination.
    fn certain(&self) -> bool {
        true
    }
}

/// The two wires on a bridge, or at a router.
#[derive(Debug)]
pub struct WireProver {
    into: OwnedFd,
    out: OwnedFd,
    /// Where frames are sent so that the machine forwards them.
    to: [u8; 6],
    routed: bool,
    /// Interface of `out`.
    index: u32,
    number: u32,
}

impl WireProver {
    /// Makes the wires on the bridge that `device_port` is a port of.
    ///
    /// # Errors
    /// Why there can be no self-test here.
    pub fn on_bridge(device_port: &str) -> Result<Self, String> {
        Self::open(&wires::build(device_port)?, wires::OUT_MAC, false)
    }

    /// Makes the wires at a router.
    ///
    /// # Errors
    /// Why there can be no self-test here.
    pub fn at_router() -> Result<Self, String> {
        Self::open(&wires::build_routed()?, wires::IN_MAC, true)
    }

    fn open(ends: &wires::Ends, to: [u8; 6], routed: bool) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("no packet socket for the self-test: {error}");
        let into = sys::open_sender(ends.into).map_err(failed)?;
        let out = sys::open_receiver(ends.out).map_err(failed)?;
        Ok(Self { into, out, to, routed, index: ends.out, number: 0 })
    }

    fn send(&self, bytes: &[u8]) -> Result<(), String> {
        send(self.into.as_raw_fd(), bytes, MsgFlags::empty())
            .map(drop)
            .map_err(|error| format!("a frame of the self-test cannot be sent: {error}"))
    }

    /// Which of two numbers came out: waits for the second, and a little longer for the first.
    fn came_out(&self, tested: u32, control: u32) -> Result<(bool, bool), String> {
        let mut found = (false, false);
        let mut until = clock::monotonic() + ARRIVES_WITHIN;
        let mut buffer = [0; 256];
        for _ in 0..MAX_OTHERS {
            let failed = |error: std::io::Error| format!("the self-test cannot listen: {error}");
            while let Some(received) =
                sys::receive(self.out.as_fd(), &mut buffer).map_err(failed)?
            {
                if received.outgoing || received.interface != self.index {
                    continue;
                }
                match frame::number(&buffer[..received.captured]) {
                    Some(number) if number == tested => found.0 = true,
                    Some(number) if number == control => {
                        found.1 = true;
                        until = until.min(clock::monotonic() + OVERTAKEN_BY);
                    }
                    _ => {}
                }
            }
            let now = clock::monotonic();
            if found == (true, true) || now >= until {
                break;
            }
            readable(&[self.out.as_fd()], (until - now).max(Duration::from_millis(1)))
                .map_err(failed)?;
        }
        Ok(found)
    }
}

impl Prove for WireProver {
    fn certain(&self) -> bool {
        !self.routed
    }

    fn probe(&mut self, probe: &ProbeFrame) -> Result<bool, String> {
        if self.routed && !probe.is_routable() {
            return Err("a router does not forward what this order stops".to_owned());
        }
        let (tested, control) = (self.number.wrapping_add(1), self.number.wrapping_add(2));
        self.number = control;
        self.send(&probe.bytes(self.to, tested))?;
        self.send(&ProbeFrame::control().bytes(self.to, control))?;
        match self.came_out(tested, control)? {
            (arrived, true) => Ok(arrived),
            (_, false) => Err(
                "not even a frame that nobody ordered to stop came through the self-test's ports"
                    .to_owned(),
            ),
        }
    }
}
