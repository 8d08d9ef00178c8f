//! The same loop without a network: windows from the file at the replay's speed, nothing enforced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ports::edge::{Source, SourceState};
use protocols::capture::Frame;

use crate::captures::Summary;
use crate::gateway::Helpers;
use crate::link::NodeAddress;
use crate::outbox::Outbox;
use crate::replay::{Command, Lane, Replay, ReplaySettings};
use crate::watch::{DeviceSide, Watch};
use crate::{EdgeError, clock};

/// What is played from the file, and why it is.
#[derive(Clone, Debug)]
pub struct FileSettings {
    /// The captures and their speed.
    pub replay: ReplaySettings,
    /// The node.
    pub node: NodeAddress,
    /// MAC addresses of the devices; empty: every local host is one.
    pub device_macs: Vec<[u8; 6]>,
    /// Why nothing is enforced here, in plain words.
    pub reason: String,
}

struct FileLane {
    watch: Watch,
    helpers: Helpers,
    stop: Arc<AtomicBool>,
    held: bool,
}

/// Plays until `stop` is set.
///
/// # Errors
/// A capture cannot be read.
pub fn run(
    settings: FileSettings,
    summary: &Summary,
    stop: &Arc<AtomicBool>,
) -> Result<(), EdgeError> {
    tracing::warn!(reason = %settings.reason, "not enforced here; playing from the file");
    let source = Source::Replay { capture: settings.replay.credit.clone(), through_gateway: false };
    let outbox = Arc::new(Outbox::default());
    let side = if settings.device_macs.is_empty() {
        DeviceSide::Everybody
    } else {
        DeviceSide::Listed(settings.device_macs.iter().copied().collect())
    };
    let name = settings.node.name.clone();
    let mut replay = Replay::new(settings.replay, summary)?;
    let helpers =
        Helpers::start(settings.node, source, Err(settings.reason), outbox.clone(), stop)?;
    let watch = Watch::new(&name, outbox, helpers.shared.clone(), side, true)?;
    let mut lane = FileLane { watch, helpers, stop: stop.clone(), held: false };
    let result = replay.run(&mut lane);
    lane.helpers.end();
    result
}

impl Lane for FileLane {
    fn started(&mut self, epoch: u64) -> Result<(), EdgeError> {
        self.watch.start(epoch)
    }

    fn send(&mut self, frame: &Frame<'_>) -> Result<bool, EdgeError> {
        self.watch.frame(frame.ts_ns, frame.link, frame.captured, frame.wire_len, false);
        Ok(true)
    }

    fn tick(&mut self, packet_ns: i64) -> Result<(), EdgeError> {
        self.watch.advance(packet_ns);
        Ok(())
    }

    fn state(&mut self, state: &SourceState) -> Result<(), EdgeError> {
        self.helpers.outbox.state(state.clone());
        Ok(())
    }

    fn finished(&mut self) -> Result<(), EdgeError> {
        self.watch.finish();
        Ok(())
    }

    fn command(&mut self, wait: Duration) -> Result<Option<Command>, EdgeError> {
        self.watch.settle();
        if let Some(at) = self.watch.at() {
            self.helpers.shared.reached(at);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Some(Command::Stop));
        }
        let full = self.helpers.outbox.full();
        if full != self.held {
            self.held = full;
            return Ok(Some(Command::Hold(full)));
        }
        // In short steps, so that room in the outbox and the end are noticed.
        let until = clock::monotonic() + wait.min(Duration::from_millis(20));
        loop {
            let left = until.saturating_sub(clock::monotonic());
            match self.helpers.controls.recv_timeout(left) {
                Ok(control) => return Ok(Some(Command::Control(control))),
                Err(_) if left.is_zero() => return Ok(None),
                Err(_) => {}
            }
        }
    }
}
