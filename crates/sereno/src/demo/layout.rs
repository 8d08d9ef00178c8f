//! Folders, ports and configurations of the two nodes. Made once; a second start goes on with them.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::CREDIT;
use crate::arguments::Demo;
use crate::output::Failure;

/// Marks a folder as ours: nothing else is ever deleted.
const MARK: &str = "sereno-demo.json";

/// The capture, shipped inside the program.
const CAPTURES: [(&str, &[u8]); 2] = [
    ("hakai-train.pcap.gz", include_bytes!("../../../../data/captures/hakai-train.pcap.gz")),
    ("hakai-test.pcap.gz", include_bytes!("../../../../data/captures/hakai-test.pcap.gz")),
];

/// One of the two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Operator,
    Cert,
}

impl Side {
    fn folder(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Cert => "cert",
        }
    }
    /// The organisation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Operator => "Harbour Tram and Grid",
            Self::Cert => "Harbour CERT",
        }
    }
}

/// What is remembered between starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    operator: SocketAddr,
    cert: SocketAddr,
    cert_tls: SocketAddr,
}

/// The demonstration's folder.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
    mark: Mark,
}

impl Layout {
    /// Makes the folder, or takes up the one that is there.
    pub(super) fn prepare(demo: &Demo) -> Result<Self, Failure> {
        let root = std::path::absolute(&demo.data).map_err(Failure::file(&demo.data))?;
        let file = root.join(MARK);
        let known =
            fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
        if known.is_none()
            && root.is_dir()
            && fs::read_dir(&root).is_ok_and(|mut d| d.next().is_some())
        {
            return Err(Failure::wrong_use(format!(
                "{} is not empty and not a demonstration",
                root.display()
            ))
            .remedy("Choose another folder with --data."));
        }
        if platform::data::DataFolder::in_use(&root.join("operator")) {
            return Err(Failure::new(format!(
                "a demonstration already runs in {}",
                root.display()
            ))
            .remedy("Open its page, stop it with Ctrl-C, or choose another folder with --data."));
        }
        let mark = match known {
            Some(mark) if mark.operator == demo.listen || demo.listen.port() == 0 => mark,
            _ => choose_ports(demo.listen)?,
        };
        let layout = Self { root, mark };
        layout.write(&file)?;
        let _ = fs::remove_file(layout.supervisor_socket());
        Ok(layout)
    }

    fn write(&self, mark: &Path) -> Result<(), Failure> {
        for side in [Side::Operator, Side::Cert] {
            let data = self.data(side);
            fs::create_dir_all(&data).map_err(Failure::file(&data))?;
            let config = data.join("sereno.toml");
            fs::write(&config, self.config(side)).map_err(Failure::file(&config))?;
        }
        let text = serde_json::to_vec_pretty(&self.mark).map_err(Failure::file(mark))?;
        fs::write(mark, text).map_err(Failure::file(mark))
    }

    fn config(&self, side: Side) -> String {
        let (listen, other, kind, tls) = match side {
            Side::Operator => (self.mark.operator, Side::Cert, "operator", String::new()),
            Side::Cert => (
                self.mark.cert,
                Side::Operator,
                "cert",
                format!("tls_listen = \"{}\"\n", self.mark.cert_tls),
            ),
        };
        let socket = toml::Value::String(self.supervisor_socket().display().to_string());
        let credit = toml::Value::String(CREDIT.to_owned());
        format!(
            "# Written by `sereno demo`.\n[server]\nlisten = \"{listen}\"\n{tls}\n[node]\nname = \"{}\"\n\
             kind = \"{kind}\"\n\n[demo]\ncredit = {credit}\npeer_console_url = \"{}\"\nsupervisor = {socket}\n\n\
             [log]\nfilter = \"warn\"\n",
            side.name(),
            self.console_url(other),
        )
    }

    /// The data folder of a node.
    pub(super) fn data(&self, side: Side) -> PathBuf {
        self.root.join(side.folder())
    }

    /// The console of a node.
    pub(super) fn console_url(&self, side: Side) -> String {
        let address = match side {
            Side::Operator => self.mark.operator,
            Side::Cert => self.mark.cert,
        };
        format!("http://localhost:{}", address.port())
    }

    /// Where pages ask for removal.
    pub(super) fn supervisor_socket(&self) -> PathBuf {
        self.root.join("supervisor.sock")
    }

    /// The command that starts a node.
    pub(super) fn node_command(&self, side: Side) -> Result<Command, Failure> {
        let own = std::env::current_exe().map_err(Failure::io("this program's place"))?;
        let mut command = Command::new(own);
        command.arg("up").arg("--data").arg(self.data(side));
        Ok(command)
    }

    /// The captures as files, training first.
    pub(super) fn captures(&self) -> Result<Vec<PathBuf>, Failure> {
        CAPTURES
            .iter()
            .map(|(name, bytes)| {
                let path = self.root.join(name);
                fs::write(&path, bytes).map_err(Failure::file(&path))?;
                Ok(path)
            })
            .collect()
    }
}

/// The operator's port as asked for, the CERT's beside it, both free now.
fn choose_ports(listen: SocketAddr) -> Result<Mark, Failure> {
    let free = |port: u16| {
        let address = SocketAddr::new(listen.ip(), port);
        TcpListener::bind(address).and_then(|listener| listener.local_addr())
    };
    let operator = free(listen.port()).map_err(|cause| {
        Failure::new(format!("{listen}: {cause}")).remedy(
            "Choose another address with --listen 127.0.0.1:PORT (port 0 takes a free one).",
        )
    })?;
    let next = |offset: u16| {
        free(operator.port().saturating_add(offset))
            .or_else(|_| free(0))
            .map_err(Failure::io("a free port"))
    };
    Ok(Mark { operator, cert: next(1)?, cert_tls: next(2)? })
}

/// Stops a running demonstration and deletes its folder.
pub(super) async fn remove(data: &Path) -> Result<(), Failure> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = data.join("supervisor.sock");
    if let Ok(mut stream) = tokio::net::UnixStream::connect(&socket).await {
        stream.write_all(b"remove").await.map_err(Failure::file(&socket))?;
        // The supervisor deletes the folder; the stream ends when it is gone.
        let _ = stream.read(&mut [0]).await;
        for _ in 0..150 {
            if !data.exists() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        return Err(Failure::new("the running demonstration did not end within 15 s"));
    }
    delete(data)
}

/// Deletes a demonstration's folder, and nothing else.
pub(super) fn delete(data: &Path) -> Result<(), Failure> {
    if !data.exists() {
        return Ok(());
    }
    if !data.join(MARK).is_file() {
        return Err(Failure::wrong_use(format!("{} is not a demonstration", data.display()))
            .remedy("Nothing was deleted."));
    }
    fs::remove_dir_all(data).map_err(Failure::file(data))
}
