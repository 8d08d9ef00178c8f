//! A supervised process: told to end when we end, restarted when it dies, but not for ever.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child as Process, Command};

use crate::output::{self, Failure};

/// Restarts before the supervisor gives up on a process.
const MAX_RESTARTS: u32 = 60;
/// How long a node may take to become ready.
const READY_DEADLINE_S: u64 = 60;
/// How long a process may take to stop before it is killed.
const STOP_DEADLINE_S: u64 = 10;

/// One process of the demonstration.
pub(super) struct Child {
    name: &'static str,
    command: Command,
    process: Process,
    restarts: u32,
}

impl Child {
    /// Starts it; what it prints goes to our standard error.
    pub(super) fn start(name: &'static str, mut command: Command) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().map_err(Failure::io(name))?;
        Ok(Self { name, command, process, restarts: 0 })
    }

    /// Resolves when it dies, with how.
    pub(super) async fn died(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(cause) => cause.to_string(),
        }
    }

    /// Starts it again.
    pub(super) async fn restart(&mut self, outcome: String) -> Result<(), Failure> {
        self.restarts += 1;
        if self.restarts > MAX_RESTARTS {
            return Err(Failure::new(format!(
                "the {} ended {MAX_RESTARTS} times ({outcome}); giving up",
                self.name
            ))
            .remedy("Its messages stand above; `sereno doctor` may name the cause."));
        }
        output::note(&format!("the {} ended ({outcome}); starting it again", self.name));
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.process = self.command.spawn().map_err(Failure::io(self.name))?;
        Ok(())
    }

    /// Waits until the node says that it is ready.
    pub(super) async fn wait_ready(&mut self, console: &str) -> Result<(), Failure> {
        let client = reqwest::Client::new();
        let url = format!("{console}/readyz");
        let poll = async {
            loop {
                if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = poll => Ok(()),
            status = self.process.wait() => Err(Failure::new(format!(
                "the {} ended before it was ready: {}",
                self.name,
                status.map_or_else(|cause| cause.to_string(), |status| status.to_string())
            ))),
            () = tokio::time::sleep(Duration::from_secs(READY_DEADLINE_S)) => Err(Failure::new(
                format!("the {} was not ready within {READY_DEADLINE_S} s", self.name),
            )),
        }
    }

    /// Asks it to stop; kills it when it does not.
    pub(super) async fn stop(mut self) {
        if let Some(id) = self.process.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let limit = Duration::from_secs(STOP_DEADLINE_S);
        if tokio::time::timeout(limit, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }
}
