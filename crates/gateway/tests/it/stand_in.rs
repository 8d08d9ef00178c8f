//! An edge that does what the test says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Config, Gateway, MIGRATIONS};
use model::{BlockTarget, Outcome, Timestamp};
use platform::Platform;
use ports::edge::{
    self, Count, DeviceCounters, FromEdge, PROTOCOL_VERSION, Reason, Source, ToEdge, Totals,
};
use ports::fake::FakeSink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

pub(crate) const MAC: &str = "02:00:00:00:00:01";

pub(crate) struct Node {
    pub(crate) platform: Platform,
    pub(crate) room: Gateway,
    pub(crate) sink: Arc<FakeSink>,
}

impl Node {
    pub(crate) async fn open(folder: &Path) -> Self {
        Self::open_with(folder, Arc::default(), 150).await
    }

    pub(crate) async fn open_with(folder: &Path, sink: Arc<FakeSink>, answer_wait_ms: u64) -> Self {
        Self::with(folder, sink, Config { answer_wait_ms, ..Config::default() }).await
    }

    /// Findings make their device a suspect for so many seconds.
    pub(crate) async fn suspecting(folder: &Path, suspect_s: u32) -> Self {
        Self::with(folder, Arc::default(), Config { suspect_s, ..Config::default() }).await
    }

    async fn with(folder: &Path, sink: Arc<FakeSink>, config: Config) -> Self {
        let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
        let room = Gateway::new(platform.clone(), config, sink.clone());
        room.listen().unwrap();
        platform::bus::start(&platform, room.consumers());
        platform::jobs::start(&platform, room.jobs()).await.unwrap();
        Self { platform, room, sink }
    }

    pub(crate) async fn close(self) {
        self.platform.tasks.stop(Duration::from_secs(5)).await;
        self.platform.db.close().await;
    }

    pub(crate) async fn facts(&self, kind: &str) -> Vec<String> {
        let mut connection = self.platform.db.read().await.unwrap();
        let filter = platform::db::FactFilter {
            kind: Some(kind.into()),
            ..platform::db::FactFilter::default()
        };
        let facts = platform::db::find_facts(&mut connection, &filter, 50).await.unwrap();
        facts.into_iter().rev().map(|fact| fact.sentence).collect()
    }
}

pub(crate) struct Edge {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Edge {
    pub(crate) async fn connect(folder: &Path, token: &str, epoch: u64) -> Self {
        Self::of_version(folder, token, epoch, PROTOCOL_VERSION).await
    }

    /// An edge of another release.
    pub(crate) async fn of_version(folder: &Path, token: &str, epoch: u64, protocol: u16) -> Self {
        let stream = UnixStream::connect(folder.join("run/edge.sock")).await.unwrap();
        let mut edge = Self { stream, buffer: vec![] };
        edge.say(&FromEdge::Hello {
            protocol,
            name: "gw".into(),
            token: token.into(),
            version: "0".into(),
            not_enforcing: None,
            source: Source::Live { interface: "eth0".into() },
            epoch,
        })
        .await;
        edge
    }

    /// With the right token, welcomed.
    pub(crate) async fn welcome(folder: &Path, epoch: u64) -> (Self, Option<u64>) {
        let token = std::fs::read_to_string(folder.join("keys/edge.token")).unwrap();
        let mut edge = Self::connect(folder, &token, epoch).await;
        match edge.hear().await {
            Some(ToEdge::Welcome { last_seq, .. }) => (edge, last_seq),
            other => panic!("not welcome: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, message: &FromEdge) {
        let mut wire = Vec::new();
        edge::encode(message, &mut wire).unwrap();
        self.stream.write_all(&wire).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> Option<ToEdge> {
        loop {
            if let Some(message) = edge::decode(&mut self.buffer).unwrap() {
                return Some(message);
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn count(&mut self, forwarded: u64, dropped: u64, blocked: bool) {
        let standing = ports::edge::Standing {
            key: "k".into(),
            verb: "block".into(),
            target: MAC.into(),
            why: "test".into(),
            left_s: 60,
            caught: Count { packets: dropped, bytes: dropped * 60 },
            dry_run: false,
        };
        let mut totals = Totals {
            seen: packets(forwarded + dropped),
            passed: packets(forwarded),
            ..Totals::default()
        };
        totals.dropped.insert(Reason::Block, packets(dropped));
        self.say(&FromEdge::Counters {
            judging: None,
            totals,
            standing: if blocked { vec![standing] } else { vec![] },
            at: Timestamp::from_secs(1_533_047_000),
            devices: vec![DeviceCounters {
                mac: MAC.into(),
                forwarded_packets: forwarded,
                forwarded_bytes: forwarded * 60,
                dropped_packets: dropped,
                dropped_bytes: dropped * 60,
                blocked,
                reasons: [(Reason::Block, packets(dropped))].into(),
            }],
            capture_dropped: 0,
        })
        .await;
    }
}

fn packets(packets: u64) -> Count {
    Count { packets, bytes: packets * 60 }
}

pub(crate) fn target() -> BlockTarget {
    BlockTarget { mac: Some(MAC.into()), addresses: vec![] }
}

pub(crate) fn done() -> Outcome {
    Outcome::Done { summary: "blocked".into(), data: serde_json::Value::Null }
}
