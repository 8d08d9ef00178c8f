//! Processes under the agent's eye: started, frozen, ended hard, and found again after the agent itself died.
//!
//! A service is its process group. What leaves its group (by `setsid`) is no longer reached: give such a service a
//! virtual machine or an overlay of its own.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::CheckpointError;
use super::counter::write_whole;
use crate::clock;

/// How long processes may take to stand still, or to be gone.
const SETTLE: Duration = Duration::from_secs(5);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(1);
/// Looks after which a group that does not stand still is let go for a moment.
const STUCK_ROUNDS: u32 = 5;
/// Longest output of a tool, bytes.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// A supervised program.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    command: Vec<String>,
    folder: Option<PathBuf>,
    /// Where the running group is written down, so that a new agent can end what a dead one left.
    note: PathBuf,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn new(name: &str, command: &[String], folder: Option<&Path>, notes: &Path) -> Self {
        Self {
            name: name.to_owned(),
            command: command.to_vec(),
            folder: folder.map(Path::to_path_buf),
            note: notes.join(format!("{name}.group")),
            child: None,
        }
    }

    /// Starts the program, with more arguments; what a dead agent left of it is ended first.
    pub(crate) fn start(&mut self, more: &[String]) -> Result<(), CheckpointError> {
        self.end()?;
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(CheckpointError::Settings(format!("service {}: no command", self.name)));
        };
        let mut command = Command::new(program);
        command.args(arguments).args(more).stdin(Stdio::null()).process_group(0);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let child = command.spawn().map_err(|cause| {
            CheckpointError::Settings(format!(
                "service {}: {program} cannot be started: {cause}",
                self.name
            ))
        })?;
        let group = child.id();
        self.child = Some(child);
        let since = stat(group).map(|stat| stat.since).unwrap_or_default();
        write_whole(&self.note, format!("{group} {since}").as_bytes())
    }

    /// Does it run?
    pub(crate) fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn group(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Lets every process of the group stand still; says for how long at least it has run without doing so in vain.
    pub(crate) fn freeze(&self) -> Result<(), CheckpointError> {
        let Some(group) = self.group() else { return Ok(()) };
        let failed = |cause: String| CheckpointError::Backend {
            backend: "supervisor",
            reason: format!("{} does not stand still: {cause}", self.name),
        };
        let until = clock::monotonic() + SETTLE;
        for round in 1_u32.. {
            if round.is_multiple_of(STUCK_ROUNDS) {
                // Whoever waits for a child between vfork and exec cannot be stopped once the child was: let both by.
                self.thaw();
                std::thread::sleep(LOOK * 2);
            }
            match killpg(pid(group), Signal::SIGSTOP) {
                Ok(()) => {}
                Err(nix::errno::Errno::ESRCH) => return Ok(()),
                Err(cause) => return Err(failed(cause.to_string())),
            }
            // Those that were born in between are stopped by the next round.
            if members(group).iter().all(|member| matches!(member.state, b'T' | b't' | b'Z' | b'X'))
            {
                return Ok(());
            }
            if clock::monotonic() > until {
                self.thaw();
                return Err(failed(format!("not within {} s", SETTLE.as_secs())));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Lets the group go on.
    pub(crate) fn thaw(&self) {
        if let Some(group) = self.group() {
            let _ = killpg(pid(group), Signal::SIGCONT);
        }
    }

    /// Ends the group at once, without a chance to react; also one that a dead agent left.
    pub(crate) fn end(&mut self) -> Result<(), CheckpointError> {
        let group = match self.child.take() {
            Some(mut child) => {
                let group = child.id();
                let _ = killpg(pid(group), Signal::SIGKILL);
                let _ = child.wait();
                Some(group)
            }
            None => self.left(),
        };
        let Some(group) = group else { return Ok(()) };
        let until = clock::monotonic() + SETTLE;
        while members(group).iter().any(|member| !matches!(member.state, b'Z' | b'X')) {
            let _ = killpg(pid(group), Signal::SIGKILL);
            if clock::monotonic() > until {
                return Err(CheckpointError::Backend {
                    backend: "supervisor",
                    reason: format!("{} cannot be ended within {} s", self.name, SETTLE.as_secs()),
                });
            }
            std::thread::sleep(LOOK);
        }
        let _ = std::fs::remove_file(&self.note);
        Ok(())
    }

    /// The group that a dead agent left, if what has its number now is still the same.
    fn left(&self) -> Option<u32> {
        let text = std::fs::read_to_string(&self.note).ok()?;
        let (group, since) = text.trim().split_once(' ')?;
        let (group, since) = (group.parse().ok()?, since.parse::<u64>().ok()?);
        let same = stat(group).is_some_and(|stat| stat.since == since);
        // The leader may be gone and its children not; a number in use as a group is not given out again.
        (same || (stat(group).is_none() && !members(group).is_empty())).then_some(group)
    }

    /// Seconds of processor time the group has used.
    pub(crate) fn busy_s(&self) -> Option<f64> {
        let ticks: u64 = members(self.group()?).iter().map(|member| member.ticks).sum();
        let per_s = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten()?;
        Some(ticks as f64 / per_s as f64)
    }

    /// The process's number.
    pub(crate) fn id(&self) -> Option<u32> {
        self.group()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = self.end();
        }
    }
}

fn pid(group: u32) -> Pid {
    Pid::from_raw(i32::try_from(group).unwrap_or(i32::MAX))
}

struct Stat {
    state: u8,
    group: u32,
    /// Processor time in ticks, children that were waited for included.
    ticks: u64,
    /// Start, in ticks since the machine started.
    since: u64,
}

/// A process as proc(5) has it. The name may hold anything: what counts stands behind its last bracket.
fn stat(process: u32) -> Option<Stat> {
    let text = std::fs::read(format!("/proc/{process}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        group: u32::try_from(number(2)?).ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        since: number(19)?,
    })
}

fn members(group: u32) -> Vec<Stat> {
    let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(stat).filter(|stat| stat.group == group).collect()
}

/// Runs a tool and gives what it wrote; an error has the first words of what it complained of.
pub(crate) fn output_within(mut command: Command, within: Duration) -> Result<Vec<u8>, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|cause| cause.to_string())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let reader = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                let _ = stream.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let out = reader(out.map(|stream| Box::new(stream) as _));
    let err = reader(err.map(|stream| Box::new(stream) as _));
    let until = clock::monotonic() + within;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if clock::monotonic() < until => std::thread::sleep(LOOK),
            Ok(None) => {
                let _ = killpg(pid(child.id()), Signal::SIGKILL);
                let _ = child.wait();
                break Err(format!("no end within {} s", within.as_secs()));
            }
            Err(cause) => break Err(cause.to_string()),
        }
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    match status {
        Ok(status) if status.success() => Ok(out),
        Ok(status) => {
            let text = String::from_utf8_lossy(&err);
            let words: String = text.trim().chars().take(400).collect();
            Err(format!("{status}: {words}"))
        }
        Err(cause) => Err(cause),
    }
}
