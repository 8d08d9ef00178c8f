//! One connected edge: it proves itself, sends windows and counters, answers orders.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::event::EdgeConnected;
use ports::edge::{
    self, DeviceCounters, FromEdge, Judging, Order, PROTOCOL_VERSION, Source, Standing, ToEdge,
    Totals, Verb,
};
use ports::{PortError, WindowBatch};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use crate::Gateway;
use crate::error::GatewayError;
use crate::lift;
use crate::policy;
use crate::store::{self, Edge, OrderRow, Reading};

/// An edge that does not introduce itself in time is let go.
const HELLO_TIMEOUT_S: u64 = 10;
/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// Longest name of a gateway, bytes.
const MAX_NAME_BYTES: usize = 64;
/// Devices of one counter message that are kept.
const MAX_COUNTED_DEVICES: usize = 1_024;
/// Orders in force of one message that are kept.
const MAX_STANDING: usize = 4_096;
/// An order without an answer is sent again after this time, microseconds; its key keeps it from
/// being carried out twice.
const REPEAT_AFTER_US: i64 = 2_000_000;
/// Orders repeated at once.
const MAX_REPEATED: usize = 32;
/// At most one counter row per device in this time, microseconds.
const KEEP_READING_EVERY_US: i64 = 1_000_000;

/// Serves one connection to its end.
pub(crate) async fn serve(room: Gateway, stream: UnixStream, token: Arc<String>) {
    let (reader, mut writer) = stream.into_split();
    let mut frames = Frames { reader, buffer: Vec::new() };
    let hello = tokio::time::timeout(Duration::from_secs(HELLO_TIMEOUT_S), frames.next()).await;
    let introduced = match hello {
        Ok(Ok(Some(hello))) => introduce(&room, hello, &token).await,
        Ok(Err(reason)) => Err(reason),
        Ok(Ok(None)) | Err(_) => return,
    };
    match introduced {
        Err(reason) => {
            tracing::warn!(reason, "a gateway was refused");
            let _ = write(&mut writer, &ToEdge::Refused { reason }).await;
        }
        Ok(mut session) => {
            let name = session.edge.name.clone();
            let ended = session.run(frames, writer).await;
            room.registry.leave(&name, session.number);
            room.platform.live.send("gateway", json!({ "gateway": name, "connected": false }));
            if let Err(reason) = ended {
                tracing::warn!(gateway = name, reason, "connection ended");
            }
        }
    }
}

/// Checks the first frame and answers it.
async fn introduce(room: &Gateway, hello: FromEdge, token: &str) -> Result<Session, String> {
    let FromEdge::Hello { protocol, name, token: shown, version, not_enforcing, source, epoch } =
        hello
    else {
        return Err("the first frame must be an introduction".into());
    };
    if protocol != PROTOCOL_VERSION {
        return Err(format!(
            "this node speaks protocol {PROTOCOL_VERSION}, the gateway {protocol}: give both the same release; what \
             the gateway enforces already stays in force"
        ));
    }
    if !same(shown.trim().as_bytes(), token.as_bytes()) {
        return Err("the enrolment token is wrong; copy keys/edge.token of the node again".into());
    }
    let lawful = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(lawful) {
        return Err(format!("a gateway's name has 1 to {MAX_NAME_BYTES} of a-z 0-9 - _ ."));
    }
    let (number, inbox) = room
        .registry
        .enter(&name, room.config.max_gateways)
        .ok_or("too many gateways are connected (gateway.max_gateways)")?;
    let edge = Edge {
        name,
        not_enforcing,
        source,
        epoch,
        last_contact: room.platform.now(),
        refused_batches: 0,
    };
    let failed = |error: GatewayError| error.to_string();
    note_connection(room, &edge, version).await.map_err(failed)?;
    let last_seq =
        room.sink.last_seq(&edge.name, epoch).await.map_err(|error| error.to_string())?;
    room.registry.send(&edge.name, ToEdge::Welcome { epoch, last_seq });
    let mut connection = room.platform.db.read().await.map_err(|error| error.to_string())?;
    // Before the orders: what they may do depends on it. A gateway for which nobody set one keeps its own.
    let policy = policy::whole(&mut connection, &edge.name).await.map_err(failed)?;
    if policy.version > 0 {
        room.registry.send(&edge.name, ToEdge::Policy(policy));
    }
    for row in store::unanswered(&mut connection, &edge.name).await.map_err(|e| e.to_string())? {
        room.registry.send(&edge.name, ToEdge::Order(row.order));
    }
    drop(connection);
    room.platform.live.send("gateway", json!({ "gateway": edge.name, "connected": true }));
    Ok(Session {
        room: room.clone(),
        edge,
        number,
        inbox: Some(inbox),
        kept_at: Timestamp::default(),
    })
}

