//! An agent with its declaration in a folder, asked as an operator asks it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a declaration, and the agent over it; both ended when dropped.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    pub(crate) agent: Option<Child>,
    /// Words before the program, e.g. `unshare`.
    pub(crate) before: Vec<String>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Ground {
    pub(crate) fn new(service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let declared = format!(
            "[agent]\nname = 'harbour'\nstore = '{at}/store'\nmargin_s = 0\ninterrupt_mean_s = 0.2\ninterrupt_max_s = 1\n\
             restart_mean_s = 0.2\nrestart_max_s = 1\n\n{}",
            service.replace("AT", &at.to_string())
        );
        std::fs::write(folder.path().join("protect.toml"), declared).unwrap();
        std::fs::write(folder.path().join("token"), "a-token-for-tests\n").unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        Self { folder, agent: None, before: vec![] }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_sereno-edge");
        let mut command = match self.before.split_first() {
            Some((first, more)) => {
                let mut command = Command::new(first);
                command.args(more).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("checkpoint").stdin(Stdio::null());
        command
    }

    pub(crate) fn start(&mut self) {
        let mut command = self.command();
        command
            .arg("run")
            .arg("--protect")
            .arg(self.path("protect.toml"))
            .arg("--exit-with-parent");
        command
            .arg("--socket")
            .arg(self.path("agent.sock"))
            .arg("--token-file")
            .arg(self.path("token"));
        self.agent = Some(command.spawn().unwrap());
        self.until("the agent answers", |own| own.ask("list", &[]).status.success());
    }

    /// Ends the agent as an operator does: its services end too.
    pub(crate) fn stop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            // What stands before the program passes no signal on, but its own death does.
            let signal = if self.before.is_empty() { "-TERM" } else { "-KILL" };
            let _ = Command::new("kill").args([signal, &agent.id().to_string()]).status();
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until && matches!(agent.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }

    pub(crate) fn ask(&self, verb: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
        command.args(["checkpoint", verb]).args(more);
        command
            .arg("--socket")
            .arg(self.path("agent.sock"))
            .arg("--token-file")
            .arg(self.path("token"));
        command.output().unwrap()
    }

    pub(crate) fn reply(&self, verb: &str, more: &[&str]) -> Value {
        let output = self.ask(verb, more);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{verb}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(crate) fn checkpoints(&self) -> Vec<Value> {
        let listing = self.reply("list", &[]);
        listing["services"][0]["checkpoints"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub(crate) fn until_more_checkpoints(&self, more: usize) {
        let newest =
            |own: &Self| own.checkpoints().last().map_or(0, |one| one["counter"].as_u64().unwrap());
        let before = newest(self);
        self.until("more checkpoints", |own| newest(own) >= before + more as u64);
    }

    pub(crate) fn verify(&self) -> (bool, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
        command
            .args(["checkpoint", "verify", "--json", "--protect"])
            .arg(self.path("protect.toml"));
        let output = command.output().unwrap();
        let answer = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.success(), answer)
    }
}

pub(crate) fn now() -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%6NZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A service that counts in its state, and tells outside how it behaves; a file in its state makes it do so.
pub(crate) const COUNTER: &str = "[[service]]\nname = 'counter'\nmin_interval_s = 0.4\nmax_interval_s = 0.4\n\
    keep = { backend = 'state', state = 'AT/state' }\ncommand = ['/bin/sh', '-c', '''\n\
    cd AT/state; echo $$ >> ../pids; n=$(cat count 2>/dev/null || echo 0)\n\
    while :; do n=$((n + 1)); echo $n > fresh; mv fresh count; cp behaviour ../seen 2>/dev/null; sleep 0.02; done\n''']\n";
