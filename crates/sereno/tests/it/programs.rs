//! Starting the programs under test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The node's program.
pub(crate) fn sereno() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sereno"))
}

/// The edge's program. `cargo test --workspace` builds it beside this package's own; it is built here
/// only when it is missing, because another selection of packages means other features, and with them
/// most of the tree again.
pub(crate) fn edge() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT
        .get_or_init(|| {
            let beside = Path::new(env!("CARGO_BIN_EXE_sereno")).with_file_name("sereno-edge");
            if !beside.is_file() {
                let built = Command::new(env!("CARGO"))
                    .args(["build", "--quiet", "--locked", "-p", "sereno-edge"])
                    .current_dir(env!("CARGO_MANIFEST_DIR"))
                    .status()
                    .unwrap();
                assert!(built.success() && beside.is_file(), "sereno-edge could not be built");
            }
            beside
        })
        .clone()
}

/// Runs to the end.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// Standard output as JSON.
pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|cause| {
        panic!(
            "no JSON ({cause}): {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// A running node that is killed when the test ends.
pub(crate) struct Node {
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    process: Child,
}

impl Node {
    /// Starts `sereno up` on a free port and waits until it is ready.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(data: &Path, more: &[&str]) -> Self {
        let port = free_port();
        let process = sereno()
            .args(["up", "--data"])
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(more)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let node = Self { url: format!("http://127.0.0.1:{port}"), data: data.into(), process };
        wait_ready(&node.url);
        node
    }

    /// A token with a role.
    pub(crate) fn token(&self, role: &str) -> String {
        let made = output(
            sereno().args(["token", "new", "--json", "--role", role, "--data"]).arg(&self.data),
        );
        json(&made)["token"].as_str().unwrap().to_owned()
    }

    /// As a power cut does.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Two different ones: each is held until both are known.
pub(crate) fn two_free_ports() -> (u16, u16) {
    let bind = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (bind(), bind());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}

/// Waits for `/readyz`.
pub(crate) fn wait_ready(url: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while status(&format!("{url}/readyz"), None) != 200 {
        assert!(Instant::now() < deadline, "{url} did not become ready");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The status of a GET; 0 when nobody answers.
pub(crate) fn status(url: &str, token: Option<&str>) -> u16 {
    blocking(async {
        let mut request = reqwest::Client::new().get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    })
}

/// The status of a POST with a JSON body.
pub(crate) fn post_status(url: &str, token: &str, body: &Value) -> u16 {
    blocking(async {
        let request = reqwest::Client::new().post(url).bearer_auth(token).json(body);
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    })
}

pub(crate) fn blocking<T>(work: impl Future<Output = T>) -> T {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The headless demonstration, with its answer.
pub(crate) fn demo(data: &Path) -> Command {
    let mut command = sereno();
    command
        .env("SERENO_EDGE", edge())
        .args(["demo", "--headless", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(data);
    command
}
