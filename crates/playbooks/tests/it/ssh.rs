//! Commands over SSH against a real OpenSSH server.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Outcome;
use playbooks::actuators::Outside;
use playbooks::actuators::config::ActuatorsConfig;
use playbooks::actuators::ssh::Ssh;
use ports::{Actuator, PortError, Repeat};
use serde_json::{Value, json};

use crate::actuators::command;
use crate::room::Room;

/// Where Debian's package openssh-server puts it.
const SSHD: &str = "/usr/sbin/sshd";

struct Server {
    child: Child,
    port: u16,
    /// Fingerprint of the host's key.
    print: String,
    key: String,
    user: String,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(path: &Path) -> String {
    let path = path.display().to_string();
    let new = ["-q", "-t", "ed25519", "-N", "", "-f", &path];
    assert!(Command::new("ssh-keygen").args(new).status().unwrap().success());
    let shown = Command::new("ssh-keygen").args(["-lf", &path]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    shown.split_whitespace().nth(1).unwrap().to_owned()
}

/// A real sshd on a port of its own; `None` where there is none on this machine.
fn server() -> Option<Server> {
    if !Path::new(SSHD).exists() {
        eprintln!("skipped: SSH, because {SSHD} (Debian package openssh-server) is not here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let print = keygen(&at("host"));
    keygen(&at("user"));
    std::fs::copy(at("user.pub"), at("authorized")).unwrap();
    if nix_is_root() {
        std::fs::create_dir_all("/run/sshd").unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {authorized}\n\
         PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
        host = at("host").display(),
        authorized = at("authorized").display(),
    );
    std::fs::write(at("sshd_config"), config).unwrap();
    let child = Command::new(SSHD)
        .args(["-D", "-e", "-f", &at("sshd_config").display().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "sshd does not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap().trim().to_owned();
    let key = std::fs::read_to_string(at("user")).unwrap();
    Some(Server { child, port, print, key, user, folder })
}

fn nix_is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

fn config(server: &Server, print: Option<&str>) -> ActuatorsConfig {
    let mut config = ActuatorsConfig { timeout_s: 3, ..ActuatorsConfig::default() };
    if let Some(print) = print {
        let place = format!("127.0.0.1:{}", server.port);
        config.ssh.host_keys.insert(place, print.to_owned());
    }
    config
}

fn asked(server: &Server, script: &str, environment: Value) -> ports::ActuatorCommand {
    command(
        "run",
        json!({ "host": "127.0.0.1", "port": server.port, "command": script, "script": script,
            "environment": environment, "credentials": { "kind": "user-auth", "user": server.user,
                "named": "key", "plain": null } }),
    )
}

async fn room_with_key(server: &Server) -> Room {
    let room = Room::open(&server.folder.path().join("data"), &Arc::default()).await;
    let secret = json!({ "value": server.key, "hosts": ["127.0.0.1"] });
    let (status, said) = room.call("PUT", "/api/v1/secrets/key", secret).await;
    assert!(status.is_success(), "{said}");
    room
}

#[tokio::test]
async fn commands_run_on_a_real_server_and_values_stay_values() {
    let Some(server) = server() else { return };
    let room = room_with_key(&server).await;
    let config = config(&server, Some(&server.print));
    let ssh = Ssh::new(Outside::new(&room.platform, &config));
    let evil = "a'b\"c`id`$(id)\nexit 7; # é";
    let script = "printf '%s' \"${__v__}\"; cat; echo err >&2";
    let run = asked(&server, script, json!({ "__v__": evil }));
    let done = ssh.perform(&run).await.unwrap();
    let Outcome::Done { data, .. } = &done else { panic!("{done:?}") };
    assert_eq!(data["stdout"], evil);
    assert_eq!(data["stderr"], "err\n");

    let failed = ssh.perform(&asked(&server, "echo no >&2; exit 3", json!({}))).await.unwrap();
    let Outcome::Failed { reason, retry: false } = failed else { panic!("{failed:?}") };
    assert!(reason.contains("status 3: no"), "{reason}");

    let much = asked(&server, "head -c 300000 /dev/zero | tr '\\0' x", json!({}));
    let Outcome::Done { data, .. } = ssh.perform(&much).await.unwrap() else { panic!() };
    assert_eq!((data["stdout"].as_str().unwrap().len(), &data["cut"]), (32 * 1024, &json!(true)));

    // It hangs: after its time the answer is "not known", never "again".
    let hanging = ssh.perform(&asked(&server, "sleep 60", json!({}))).await;
    let Err(PortError::Internal(reason)) = hanging else { panic!("{hanging:?}") };
    assert!(reason.contains("within 3 s") && reason.contains("not known"), "{reason}");
    assert_eq!(ssh.repeat("run", &run.arguments), Repeat::AskPerson);

    let plan = ssh.plan(&run).await.unwrap();
    assert!(plan.summary.contains("would run on 127.0.0.1"), "{}", plan.summary);
    assert!(!format!("{plan:?}").contains("PRIVATE KEY"), "{plan:?}");
    room.close().await;
}

#[tokio::test]
async fn an_unknown_or_changed_host_key_is_refused_before_anything_is_sent() {
    let Some(server) = server() else { return };
    let room = room_with_key(&server).await;
    let mark = server.folder.path().join("mark");
    let run = asked(&server, &format!("touch {}", mark.display()), json!({}));
    let unknown = Ssh::new(Outside::new(&room.platform, &config(&server, None)));
    let refused = unknown.perform(&run).await.unwrap_err().to_string();
    assert!(refused.contains("is not known here") && refused.contains(&server.print), "{refused}");
    assert!(refused.contains("playbooks.actuators.ssh.host_keys"), "{refused}");
    let other = format!("SHA256:{}", "A".repeat(43));
    let changed = Ssh::new(Outside::new(&room.platform, &config(&server, Some(&other))));
    let refused = changed.perform(&run).await.unwrap_err().to_string();
    assert!(refused.contains("has changed") && refused.contains(&other), "{refused}");
    assert!(!mark.exists());
    let fine = Ssh::new(Outside::new(&room.platform, &config(&server, Some(&server.print))));
    let mut stranger = run.clone();
    stranger.arguments.get_mut("credentials").unwrap()["user"] = json!("nobody-there");
    let refused = fine.perform(&stranger).await.unwrap_err().to_string();
    assert!(refused.contains("does not let 'nobody-there' in"), "{refused}");
    assert!(fine.perform(&run).await.is_ok());
    assert!(mark.exists());
    room.close().await;
}