/// Compares secrets without telling by time where they differ.
fn same(shown: &[u8], token: &[u8]) -> bool {
    shown.len() == token.len()
        && shown.iter().zip(token).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

/// Writes the gateway down; a fact only when something about it is new.
async fn note_connection(room: &Gateway, edge: &Edge, version: String) -> Result<(), GatewayError> {
    let edge = edge.clone();
    room.platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let known = store::find_edge(tx.sql(), &edge.name).await?;
                store::keep_edge(tx.sql(), &edge, &version).await?;
                let news = known.is_none_or(|known| {
                    known.not_enforcing != edge.not_enforcing
                        || known.source != edge.source
                        || known.epoch != edge.epoch
                });
                if news {
                    let fact = EdgeConnected {
                        edge: edge.name.clone(),
                        not_enforcing: edge.not_enforcing.clone(),
                        source: source_words(&edge.source),
                    };
                    tx.publish(&format!("edge:{}", edge.name), &fact).await?;
                }
                Ok(())
            })
        })
        .await
}

fn source_words(source: &Source) -> String {
    match source {
        Source::Live { interface } => format!("live traffic of {interface}"),
        Source::Replay { capture, through_gateway: true } => {
            format!("a replay of {capture}, sent as real frames through the gateway")
        }
        Source::Replay { capture, through_gateway: false } => {
            format!("a replay of {capture}, read from the file")
        }
    }
}

struct Session {
    room: Gateway,
    edge: Edge,
    number: u64,
    inbox: Option<mpsc::Receiver<ToEdge>>,
    kept_at: Timestamp,
}

impl Session {
    async fn run(&mut self, mut frames: Frames, writer: OwnedWriteHalf) -> Result<(), String> {
        let inbox = self.inbox.take().ok_or("the session has run before")?;
        let sending = send_all(inbox, writer);
        let receiving = async {
            while let Some(message) = frames.next().await? {
                self.take(message).await?;
            }
            Ok(())
        };
        tokio::select! {
            ended = sending => ended,
            ended = receiving => ended,
        }
    }

    async fn take(&mut self, message: FromEdge) -> Result<(), String> {
        match message {
            FromEdge::Hello { .. } => Err("a second introduction on one connection".into()),
            FromEdge::Windows(batch) => self.windows(batch).await,
            FromEdge::Counters { at, devices, capture_dropped, totals, standing, judging } => {
                let news = Counted { devices, capture_dropped, totals, standing, judging };
                self.counters(at, news).await.map_err(|e| e.to_string())
            }
            FromEdge::PolicyTaken { version, problem } => {
                let taken = self.room.policy_taken(&self.edge.name, version, problem).await;
                taken.map_err(|error| error.to_string())
            }
            FromEdge::OrderDone { key, outcome } => {
                let done = self.room.answered(&self.edge.name, key, outcome).await;
                done.map_err(|error| error.to_string())
            }
            FromEdge::SourceState(state) => {
                let news = json!({ "gateway": self.edge.name, "state": state });
                self.room.registry.note(&self.edge.name, |entry| entry.replay = Some(state));
                self.room.platform.live.send("source", news);
                Ok(())
            }
        }
    }

    /// Acknowledged only after the sink has the batch on disk.
    async fn windows(&mut self, mut batch: WindowBatch) -> Result<(), String> {
        // The name was proven at the door; what the frame says about it does not count.
        batch.edge.clone_from(&self.edge.name);
        let (epoch, seq) = (batch.epoch, batch.seq);
        self.devices(&batch).await?;
        self.room
            .learn(&self.edge.name, &batch.records)
            .await
            .map_err(|error| error.to_string())?;
        match self.room.sink.accept(batch).await {
            Ok(()) => {}
            Err(PortError::Invalid(reason)) => {
                // Sent again it would be refused again: count it, show it, go on.
                tracing::error!(gateway = self.edge.name, seq, reason, "a batch was refused");
                self.count_refused().await.map_err(|error| error.to_string())?;
            }
            // Not acknowledged: the gateway keeps it and sends it again after it reconnects.
            Err(other) => return Err(format!("batch {seq} could not be kept: {other}")),
        }
        if self.room.registry.send(&self.edge.name, ToEdge::Ack { epoch, seq }) {
            return Ok(());
        }
        Err("the gateway does not read its acknowledgements".into())
    }

    /// Facts about devices are kept before the batch is acknowledged; kept twice, they are the same.
    async fn devices(&self, batch: &WindowBatch) -> Result<(), String> {
        let Some(inventory) = self.room.inventory.as_ref().filter(|_| !batch.devices.is_null())
        else {
            return Ok(());
        };
        match inventory.note(&self.edge.name, &batch.devices).await {
            Ok(()) => Ok(()),
            Err(PortError::Invalid(reason)) => {
                tracing::error!(
                    gateway = self.edge.name,
                    reason,
                    "facts about devices were refused"
                );
                self.count_refused().await.map_err(|error| error.to_string())
            }
            Err(other) => Err(format!("facts about devices could not be kept: {other}")),
        }
    }

