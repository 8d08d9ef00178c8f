//! A gateway between two real network segments, on one machine, without touching its network.
//!
//! In a user and a network namespace of its own the lab builds
//!
//! ```text
//!   device end ==veth== [device port | bridge, gateway | rest port] ==veth== rest end
//! ```
//!
//! and sends a recorded capture through it as real frames: those of the devices from the device end,
//! all others from the rest end. The gateway runs as a process of its own and knows nothing of the
//! capture but the marks that tell packet time. When the processes end, the namespaces are gone.
//!
//! If the lab itself is killed and started again, the capture begins anew under a new epoch.

mod netns;
mod sender;
pub(crate) mod wires;

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::captures::{self, Summary};
use crate::lane::{self, GatewaySays, LaneEnd};
use crate::link::NodeAddress;
use crate::replay::{Replay, ReplaySettings};
use crate::{EdgeError, clock};
use sender::Sender;

pub(crate) use netns::own_namespaces;
use wires::Ends;

/// Name of the gateway's port on the device side.
pub const DEVICE_PORT: &str = "device";
/// Name of the gateway's port on the other side.
pub const REST_PORT: &str = "rest";
/// How long the gateway process may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How long the kernel may take to begin stamping frames in the sender's own call, after the
/// capture asked for it.
const STAMPING_AFTER: Duration = Duration::from_millis(100);
/// How long the gateway process may take to end.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What the lab plays and for whom.
#[derive(Clone, Debug)]
pub struct LabSettings {
    /// The captures and their speed.
    pub replay: ReplaySettings,
    /// The node the gateway belongs to.
    pub node: NodeAddress,
    /// MAC addresses of the devices behind the gateway.
    pub device_macs: Vec<[u8; 6]>,
    /// This program, started again as the gateway.
    pub program: PathBuf,
}

/// A lab that stands: frames can be sent.
pub struct Lab {
    ends: Ends,
    gateway: Child,
    lane: LaneEnd,
}

/// Builds the lab. Must be called before the process has a second thread.
///
/// # Errors
/// The text says what is missing here and how to mend it; the caller then plays from the file.
pub fn build(settings: &LabSettings, summary: &Summary) -> Result<Lab, String> {
    if settings.device_macs.is_empty() {
        return Err("no device is named: give its MAC address with --device-mac".to_owned());
    }
    if summary.not_ethernet > 0 {
        return Err(format!(
            "{} of {} packets are not Ethernet frames and cannot travel through a bridge",
            summary.not_ethernet, summary.total
        ));
    }
    crate::nft::find()?;
    own_namespaces()?;
    let ends = wires::build(DEVICE_PORT, REST_PORT)?;
    let (ours, theirs) = lane::pair().map_err(|error| format!("no socket pair: {error}"))?;
    let gateway = start_gateway(settings, theirs)
        .map_err(|error| format!("{}: {error}", settings.program.display()))?;
    let mut lab = Lab { ends, gateway, lane: LaneEnd::new(ours) };
    match lab.lane.hear(READY_WITHIN) {
        Ok(Some(GatewaySays::Ready)) => {}
        Ok(Some(GatewaySays::Unable(reason))) => return Err(reason),
        Ok(other) => return Err(format!("the gateway process is not ready: {other:?}")),
        Err(error) => return Err(format!("the gateway process ended: {error}")),
    }
    std::thread::sleep(STAMPING_AFTER);
    Ok(lab)
}

fn start_gateway(settings: &LabSettings, lane: OwnedFd) -> std::io::Result<Child> {
    let mut command = Command::new(&settings.program);
    command
        .arg("gateway")
        .args(["--device-port", DEVICE_PORT, "--rest-port", REST_PORT])
        .arg("--socket")
        .arg(&settings.node.socket)
        .arg("--token-file")
        .arg(&settings.node.token_file)
        .args(["--name", &settings.node.name])
        .args(["--replay-on-stdin", &settings.replay.credit]);
    for mac in &settings.device_macs {
        command.args(["--device-mac", &analytics::host::Host::mac(*mac).to_string()]);
    }
    // A group of its own: a Ctrl-C on the terminal reaches the lab, which then ends the gateway.
    command.stdin(Stdio::from(lane)).process_group(0).spawn()
}

impl Lab {
    /// Plays until `stop` is set.
    ///
    /// # Errors
    /// A capture cannot be read any more, or the gateway process ended.
    pub fn run(
        self,
        settings: LabSettings,
        summary: &Summary,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), EdgeError> {
        let mut replay = Replay::new(settings.replay, summary)?;
        let macs: HashSet<[u8; 6]> = settings.device_macs.into_iter().collect();
        let mut sender = Sender::new(self.ends, macs, self.lane, stop.clone());
        let mut gateway = self.gateway;
        netns::stay_on_one_processor();
        let result = replay.run(&mut sender);
        sender.report();
        drop(sender);
        end(&mut gateway);
        match result {
            Err(_) if stop.load(Ordering::Relaxed) => Ok(()),
            result => result,
        }
    }
}

fn end(gateway: &mut Child) {
    if let Ok(pid) = i32::try_from(gateway.id()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    let until = clock::monotonic() + END_WITHIN;
    while clock::monotonic() < until {
        if !matches!(gateway.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    tracing::warn!("the gateway process did not end by itself");
    let _ = gateway.kill();
    let _ = gateway.wait();
}

/// Reads the captures' span; for callers that decide before they build.
///
/// # Errors
/// As [`captures::summarise`].
pub fn summarise(settings: &LabSettings) -> Result<Summary, EdgeError> {
    let summary = captures::summarise(&settings.replay.captures)?;
    for reason in &summary.damaged {
        tracing::warn!("{reason}");
    }
    Ok(summary)
}

/// Builds the wires and lets them go again: for [`crate::check`].
pub(crate) fn try_wires() -> Result<(), String> {
    wires::build(DEVICE_PORT, REST_PORT).map(drop)
}
