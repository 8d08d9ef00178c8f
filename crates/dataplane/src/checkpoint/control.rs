//! The agent's socket: one request and one reply for each connection.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use ports::checkpoint::{CHECKPOINT_PROTOCOL, CheckpointOrder, Reply, Request};
use ports::edge;
use subtle::ConstantTimeEq;

use super::CheckpointError;

/// Connections served at the same time.
const MAX_CONNECTIONS: usize = 16;
/// How long a request may take to arrive, or a reply to leave.
const SPEAK_WITHIN: Duration = Duration::from_secs(10);
/// How long the agent may take to answer: a checkpoint of a large state.
const ANSWER_WITHIN: Duration = Duration::from_secs(600);
/// Longest token file read, bytes.
const MAX_TOKEN_BYTES: u64 = 4_096;
/// Bytes read at a time.
const READ_BYTES: usize = 16 << 10;
/// Pause between two looks for the end.
const LOOK: Duration = Duration::from_millis(100);

/// An order, and where its reply goes.
pub(crate) type Waiting = (CheckpointOrder, SyncSender<Reply>);

/// Listens in the background until told to stop.
pub(crate) fn listen(
    path: &Path,
    token_file: PathBuf,
    orders: SyncSender<Waiting>,
    stop: Arc<AtomicBool>,
) -> Result<(), CheckpointError> {
    let failed = CheckpointError::io(path);
    let make = || -> std::io::Result<UnixListener> {
        let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = named.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        // The store's lock is ours, so a socket left behind belongs to a dead process.
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        // The node may run as somebody else: whoever owns the folder may ask.
        let owner = std::fs::metadata(folder)?;
        let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    let listener = make().map_err(failed)?;
    let served = Arc::new(AtomicUsize::new(0));
    let work = move || {
        while !stop.load(Ordering::Relaxed) {
            let Ok((stream, _)) = listener.accept() else {
                std::thread::sleep(LOOK);
                continue;
            };
            if served.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                served.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (token_file, orders, served) = (token_file.clone(), orders.clone(), served.clone());
            let serve = move || {
                if let Err(cause) = serve(&stream, &token_file, &orders) {
                    tracing::debug!(cause, "a request was not served");
                }
                served.fetch_sub(1, Ordering::Relaxed);
            };
            let _ = std::thread::Builder::new().name("checkpoint request".into()).spawn(serve);
        }
    };
    std::thread::Builder::new()
        .name("checkpoint socket".into())
        .spawn(work)
        .map(drop)
        .map_err(CheckpointError::io(path))
}

fn serve(
    stream: &UnixStream,
    token_file: &Path,
    orders: &SyncSender<Waiting>,
) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    stream.set_nonblocking(false).map_err(text)?;
    stream.set_read_timeout(Some(SPEAK_WITHIN)).map_err(text)?;
    stream.set_write_timeout(Some(SPEAK_WITHIN)).map_err(text)?;
    let request: Request = read(stream)?;
    let reply = match admit(&request, token_file) {
        Err(reason) => Reply::Refused { reason },
        Ok(()) => {
            let (answer, answered) = sync_channel(1);
            let busy =
                || Reply::Refused { reason: "the agent is busy: ask again later".to_owned() };
            match orders.try_send((request.order, answer)) {
                Ok(()) => answered.recv_timeout(ANSWER_WITHIN).unwrap_or_else(|_| busy()),
                Err(_) => busy(),
            }
        }
    };
    let mut frame = Vec::new();
    if edge::encode(&reply, &mut frame).is_err() {
        frame.clear();
        let reason = "the answer is too long; keep fewer checkpoints (agent.keep)".to_owned();
        edge::encode(&Reply::Refused { reason }, &mut frame).map_err(|error| error.to_string())?;
    }
    (&*stream).write_all(&frame).map_err(text)
}

fn admit(request: &Request, token_file: &Path) -> Result<(), String> {
    if request.protocol != CHECKPOINT_PROTOCOL {
        return Err(format!(
            "this agent speaks version {CHECKPOINT_PROTOCOL}, not {}: give node and agent the same version",
            request.protocol
        ));
    }
    let token = read_token(token_file)?;
    let same: bool = token.as_bytes().ct_eq(request.token.trim().as_bytes()).into();
    if token.is_empty() || !same {
        return Err(
            "wrong token: give the agent the node's keys/checkpoint.token (--token-file)".into()
        );
    }
    Ok(())
}

/// The token in a file; read at every request, so it may be replaced.
fn read_token(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_TOKEN_BYTES).read_to_string(&mut text))
        .map_err(|error| format!("token file {}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

fn read<M: for<'de> serde::Deserialize<'de>>(mut stream: &UnixStream) -> Result<M, String> {
    let mut buffer = Vec::new();
    let mut chunk = vec![0; READ_BYTES];
    loop {
        if let Some(message) = edge::decode(&mut buffer).map_err(|error| error.to_string())? {
            return Ok(message);
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Err("the connection was closed".to_owned()),
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Asks an agent on this machine, as `sereno-edge checkpoint list` and its like do.
///
/// # Errors
/// It is not there, or does not answer.
pub fn ask(socket: &Path, token_file: &Path, order: CheckpointOrder) -> Result<Reply, String> {
    let text = |error: std::io::Error| format!("{}: {error}", socket.display());
    let token = read_token(token_file)?;
    let stream = UnixStream::connect(socket).map_err(text)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(text)?;
    let mut frame = Vec::new();
    let request = Request { protocol: CHECKPOINT_PROTOCOL, token, order };
    edge::encode(&request, &mut frame).map_err(|error| error.to_string())?;
    (&stream).write_all(&frame).map_err(text)?;
    read(&stream)
}
