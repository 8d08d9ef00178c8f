//! The edge's side of the connection to its node.
//!
//! The link connects, proves itself, says what the outbox holds, and hands orders and replay
//! controls on. When the node is away it tries again; the outbox keeps what is not acknowledged.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ports::edge::{self, FromEdge, PROTOCOL_VERSION, ReplayControl, Source, ToEdge};

use crate::clock;
use crate::enforce::Ask;
use crate::outbox::Outbox;

/// First and longest pause before the node is tried again.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How long a write may stall before the connection is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// How often a waiting link looks whether it should end.
const LOOK: Duration = Duration::from_millis(200);
/// How often a link without an epoch looks for one.
const EPOCH_POLL: Duration = Duration::from_millis(10);
/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;
/// Longest token file read, bytes.
const MAX_TOKEN_BYTES: u64 = 4_096;

/// Where the node is and who we are.
#[derive(Clone, Debug)]
pub struct NodeAddress {
    /// The node's socket.
    pub socket: PathBuf,
    /// File with the proof of enrolment; read at every connection, so it may be replaced.
    pub token_file: PathBuf,
    /// The edge's name.
    pub name: String,
}

/// What the link needs to run.
pub struct Link {
    /// The node.
    pub node: NodeAddress,
    /// Where packets come from.
    pub source: Source,
    /// Why orders have no effect here, where that is so.
    pub not_enforcing: Option<String>,
    /// What is to be said.
    pub outbox: Arc<Outbox>,
    /// Takes orders and policies; the node repeats an order that finds no room.
    pub asks: SyncSender<Ask>,
    /// Takes replay controls.
    pub controls: SyncSender<ReplayControl>,
    /// Set when the edge ends.
    pub stop: Arc<AtomicBool>,
}

impl Link {
    /// Runs until told to stop.
    pub fn run(&self) {
        let mut pause = RETRY.0;
        let mut last_error = String::new();
        // The source's first start gives the epoch that the greeting names.
        while self.outbox.epoch() == 0 && !self.stopped() {
            std::thread::sleep(EPOCH_POLL);
        }
        while !self.stopped() {
            let before = clock::monotonic();
            match self.connection() {
                Ok(()) => {}
                Err(error) if error == last_error || self.stopped() => last_error = error,
                Err(error) => {
                    tracing::warn!(socket = %self.node.socket.display(), "node: {error}; trying again");
                    last_error = error;
                }
            }
            self.outbox.disconnected();
            if clock::monotonic().saturating_sub(before) > RETRY.1 {
                (pause, last_error) = (RETRY.0, String::new());
            }
            let until = clock::monotonic() + pause;
            while clock::monotonic() < until && !self.stopped() {
                std::thread::sleep(LOOK.min(pause));
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn hello(&self) -> Result<Vec<u8>, String> {
        let file = std::fs::File::open(&self.node.token_file)
            .map_err(|error| format!("token file {}: {error}", self.node.token_file.display()))?;
        let mut token = String::new();
        file.take(MAX_TOKEN_BYTES)
            .read_to_string(&mut token)
            .map_err(|error| format!("token file {}: {error}", self.node.token_file.display()))?;
        let hello = FromEdge::Hello {
            protocol: PROTOCOL_VERSION,
            name: self.node.name.clone(),
            token: token.trim().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            not_enforcing: self.not_enforcing.clone(),
            source: self.source.clone(),
            epoch: self.outbox.epoch(),
        };
        let mut frame = Vec::new();
        edge::encode(&hello, &mut frame).map_err(|error| error.to_string())?;
        Ok(frame)
    }

    fn connection(&self) -> Result<(), String> {
        let stream = UnixStream::connect(&self.node.socket).map_err(|error| error.to_string())?;
        stream.set_write_timeout(Some(WRITE_WITHIN)).map_err(|error| error.to_string())?;
        let hello = self.hello()?;
        (&stream).write_all(&hello).map_err(|error| error.to_string())?;
        let ended: Mutex<Option<Result<(), String>>> = Mutex::new(None);
        let written = std::thread::scope(|scope| {
            scope.spawn(|| {
                let result = self.read(&stream);
                *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                self.outbox.wake();
            });
            let over = || ended.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            let mut result = Ok(());
            while !self.stopped() && !over() {
                let Some(frame) = self.outbox.next(LOOK) else { continue };
                if let Err(error) = (&stream).write_all(&frame) {
                    result = Err(error.to_string());
                    break;
                }
            }
            // Wakes the reader, so that the scope ends.
            let _ = stream.shutdown(Shutdown::Both);
            result
        });
        let read = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        read.unwrap_or(Ok(())).and(written)
    }

    fn read(&self, mut stream: &UnixStream) -> Result<(), String> {
        let mut buffer = Vec::new();
        let mut chunk = vec![0; READ_BYTES];
        loop {
            while let Some(message) =
                edge::decode::<ToEdge>(&mut buffer).map_err(|error| error.to_string())?
            {
                self.take(message)?;
            }
            match stream.read(&mut chunk) {
                Ok(0) => return Err("the connection was closed".to_owned()),
                Ok(read) => buffer.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn take(&self, message: ToEdge) -> Result<(), String> {
        match message {
            ToEdge::Welcome { epoch, last_seq } => {
                tracing::info!(epoch, ?last_seq, "the node says welcome");
                self.outbox.welcome(epoch, last_seq);
            }
            ToEdge::Refused { reason } => return Err(format!("refused: {reason}")),
            ToEdge::Ack { epoch, seq } => self.outbox.ack(epoch, seq),
            ToEdge::Order(order) => {
                if self.asks.try_send(Ask::Order(order)).is_err() {
                    tracing::warn!("too many orders wait; the node will repeat this one");
                }
            }
            // The policy is what everything else is judged by: without room for it the connection
            // begins anew, and with it the policy comes again.
            ToEdge::Policy(policy) => self
                .asks
                .try_send(Ask::Policy(Box::new(policy)))
                .map_err(|_| "too many orders wait to take the policy".to_owned())?,
            ToEdge::Replay(control) => {
                if self.controls.try_send(control).is_err() {
                    tracing::warn!(?control, "replay control dropped: too many wait, or no replay");
                }
            }
        }
        Ok(())
    }
}
