//! Checkpoint agents of this machine: each a socket in the node's `run/checkpoint` folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use platform::Platform;
use ports::checkpoint::{CHECKPOINT_PROTOCOL, CheckpointOrder, Listing, Reply, Request};
use ports::{PortError, edge};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::error::RecoveryError;

/// Name of the proof under `keys/`.
pub const TOKEN_FILE: &str = "checkpoint.token";
/// Most agents of one node.
pub(crate) const MAX_AGENTS: usize = 64;
/// How long an agent may take to list: it answers between two checkpoints.
const LIST_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to take a checkpoint.
const ORDER_WITHIN: Duration = Duration::from_secs(600);
/// Bytes read at a time.
const READ_BYTES: usize = 16 << 10;

/// Knows where agents are, and shows them the node's proof.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    folder: PathBuf,
    token: String,
}

impl Agents {
    /// The agents of a node; their folder is made.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(crate) fn open(platform: &Platform) -> Result<Self, RecoveryError> {
        let folder = platform.data.root().join("run").join("checkpoint");
        std::fs::create_dir_all(&folder).map_err(|cause| {
            RecoveryError::Data(platform::data::DataError::Io { path: folder.clone(), cause })
        })?;
        let token = platform.data.secret_hex(TOKEN_FILE, 32, platform.random.as_ref())?;
        Ok(Self { folder, token })
    }

    /// The sockets of all agents.
    fn sockets(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut sockets: Vec<PathBuf> = folder
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "sock"))
            .take(MAX_AGENTS)
            .collect();
        sockets.sort();
        sockets
    }

    /// What every agent protects, by the name of its socket; `Err` has why one does not answer.
    pub(crate) async fn list(&self) -> Vec<(String, Result<Listing, String>)> {
        let mut all = Vec::new();
        for socket in self.sockets() {
            let name = socket.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let answer = match self.speak(&socket, CheckpointOrder::List, LIST_WITHIN).await {
                Ok(Reply::Listing(listing)) => Ok(*listing),
                Ok(Reply::Refused { reason }) => Err(reason),
                Ok(_) => Err("it answered something else".to_owned()),
                Err(cause) => Err(cause),
            };
            all.push((name, answer));
        }
        all
    }

    /// The agent that protects a service.
    ///
    /// # Errors
    /// None does; the text names those that do not answer.
    pub(crate) async fn of(&self, service: &str) -> Result<String, RecoveryError> {
        let mut silent = Vec::new();
        for (name, listing) in self.list().await {
            match listing {
                Ok(listing) if listing.services.iter().any(|one| one.service == service) => {
                    return Ok(name);
                }
                Ok(_) => {}
                Err(cause) => silent.push(format!("{name}: {cause}")),
            }
        }
        if !silent.is_empty() {
            let text = format!("who protects '{service}' is not known: {}", silent.join("; "));
            return Err(RecoveryError::Port(PortError::Unavailable(text)));
        }
        Err(RecoveryError::NotFound(format!("an agent that protects the service '{service}'")))
    }

    /// Gives an order, or asks for its outcome.
    ///
    /// # Errors
    /// The agent is away or does not answer.
    pub(crate) async fn order(&self, agent: &str, order: CheckpointOrder) -> Result<Reply, String> {
        let socket = self
            .sockets()
            .into_iter()
            .find(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy() == agent));
        let socket = socket.ok_or_else(|| format!("the agent {agent} is not there"))?;
        self.speak(&socket, order, ORDER_WITHIN).await
    }

    async fn speak(
        &self,
        socket: &Path,
        order: CheckpointOrder,
        within: Duration,
    ) -> Result<Reply, String> {
        let talk = async {
            let text = |cause: std::io::Error| cause.to_string();
            let mut stream = UnixStream::connect(socket).await.map_err(text)?;
            let token = self.token.clone();
            let request = Request { protocol: CHECKPOINT_PROTOCOL, token, order };
            let mut frame = Vec::new();
            edge::encode(&request, &mut frame).map_err(|error| error.to_string())?;
            stream.write_all(&frame).await.map_err(text)?;
            let mut buffer = Vec::new();
            let mut chunk = vec![0; READ_BYTES];
            loop {
                let message = edge::decode(&mut buffer).map_err(|error| error.to_string())?;
                if let Some(reply) = message {
                    return Ok(reply);
                }
                match stream.read(&mut chunk).await.map_err(text)? {
                    0 => return Err("it closed the connection".to_owned()),
                    read => buffer.extend_from_slice(&chunk[..read]),
                }
            }
        };
        tokio::time::timeout(within, talk)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", within.as_secs())))
    }
}
