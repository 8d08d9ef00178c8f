//! Commands to machines in captures, judged as they come.

use std::borrow::Cow;
use std::sync::Arc;

use analytics::commands::{
    CommandFinding, CommandJudge, CommandModel, CommandWindow, CommandWindows, each_command,
};
use protocols::flow::Sighting;

use super::scored::{ScoredWindow, Why, WhyValue};

/// Name of the detector.
pub(super) const COMMANDS: &str = "commands";

/// Judges commands as they come and gathers the findings by window.
pub(super) struct CommandWatch {
    judge: CommandJudge,
    windows: CommandWindows,
}

impl CommandWatch {
    pub(super) fn new(model: Arc<CommandModel>, window_us: i64) -> Self {
        Self { judge: CommandJudge::new(model), windows: CommandWindows::new(window_us) }
    }

    /// Takes the commands of a message.
    pub(super) fn message(&mut self, sighting: &Sighting<'_>) {
        let (judge, windows) = (&mut self.judge, &mut self.windows);
        each_command(sighting, &mut |command| {
            windows.command(&command);
            judge.push(&command, &mut |finding| windows.finding(&finding));
        });
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
