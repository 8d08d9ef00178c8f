//! Nodes each in a network of its own, joined by a bridge: links that are cut, deaf one way, or lossy.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults_kit::ask;
use crate::programs::{output, sereno};

/// Of the account `chief` that every site has.
pub(crate) const PASSWORD: &str = "a long enough password";

/// Set for the copy of this program that runs inside.
const INSIDE: &str = "SERENO_TEST_NETS";

/// Runs an ignored test of this program in user, mount and network namespaces of its own. False, with a word about it,
/// where this machine allows none.
pub(crate) fn inside(test: &str, rounds: Option<u32>) -> bool {
    let works = Command::new("unshare")
        .args(["-Urnm", "bash", "-c"])
        .arg("mount -t tmpfs none /run && ip netns add try && ip link add v-a type veth peer name v-b netns try && nft list ruleset")
        .output()
        .is_ok_and(|done| done.status.success());
    if !works {
        eprintln!(
            "skipped: no user, mount and network namespaces here (unshare -Urnm, iproute2, nftables)"
        );
        return false;
    }
    let mut command = Command::new("unshare");
    command.args(["-Urnm", "bash", "-c", "mount -t tmpfs none /run && exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env(INSIDE, "yes");
    if let Some(rounds) = rounds {
        command.env("SERENO_ROUNDS", rounds.to_string());
    }
    let done = command.output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    eprintln!(
        "{}",
        said.lines().filter(|line| line.starts_with("figure: ")).collect::<Vec<_>>().join("\n")
    );
    true
}

/// Whether this is the copy inside.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a line of a shell and wants it to succeed.
pub(crate) fn shell(line: &str) {
    let done = output(Command::new("bash").args(["-c", line]));
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The bridge between the networks.
pub(crate) fn bridge() {
    shell("ip link set lo up && ip link add hub type bridge && ip link set hub up");
}

/// A node in a network of its own.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    kind: String,
    pub(crate) data: PathBuf,
    process: Option<Child>,
}

impl Site {
    /// Makes the network `10.9.0.NUMBER` and a node in it, up and ready.
    pub(crate) fn up(folder: &Path, name: &'static str, kind: &str, number: u8) -> Self {
        Self::up_with(folder, name, kind, number, "")
    }

    /// The same, with further sections of the configuration.
    pub(crate) fn up_with(
        folder: &Path,
        name: &'static str,
        kind: &str,
        number: u8,
        more: &str,
    ) -> Self {
        shell(&format!(
            "ip netns add {name} && ip link add v-{name} type veth peer name eth0 netns {name} && \
             ip link set v-{name} master hub up && ip -n {name} link set lo up && \
             ip -n {name} addr add 10.9.0.{number}/24 dev eth0 && ip -n {name} link set eth0 up"
        ));
        let data = folder.join(name);
        std::fs::create_dir_all(&data).unwrap();
        let written = |address: &str| {
            std::fs::write(data.join("sereno.toml"), format!(
            "[node]\nname = \"{name}\"\nkind = \"{kind}\"\n[server]\nlisten = \"127.0.0.1:8080\"\n\
             tls_listen = \"{address}:7443\"\n[identity]\npeer_url = \"https://10.9.0.{number}:7443\"\n\
             [federation]\npause_max_ms = 1000\n[log]\nfilter = \"warn\"\n{more}"
        )).unwrap()
        };
        // A node opens no port to others before it has an account.
        written("127.0.0.1");
        let mut site = Self { name, kind: kind.to_owned(), data: data.clone(), process: None };
        site.rise();
        site.first_account();
        site.fall();
        written(&format!("10.9.0.{number}"));
        site.rise();
        site
    }

    fn first_account(&self) {
        let body = json!({ "organisation": self.name, "name": "chief", "password": PASSWORD });
        let body = body.to_string();
        let head = "POST /api/v1/first-run HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\
                    content-type: application/json\r\ncontent-length: ";
        let answer = self.raw(&format!("{head}{}\r\n\r\n{body}", body.len())).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    }

    /// A request by hand over the admin socket; its network is not ours.
    fn raw(&self, request: &str) -> std::io::Result<String> {
        let mut socket = UnixStream::connect(self.data.join("run/admin.sock"))?;
        socket.write_all(request.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// A call of the API over the admin socket: status and answer.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let head =
            "host: node\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ";
        let asked = format!("{method} {path} HTTP/1.1\r\n{head}{}\r\n\r\n{body}", body.len());
        let answer = self.raw(&asked).unwrap();
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let text = answer.split_once("\r\n\r\n").map_or("", |(_, text)| text);
        (status, serde_json::from_str(text).unwrap_or(Value::Null))
    }

    /// Takes up an invitation of another site; both know each other then.
    pub(crate) fn joins(&self, host: &Self, folder: &Path) {
        let words = ["peer", "invite", "--kind", &self.kind, "--name", self.name, "--data"];
        let invited = output(sereno().args(words).arg(&host.data));
        assert!(invited.status.success(), "{}", String::from_utf8_lossy(&invited.stderr));
        let file = folder.join("invitation.json");
        std::fs::write(&file, &invited.stdout).unwrap();
        let joined = output(sereno().args(["peer", "join", "--data"]).arg(&self.data).arg(&file));
        assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    }

    /// A command inside this site's network.
    pub(crate) fn within(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.name)).arg(program);
        command
    }

    /// Starts it (again) and waits until it is ready.
    pub(crate) fn rise(&mut self) {
        let program = PathBuf::from(sereno().get_program());
        let mut options = std::fs::File::options();
        let log = options.create(true).append(true).open(self.data.join("node.log")).unwrap();
        let mut command = self.within(&program);
        command.args(["up", "--data"]).arg(&self.data).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        let ready = || {
            let asked = "GET /readyz HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n";
            self.raw(asked).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
        };
        while !ready() {
            let log = || std::fs::read_to_string(self.data.join("node.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{} did not become ready: {}", self.name, log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub(crate) fn fall(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Cuts its cable, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        shell(&format!("ip link set v-{} {}", self.name, if cut { "down" } else { "up" }));
    }

    /// Lets nothing of an address in, or only this share of packets; what it sends still leaves.
    pub(crate) fn deaf(&self, from: u8, lost_percent: u32) {
        let name = self.name;
        let some = match lost_percent {
            100.. => String::new(),
            percent => format!("numgen random mod 100 < {percent}"),
        };
        shell(&format!(
            "nsenter --net=/run/netns/{name} nft -f - <<'END'\n\
             table inet cut {{\nchain in {{\ntype filter hook input priority 0; policy accept;\n\
             ip saddr 10.9.0.{from} {some} drop\n}}\n}}\nEND"
        ));
    }

    /// Ends whatever [`Site::deaf`] began.
    pub(crate) fn hear(&self) {
        shell(&format!("nsenter --net=/run/netns/{} nft flush ruleset", self.name));
    }

    pub(crate) fn ask(&self, words: &[&str]) -> Value {
        ask(&self.data, words)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.fall();
    }
}
