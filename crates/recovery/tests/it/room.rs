//! A node with only this room, an agent that is none, and fakes of the others.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::event::{Fact, IncidentChanged};
use model::id::TypedId;
use model::{
    AttackKind, DeviceId, Finding, FindingId, Incident, IncidentId, IncidentReport, IncidentState,
    NodeId, Outcome, Severity, Timestamp, Tlp,
};
use platform::Platform;
use platform::db::{DbError, FactFilter, find_facts};
use ports::checkpoint::{CheckpointOrder, Listing, RecoveryReport, Reply, Request, ServiceState};
use ports::edge;
use ports::fake::{FakeActuator, FakeFresh, FakeIncidents, FakeNotifier};
use ports::{Actuator, ActuatorCommand, PortError};
use recovery::{Config, MIGRATIONS, Needs, Recovery};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Ground {
    pub(crate) platform: Platform,
    pub(crate) room: Recovery,
    pub(crate) incidents: Arc<FakeIncidents>,
    pub(crate) gateway: Arc<FakeActuator>,
    pub(crate) fresh: Arc<FakeFresh>,
    pub(crate) notifier: Arc<FakeNotifier>,
}

impl Ground {
    pub(crate) async fn open(folder: &Path, config: Config) -> Self {
        Self::open_with(folder, config, false).await
    }

    /// With a gateway that can limit, if so wished.
    pub(crate) async fn open_with(folder: &Path, config: Config, limits: bool) -> Self {
        // The node's program does the same once.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
        let (incidents, gateway) =
            (Arc::<FakeIncidents>::default(), Arc::<FakeActuator>::default());
        let (fresh, notifier) = (Arc::<FakeFresh>::default(), Arc::<FakeNotifier>::default());
        let needs = Needs {
            incidents: incidents.clone(),
            fresh: fresh.clone(),
            gateway: if limits { Arc::new(Limiting(gateway.clone())) } else { gateway.clone() },
        };
        let room = Recovery::open(&platform, config, needs, notifier.clone()).unwrap();
        platform::bus::start(&platform, room.consumers());
        platform::jobs::start(&platform, room.jobs()).await.unwrap();
        Self { platform, room, incidents, gateway, fresh, notifier }
    }

    pub(crate) async fn close(self) {
        self.platform.tasks.stop(Duration::from_secs(5)).await;
        self.platform.db.close().await;
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let path = format!("/api/v1/recovery{path}");
        let (status, answer) =
            platform::testing::call(self.room.router(), true, method, &path, &body).await;
        (status.as_u16(), answer)
    }

    /// Asks until the answer pleases.
    pub(crate) async fn until(
        &self,
        path: &str,
        done: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.call("GET", path, serde_json::Value::Null).await;
            if done(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "not within {PATIENCE:?}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn facts(&self, kind: &str) -> Vec<Fact> {
        let mut sql = self.platform.db.read().await.unwrap();
        let filter = FactFilter { kind: Some(kind.into()), ..FactFilter::default() };
        let mut facts = find_facts(&mut sql, &filter, 100).await.unwrap();
        facts.reverse();
        facts
    }

    /// A contained incident of a device at this address, and the fact that says so.
    pub(crate) async fn contain(&self) -> IncidentId {
        let report = report();
        let incident = report.incident.clone();
        self.incidents.0.lock().unwrap().insert(incident.id, report);
        let id = incident.id;
        let fact = IncidentChanged { incident, change: "contained".into() };
        let told: Result<i64, DbError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("test", &fact).await }))
            .await;
        told.unwrap();
        id
    }

    /// Commands given to the gateway, as `verb`.
    pub(crate) fn verbs(&self) -> Vec<String> {
        self.gateway.performed.lock().unwrap().iter().map(|one| one.verb.clone()).collect()
    }
}

/// A gateway that can limit.
struct Limiting(Arc<FakeActuator>);

#[async_trait::async_trait]
impl Actuator for Limiting {
    fn name(&self) -> &'static str {
        "gateway"
    }
    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("block", ""), ("release", ""), ("rate_limit", "")]
    }
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        self.0.perform(command).await
    }
}

pub(crate) const MAC: &str = "02:00:00:00:00:07";

