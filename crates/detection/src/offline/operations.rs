//! Commands to machines in captures: every conversation is followed, every operation told.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use analytics::commands::{
    Command, CommandFinding, CommandJudge, CommandLearner, CommandModel, CommandWindow,
    CommandWindows,
};
use analytics::host::Host;
use protocols::flow::{End, Limits, Sighting, Tracker};
use protocols::packet::{PacketView, decode};

use super::input::read_frames;
use super::scored::{ScoredWindow, Why, WhyValue};
use super::{OfflineError, OfflineProgress};

/// Name of the detector.
pub(super) const COMMANDS: &str = "commands";

/// Follows the conversations of one capture and tells the operations on machines.
pub(super) struct Operations(Tracker);

impl Operations {
    pub(super) fn new() -> Self {
        Self(Tracker::new(Limits::default()))
    }

    /// Takes a packet and tells each operation it completes.
    pub(super) fn push(
        &mut self,
        ts_ns: i64,
        packet: &PacketView<'_>,
        each: &mut dyn FnMut(&Command<'_>),
    ) {
        self.0.push(ts_ns, packet, &mut |sighting: &Sighting<'_>| {
            if !sighting.protocol.is_industrial() {
                return;
            }
            let (Some(from), Some(to)) = (host(&sighting.from), host(&sighting.to)) else { return };
            sighting.record.operations(&mut |operation| {
                each(&Command {
                    ts_us: sighting.ts_ns.div_euclid(1_000),
                    from,
                    to,
                    protocol: sighting.protocol,
                    operation,
                });
            });
        });
    }
}

/// The name of an end as windows have it: its internet address, else its MAC address.
fn host(end: &End) -> Option<Host> {
    end.ip.map(Host::from).or_else(|| end.mac.map(Host::mac))
}

/// Every operation of some captures, one after the other.
pub(super) fn each_command(
    paths: &[PathBuf],
    mut each: impl FnMut(&Command<'_>),
) -> Result<(), OfflineError> {
    for path in paths {
        let mut operations = Operations::new();
        read_frames(
            path,
            |_: OfflineProgress| {},
            |frame| {
                if let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) {
                    operations.push(frame.ts_ns, &packet, &mut each);
                }
                Ok::<(), OfflineError>(())
            },
        )?;
    }
    Ok(())
}

/// Learns the commands of some captures; `None` where there are none.
pub(super) fn learn_commands(
    paths: &[PathBuf],
    window_us: i64,
) -> Result<Option<CommandModel>, OfflineError> {
    let mut learner = CommandLearner::new(window_us);
    each_command(paths, |command| learner.push(command))?;
    Ok(learner.finish().filter(|model| !model.pairs.is_empty()))
}

/// Judges commands as they come and gathers the findings by window.
pub(super) struct CommandWatch {
    judge: CommandJudge,
    windows: CommandWindows,
}

impl CommandWatch {
    pub(super) fn new(model: Arc<CommandModel>, window_us: i64) -> Self {
        Self { judge: CommandJudge::new(model), windows: CommandWindows::new(window_us) }
    }

    pub(super) fn push(&mut self, command: &Command<'_>) {
        self.windows.command(command);
        let windows = &mut self.windows;
        self.judge.push(command, &mut |finding| windows.finding(&finding));
    }

    /// Windows that ended before a time.
    pub(super) fn close_before(&mut self, ts_us: i64) -> Vec<CommandWindow> {
        self.windows.close_before(ts_us)
    }

    /// Every window that is left.
    pub(super) fn finish(self) -> Vec<CommandWindow> {
        self.windows.finish()
    }
}

/// A window of commands as the output tells it.
pub(super) fn scored(device: Arc<str>, window: &CommandWindow) -> ScoredWindow {
    ScoredWindow {
        device,
        group: None,
        start_us: window.start_us,
        end_us: window.end_us,
        score: window.score,
        alert: window.score > 1.0,
        detector: COMMANDS,
        why: window.told.iter().map(why).collect(),
    }
}

fn why(finding: &CommandFinding) -> Why {
    let mut measured = format!("{} {}", finding.from, finding.name);
    if !finding.object.is_empty() {
        measured.push(' ');
        measured.push_str(&finding.object);
    }
    if let Some(value) = finding.value {
        measured.push_str(&format!(" = {value}"));
    }
    Why {
        metric: Cow::Borrowed(finding.kind.name()),
        measured: WhyValue::Text(format!("{measured}, to {}", finding.to)),
        expected: WhyValue::Text(finding.expected.clone()),
    }
}
