//! The self-test of a block: a frame of the device, made here, through the very hook that real ones pass.
//!
//! Two veth pairs are ports of the gateway's own bridge: what is sent into the first comes out of the
//! second, unless the table drops it. The ports learn nothing and take nothing that is flooded, so the
//! real network does not notice them, and the frame's destination is the second port alone: a frame
//! that is not dropped reaches nobody but this process.

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
}

/// The two wires on a bridge.
#[derive(Debug)]
pub struct BridgeProver {
    into: OwnedFd,
    out: OwnedFd,
    /// Interface of `out`.
    index: u32,
    number: u32,
}

impl BridgeProver {
    /// Makes the wires on the bridge that `device_port` is a port of.
    ///
    /// # Errors
    /// Why there can be no self-test here.
    pub fn create(device_port: &str) -> Result<Self, String> {
        let ends = wires::build(device_port)?;
        let failed = |error: std::io::Error| format!("no packet socket for the self-test: {error}");
        let into = sys::open_sender(ends.into).map_err(failed)?;
        let out = sys::open_receiver(ends.out).map_err(failed)?;
        Ok(Self { into, out, index: ends.out, number: 0 })
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

impl Prove for BridgeProver {
    fn probe(&mut self, probe: &ProbeFrame) -> Result<bool, String> {
        let (tested, control) = (self.number.wrapping_add(1), self.number.wrapping_add(2));
        self.number = control;
        self.send(&probe.bytes(wires::OUT_MAC, tested))?;
        self.send(&ProbeFrame::control().bytes(wires::OUT_MAC, control))?;
        match self.came_out(tested, control)? {
            (arrived, true) => Ok(arrived),
            (_, false) => Err(
                "not even a frame that nobody ordered to stop came through the self-test's ports"
                    .to_owned(),
            ),
        }
    }
}