pub(crate) fn report() -> IncidentReport {
    let at = Timestamp::from_secs(1_790_000_000);
    let finding = Finding {
        id: FindingId::mint(at, [1; 10]),
        device: DeviceId::mint(at, [7; 10]),
        device_name: "camera".into(),
        device_address: "192.168.1.7".into(),
        device_mac: Some(MAC.into()),
        detector: "aarnn".into(),
        model: "m".into(),
        title: "camera behaves unusually".into(),
        kind: AttackKind::CommandAndControl,
        severity: Severity::High,
        score: 2.0,
        why: vec![],
        evidence: vec![],
        techniques: vec![],
        first_at: at.plus_secs(-20),
        last_at: at,
        windows: 3,
        recorded_at: at,
    };
    let incident = Incident {
        id: IncidentId::mint(at, [3; 10]),
        title: "camera".into(),
        state: IncidentState::Contained,
        severity: Severity::High,
        tlp: Tlp::Amber,
        origin: NodeId::mint(at, [1; 10]),
        origin_name: "Test Node".into(),
        findings: 1,
        received_share: None,
        acknowledged_by: None,
        event_at: at.plus_secs(-20),
        recorded_at: at,
        updated_at: at,
    };
    IncidentReport { incident, findings: vec![finding], timeline: vec![] }
}

/// Speaks like an agent; an order is under way for the first two questions about it.
#[derive(Clone, Default)]
pub(crate) struct Agent {
    /// Orders that took effect, by key: how often.
    pub(crate) effects: Arc<Mutex<HashMap<String, u32>>>,
    pub(crate) asked: Arc<Mutex<Vec<CheckpointOrder>>>,
    /// What it answers in the end, instead of "done".
    pub(crate) fails: Arc<Mutex<Option<Reply>>>,
}

impl Agent {
    pub(crate) fn listen(&self, folder: &Path) -> tokio::task::JoinHandle<()> {
        let path = folder.join("run/checkpoint/harbour.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(path).unwrap();
        let token = std::fs::read_to_string(folder.join("keys/checkpoint.token")).unwrap();
        let own = self.clone();
        tokio::task::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = Vec::new();
                let request: Request = loop {
                    if let Some(request) = edge::decode(&mut buffer).unwrap() {
                        break request;
                    }
                    let mut chunk = [0; 4_096];
                    let read = stream.read(&mut chunk).await.unwrap();
                    assert!(read > 0);
                    buffer.extend_from_slice(&chunk[..read]);
                };
                assert_eq!(request.token, token.trim());
                let mut frame = Vec::new();
                edge::encode(&own.answer(request.order), &mut frame).unwrap();
                let _ = stream.write_all(&frame).await;
            }
        })
    }

    fn answer(&self, order: CheckpointOrder) -> Reply {
        let mut asked = self.asked.lock().unwrap();
        asked.push(order.clone());
        if order == CheckpointOrder::List {
            let service = ServiceState { service: "telemetry".into(), ..ServiceState::default() };
            let listing =
                Listing { agent: "harbour".into(), services: vec![service], ..Listing::default() };
            return Reply::Listing(Box::new(listing));
        }
        let key = match &order {
            CheckpointOrder::Outcome { key } => key.clone(),
            other => other.effect().unwrap().0.to_owned(),
        };
        if !matches!(order, CheckpointOrder::Outcome { .. }) {
            // As the journal of an agent: a known key has no second effect.
            self.effects.lock().unwrap().entry(key.clone()).or_insert(1);
        }
        let about = asked
            .iter()
            .filter(|one| matches!(one, CheckpointOrder::Outcome { key: asked } if *asked == key));
        if about.count() < 2 {
            return Reply::Working {
                doing: "the service will be stopped at a random moment".into(),
            };
        }
        let failed = self.fails.lock().unwrap().clone();
        failed.unwrap_or_else(|| Reply::Done(Box::new(done(&key))))
    }
}

pub(crate) fn done(key: &str) -> RecoveryReport {
    RecoveryReport {
        key: key.to_owned(),
        agent: "harbour".into(),
        service: "telemetry".into(),
        verb: "restore_before".into(),
        checkpoint: None,
        started_from: "checkpoint 7".into(),
        evidence_at: None,
        margin_s: Some(600),
        asked_at: Timestamp::from_secs(1),
        stopped_at: None,
        running_at: None,
        downtime_s: 2.5,
        lost_s: 700.0,
        lost_bytes: Some(1_234),
        chance_infected: Some(0.25),
        model: Some("a model".into()),
        evidence: Some(9),
        counter: "a file, not hardware".into(),
        summary: "telemetry runs again from checkpoint 7: 2.5 s down".into(),
    }
}
