//! Shell commands in their sandbox, on this machine's kernel.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Outcome;
use playbooks::actuators::Outside;
use playbooks::actuators::bash::{Bash, Launcher};
use playbooks::actuators::config::ActuatorsConfig;
use ports::{Actuator, PortError};
use serde_json::{Value, json};

use crate::actuators::command;
use crate::room::Room;

/// The example that stands for `sereno sandbox-shell`.
fn launcher() -> Launcher {
    let tests = std::env::current_exe().unwrap();
    let target: PathBuf = tests.parent().unwrap().parent().unwrap().to_owned();
    Launcher { program: target.join("examples/sandbox"), arguments: vec![] }
}

struct Shell {
    room: Room,
    bash: Bash,
    _folder: tempfile::TempDir,
}

async fn shell(timeout_s: u64) -> Shell {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let config = ActuatorsConfig { timeout_s, ..ActuatorsConfig::default() };
    let bash = Bash::new(Outside::new(&room.platform, &config), launcher());
    Shell { room, bash, _folder: folder }
}

impl Shell {
    async fn run(&self, script: &str, environment: Value) -> Outcome {
        let asked = command(
            "run",
            json!({ "command": script, "script": script, "environment": environment }),
        );
        self.bash.perform(&asked).await.unwrap()
    }

    async fn out(&self, script: &str) -> String {
        match self.run(script, json!({})).await {
            Outcome::Done { data, .. } => data["stdout"].as_str().unwrap().to_owned(),
            other => panic!("{script}: {other:?}"),
        }
    }

    /// False, with a plain sentence, where the kernel lets no sandbox be made.
    async fn works(&self) -> bool {
        match self.bash.probe().await {
            Ok(_) => true,
            Err(PortError::Unavailable(why)) if why.contains("landlock") => {
                eprintln!("skipped: the sandbox, because {why}");
                false
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn the_environment_is_the_variables_and_values_stay_values() {
    let shell = shell(10).await;
    if !shell.works().await {
        return;
    }
    let evil = "a'b\"c`id`$(id)\nexit 7; # é";
    let done = shell
        .run(
            "printf '%s' \"${__v__}\"; env -0 | tr '\\n' ' ' | tr '\\0' '\\n' | cut -d= -f1 >&2",
            json!({ "__v__": evil }),
        )
        .await;
    let Outcome::Done { data, .. } = &done else { panic!("{done:?}") };
    assert_eq!(data["stdout"], evil);
    let names = data["stderr"].as_str().unwrap();
    let ours = ["PWD", "SHLVL", "_", "__v__", "OLDPWD"];
    let strange = names.split_whitespace().find(|name| !ours.contains(name));
    assert_eq!(strange, None, "{names}");
    assert_eq!(shell.out("seq 3 | sort -r | head -1; echo x > f && cat f").await, "3\nx\n");
    shell.room.close().await;
}

#[tokio::test]
async fn nothing_outside_is_read_written_called_or_signalled() {
    let shell = shell(10).await;
    if !shell.works().await {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("secret");
    std::fs::write(&file, "hush").unwrap();
    let place = file.display();
    let key = shell.room.platform.data.root().join("keys");
    let me = std::process::id();
    for script in [
        format!("cat {place}"),
        format!("echo x > {place}"),
        format!("rm {place}"),
        format!("chmod 777 {place}"),
        format!("ls {}", key.display()),
        format!("cat /proc/{me}/environ"),
        "cat /etc/shadow".to_owned(),
        format!("kill -0 {me}"),
        "exec 3<>/dev/tcp/127.0.0.1/22".to_owned(),
        "unshare -r true".to_owned(),
        "setsid true 2>&1 | grep -q failed && exit 1".to_owned(),
        "mkfifo /tmp/sandbox-fifo".to_owned(),
        "ln -s /etc/shadow s && cat s".to_owned(),
    ] {
        let outcome = shell.run(&script, json!({})).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{script}: {outcome:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hush");
    // Each command has a folder of its own, and none is left.
    let left = std::fs::read_dir(shell.room.platform.data.root().join("sandbox")).unwrap();
    assert_eq!(left.count(), 0);
    shell.room.close().await;
}

#[tokio::test]
async fn what_does_not_end_is_killed_with_all_it_started() {
    let shell = shell(2).await;
    if !shell.works().await {
        return;
    }
    let begun = Instant::now();
    let outcome = shell.run("sleep 4321 & sleep 4321", json!({})).await;
    let Outcome::Failed { reason, retry: false } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("did not end within 2 s and was killed"), "{reason}");
    // What a command leaves behind does not keep it open, nor live on.
    assert_eq!(shell.out("sleep 4321 & echo done").await, "done\n");
    assert!(begun.elapsed() < Duration::from_secs(15));
    let left = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
        lines.filter(|line| line.starts_with(b"sleep\x004321")).count()
    };
    let until = Instant::now() + Duration::from_secs(5);
    while left() > 0 {
        assert!(Instant::now() < until, "a process of the sandbox lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let endless = shell.run("yes", json!({})).await;
    assert!(matches!(endless, Outcome::Failed { retry: false, .. }), "{endless:?}");
    let Outcome::Done { data, .. } = shell.run("yes | head -c 500000", json!({})).await else {
        panic!()
    };
    assert_eq!((data["stdout"].as_str().unwrap().len(), &data["cut"]), (32 * 1024, &json!(true)));
    let memory = shell.run("x=$(head -c 900000000 /dev/zero | tr '\\0' x); echo ${#x}", json!({}));
    assert!(matches!(memory.await, Outcome::Failed { .. }));
    let big =
        shell.run("head -c 30000000 /dev/zero > f; test $(stat -c %s f) -ge 30000000", json!({}));
    assert!(matches!(big.await, Outcome::Failed { .. }));
    shell.room.close().await;
}