    async fn count_refused(&self) -> Result<(), GatewayError> {
        let name = self.edge.name.clone();
        self.room
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move { Ok(store::count_refused(tx.sql(), &name).await?) })
            })
            .await
    }

    async fn counters(
        &mut self,
        event_at: Timestamp,
        counted: Counted,
    ) -> Result<(), GatewayError> {
        let Counted { mut devices, capture_dropped, totals, mut standing, judging } = counted;
        devices.truncate(MAX_COUNTED_DEVICES);
        standing.truncate(MAX_STANDING);
        let news = json!({
            "gateway": self.edge.name, "event_at": event_at, "devices": devices, "totals": totals,
            "judging": judging,
        });
        self.room.platform.live.send("counters", news);
        self.room.registry.note(&self.edge.name, |entry| {
            entry.counters.clone_from(&devices);
            entry.capture_dropped = capture_dropped;
            entry.totals = totals;
            entry.standing.clone_from(&standing);
            entry.judging = judging;
        });
        let at = self.room.platform.now();
        let due = at.micros_since(self.kept_at) >= KEEP_READING_EVERY_US;
        // A block is watched at every reading, so that "seen to work" is not late.
        if !due && !devices.iter().any(|device| device.blocked) {
            return Ok(());
        }
        if due {
            self.kept_at = at;
        }
        let (name, rows) = (self.edge.name.clone(), self.room.config.counter_rows);
        let repeat: Vec<Order> = self
            .room
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let blocks = store::in_force(tx.sql(), &name).await?;
                    see_blocks(tx, &blocks, &devices).await?;
                    if !due {
                        return Ok::<_, GatewayError>(vec![]);
                    }
                    store::touch(tx.sql(), &name, at).await?;
                    lift::lost(tx, blocks, &standing, &devices).await?;
                    for counters in devices {
                        let reading = Reading { at, event_at, counters };
                        store::keep_reading(tx.sql(), &name, &reading, rows).await?;
                    }
                    let waiting = store::unanswered(tx.sql(), &name).await?;
                    let old = |row: &OrderRow| at.micros_since(row.requested_at) >= REPEAT_AFTER_US;
                    let orders = waiting.into_iter().filter(old).map(|row| row.order);
                    Ok(orders.take(MAX_REPEATED).collect())
                })
            })
            .await?;
        for order in repeat {
            self.room.registry.send(&self.edge.name, ToEdge::Order(order));
        }
        Ok(())
    }
}

/// One message of counters.
struct Counted {
    devices: Vec<DeviceCounters>,
    capture_dropped: u64,
    totals: Totals,
    standing: Vec<Standing>,
    judging: Option<Judging>,
}

/// What the counters of blocked devices show of their blocks.
async fn see_blocks(
    tx: &mut platform::db::Tx,
    blocks: &[OrderRow],
    devices: &[DeviceCounters],
) -> Result<(), GatewayError> {
    let whole =
        |row: &&OrderRow| matches!(row.order.verb, Verb::Block { .. }) && row.order.flow.is_none();
    for block in blocks.iter().filter(whole) {
        let mac = block.mac();
        let Some(line) = devices.iter().find(|line| line.blocked && mac == Some(line.mac.as_str()))
        else {
            continue;
        };
        let (forwarded, dropped) = (line.forwarded_packets, line.dropped_packets);
        store::see(tx.sql(), &block.order.key, forwarded, dropped).await?;
    }
    Ok(())
}

async fn send_all(
    mut inbox: mpsc::Receiver<ToEdge>,
    mut writer: OwnedWriteHalf,
) -> Result<(), String> {
    while let Some(message) = inbox.recv().await {
        write(&mut writer, &message).await?;
    }
    Err("replaced by a newer connection of the same name".into())
}

async fn write(writer: &mut OwnedWriteHalf, message: &ToEdge) -> Result<(), String> {
    let mut wire = Vec::new();
    edge::encode(message, &mut wire).map_err(|error| error.to_string())?;
    writer.write_all(&wire).await.map_err(|error| error.to_string())
}

/// Frames of one connection; the buffer never holds more than one frame and one read.
struct Frames {
    reader: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Frames {
    async fn next(&mut self) -> Result<Option<FromEdge>, String> {
        loop {
            if let Some(message) = edge::decode(&mut self.buffer).map_err(|e| e.to_string())? {
                return Ok(Some(message));
            }
            self.buffer.reserve(READ_BYTES);
            let read = self.reader.read_buf(&mut self.buffer).await;
            if read.map_err(|error| error.to_string())? == 0 {
                return Ok(None);
            }
        }
    }
}
