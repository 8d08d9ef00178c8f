//! Actuator `bash`: a command in a shell on this machine (CACAO §5.2). Off unless configured.
//!
//! It runs in a process of its own that locks itself in before it becomes the shell ([`sandbox`]): no network, no
//! file outside of an empty folder of its own, no signal to anybody, bounded memory, files, processor time.
//! Its environment is the playbook's variables and nothing else. When its time is over, or the node lets go of it,
//! all it started is killed.

mod calls;
pub mod sandbox;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::output::Output;
use super::{Outside, needed};

/// The actuator's name.
pub const NAME: &str = "bash";
/// How to have it.
pub(crate) const REMEDY: &str =
    "commands on this machine are off; playbooks.actuators.bash.enabled = true allows them";
/// Longest script, in bytes: it is one argument of a process.
pub const MAX_SCRIPT_BYTES: usize = 100 * 1024;
/// The folder of commands inside the data folder.
const FOLDER: &str = "sandbox";

/// The program that locks itself in and becomes the shell: this one again, by default.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub program: std::path::PathBuf,
    /// What comes before the sandbox's own arguments.
    pub arguments: Vec<String>,
}

impl Default for Launcher {
    fn default() -> Self {
        // The running program itself, also after its file was replaced by a newer one.
        Self { program: "/proc/self/exe".into(), arguments: vec![sandbox::COMMAND.to_owned()] }
    }
}

/// Runs commands on this machine.
pub struct Bash {
    outside: Arc<Outside>,
    launcher: Launcher,
}

/// Kills a process with all it started when dropped.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(group) = self.0 {
            // An empty group is fine: then there is nothing left to kill.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder that goes away.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %cause, "a sandbox's folder stays");
        }
    }
}

impl Bash {
    /// With a program that locks itself in.
    pub const fn new(outside: Arc<Outside>, launcher: Launcher) -> Self {
        Self { outside, launcher }
    }

    fn folder(&self) -> Result<Folder, PortError> {
        let name = self.outside.platform.uuid4().to_string();
        let path = self.outside.platform.data.root().join(FOLDER).join(name);
        std::fs::create_dir_all(&path)
            .and_then(|()| path.canonicalize())
            .map(Folder)
            .map_err(|cause| PortError::Internal(format!("{}: {cause}", path.display())))
    }

    fn spawn(
        &self,
        script: &str,
        environment: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Child, PortError> {
        let config = &self.outside.config().bash;
        Command::new(&self.launcher.program)
            .args(&self.launcher.arguments)
            .arg(config.memory_mib.to_string())
            .arg(config.file_mib.to_string())
            .arg(config.cpu_s.to_string())
            .arg(folder)
            .arg(script)
            .env_clear()
            .envs(environment)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| PortError::Internal(format!("the sandbox does not start: {cause}")))
    }

    async fn run(
        &self,
        script: &str,
        environment: &BTreeMap<String, String>,
    ) -> Result<Outcome, PortError> {
        if script.len() > MAX_SCRIPT_BYTES {
            return Err(PortError::Invalid(format!(
                "the command has {} bytes; a shell takes at most {MAX_SCRIPT_BYTES}",
                script.len()
            )));
        }
        let folder = self.folder()?;
        let mut child = self.spawn(script, environment, &folder.0)?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let group = Group(pid.map(Pid::from_raw));
        let limit = self.outside.config().timeout_s;
        let mut output = Output::default();
        let ended = tokio::time::timeout(
            Duration::from_secs(limit),
            listen(&mut child, &group, &mut output),
        );
        let outcome = match ended.await {
            Ok(Ok(Some(status))) if status == sandbox::REFUSED => Outcome::NotEnforced {
                reason: format!("the sandbox could not be made: {}", output.said()),
                data: Value::Null,
            },
            Ok(Ok(Some(status))) => output.outcome("this machine", status),
            // Killed by a limit of the sandbox.
            Ok(Ok(None)) => Outcome::Failed {
                reason: "the command was killed: it went over memory, processor time or file size"
                    .into(),
                retry: false,
            },
            Ok(Err(cause)) => return Err(PortError::Internal(cause.to_string())),
            Err(_) => {
                group.kill();
                let _ = child.wait().await;
                let reason = format!("the command did not end within {limit} s and was killed");
                Outcome::Failed { reason, retry: false }
            }
        };
        Ok(outcome)
    }
}

/// Reads both streams until the command ends; then what it left behind is killed, so that the streams end too.
async fn listen(
    child: &mut Child,
    group: &Group,
    output: &mut Output,
) -> std::io::Result<Option<u32>> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let mut status = None;
    while status.is_none() || out.is_some() || err.is_some() {
        tokio::select! {
            ended = child.wait(), if status.is_none() => {
                status = Some(ended?);
                group.kill();
            }
            bytes = chunk(&mut out), if out.is_some() => output.out(&bytes?),
            bytes = chunk(&mut err), if err.is_some() => output.err(&bytes?),
        }
    }
    let code = status.and_then(|status| status.code());
    Ok(code.and_then(|code| u32::try_from(code).ok()))
}

/// Some bytes of a stream, which is gone at its end.
async fn chunk<S: AsyncRead + Unpin>(stream: &mut Option<S>) -> std::io::Result<Vec<u8>> {
    let Some(open) = stream else { return Ok(vec![]) };
    let mut bytes = vec![0; 8 * 1024];
    let size = open.read(&mut bytes).await?;
    bytes.truncate(size);
    if size == 0 {
        *stream = None;
    }
    Ok(bytes)
}

#[async_trait]
impl Actuator for Bash {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("run", "runs a command of the type bash on this machine, locked in")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let text = needed(NAME, &command.arguments, "command")?;
        let shown: String = text.chars().take(200).collect();
        let names = super::environment(&command.arguments);
        Ok(Planned {
            summary: format!("would run on this machine, locked in: {shown}"),
            data: json!({ "command": text, "variables": names.keys().collect::<Vec<_>>() }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let script = needed(NAME, &command.arguments, "script")?;
        self.run(script, &super::environment(&command.arguments)).await
    }

    /// Runs `true` in the sandbox.
    async fn probe(&self) -> Result<Option<String>, PortError> {
        match self.run("true", &BTreeMap::new()).await? {
            Outcome::Done { .. } => Ok(Some("the sandbox can be made".into())),
            Outcome::NotEnforced { reason, .. } | Outcome::Failed { reason, .. } => {
                Err(PortError::Unavailable(reason))
            }
        }
    }
}
