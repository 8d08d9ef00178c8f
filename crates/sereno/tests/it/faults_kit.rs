//! What the tests of faults share: whole answers, nodes that are killed and come back.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, ClientBuilder, RequestBuilder};
use serde_json::Value;

use crate::programs::{edge, output, sereno, two_free_ports, wait_ready};

/// The device of the shipped captures.
const DEVICE_MAC: &str = "b8:27:eb:7d:6b:a6";

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }

    /// The body's media type.
    pub(crate) fn kind(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One request with a client of its own; an `Err` when no answer came.
pub(crate) fn send(
    builder: impl FnOnce(ClientBuilder) -> ClientBuilder,
    request: impl FnOnce(&Client) -> RequestBuilder,
) -> Result<Answer, String> {
    let mut all = send_all(builder, |client| vec![request(client)]);
    all.remove(0)
}

/// Requests side by side.
pub(crate) fn send_all(
    builder: impl FnOnce(ClientBuilder) -> ClientBuilder,
    requests: impl FnOnce(&Client) -> Vec<RequestBuilder>,
) -> Vec<Result<Answer, String>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = builder(Client::builder().no_proxy()).build().unwrap();
        let all = requests(&client).into_iter().map(|request| async {
            let response = request.send().await.map_err(|cause| format!("{cause:?}"))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let bytes = response.bytes().await.map_err(|cause| format!("{cause:?}"))?;
            Ok(Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() })
        });
        futures::future::join_all(all).await
    })
}

/// A plain client.
pub(crate) fn plain(builder: ClientBuilder) -> ClientBuilder {
    builder
}

/// A command's answer as JSON, with the data folder.
pub(crate) fn ask(data: &Path, words: &[&str]) -> Value {
    let done = output(sereno().args(words).args(["--json", "--data"]).arg(data));
    crate::programs::json(&done)
}

/// Items of a list.
pub(crate) fn items(data: &Path, words: &[&str]) -> Vec<Value> {
    ask(data, words)["items"].as_array().cloned().unwrap_or_default()
}

/// Facts of a kind, newest first.
pub(crate) fn facts(data: &Path, kind: &str) -> Vec<Value> {
    items(data, &["get", &format!("/api/v1/facts?limit=200&kind={kind}")])
}

/// Waits until `look` finds something; says what is waited for, because there is no limit.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    eprintln!("waiting for {what}");
    loop {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A node that keeps its ports over deaths.
pub(crate) struct Phoenix {
    pub(crate) data: PathBuf,
    pub(crate) url: String,
    pub(crate) tls: String,
    process: Option<Child>,
}

impl Phoenix {
    /// A node of this name and kind, up and ready.
    pub(crate) fn up(data: &Path, name: &str, kind: &str) -> Self {
        Self::up_with(data, name, kind, "")
    }

    /// The same, with further sections of the configuration.
    pub(crate) fn up_with(data: &Path, name: &str, kind: &str, more: &str) -> Self {
        std::fs::create_dir_all(data).unwrap();
        let (listen, tls) = two_free_ports();
        let text = format!(
            "[node]\nname = \"{name}\"\nkind = \"{kind}\"\n[server]\nlisten = \"127.0.0.1:{listen}\"\n\
             tls_listen = \"127.0.0.1:{tls}\"\n[log]\nfilter = \"warn\"\n{more}"
        );
        std::fs::write(data.join("sereno.toml"), text).unwrap();
        let mut node = Self {
            data: data.into(),
            url: format!("http://127.0.0.1:{listen}"),
            tls: format!("https://127.0.0.1:{tls}"),
            process: None,
        };
        node.rise();
        node
    }

    /// Starts it (again).
    pub(crate) fn rise(&mut self) {
        let mut command = sereno();
        command.args(["up", "--data"]).arg(&self.data).stdout(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        wait_ready(&self.url);
    }

    /// `kill -9`.
    pub(crate) fn fall(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// A file below `keys/`.
    pub(crate) fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.data.join("keys").join(name)).unwrap()
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        self.fall();
    }
}

/// An edge that reads the shipped captures from the file, far faster than real time; killed at the
/// end.
pub(crate) struct Edge(Child);

impl Edge {
    pub(crate) fn feed(data: &Path) -> Self {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
        let mut command = Command::new(edge());
        command.args(["gateway", "--file", "--device-mac", DEVICE_MAC, "--speed", "20000"]);
        for name in ["hakai-train.pcap.gz", "hakai-test.pcap.gz"] {
            command.arg("--capture").arg(captures.join(name));
        }
        command.arg("--socket").arg(data.join("run/edge.sock"));
        command.arg("--token-file").arg(data.join("keys/edge.token"));
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An invitation as a file.
pub(crate) fn invitation(of: &Path, folder: &Path, name: &str) -> PathBuf {
    let done = output(sereno().args(["peer", "invite", "--name", name, "--data"]).arg(of));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = folder.join(format!("{name}.json"));
    std::fs::File::create(&file).unwrap().write_all(&done.stdout).unwrap();
    file
}

/// Joins; the exit code and what was said.
pub(crate) fn join(data: &Path, invitation: &Path) -> (i32, String) {
    let done = output(sereno().args(["peer", "join", "--data"]).arg(data).arg(invitation));
    (done.status.code().unwrap(), String::from_utf8_lossy(&done.stderr).into_owned())
}
