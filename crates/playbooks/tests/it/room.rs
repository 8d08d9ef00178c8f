//! A node with only this room, and a world outside that remembers what was done to it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Extension, Router};
use model::event::{Fact, IncidentOpened, Payload};
use model::id::TypedId;
use model::{
    AttackKind, Device, DeviceId, DeviceRole, Evidence, Finding, FindingId, Incident, IncidentId,
    IncidentReport, IncidentState, NodeId, Outcome, PeerId, Severity, ShareDecision, ShareId,
    Timestamp, Tlp,
};
use platform::Platform;
use platform::db::{Db, DbError, FactFilter, find_facts};
use platform::http::{Caller, Gate};
use platform::peers::{Peer, PeerDirectory};
use playbooks::{Config, MIGRATIONS, Needs, Playbooks};
use ports::fake::{FakeAuthorizer, FakeIncidents, FakeIntel};
use ports::{
    Actuator, ActuatorCommand, AddressSighting, AssetDirectory, Authorizer, Exchange, IntelAnswer,
    PortError, Repeat, SharePreview,
};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection};
use tower::ServiceExt;

use crate::starts::Shifted;

pub(crate) use crate::build::{action, block, end, manual, notify, playbook};

/// What lies outside the node and survives its death.
#[derive(Default)]
pub(crate) struct World {
    /// Every ask, repetitions included: key, verb.
    pub(crate) asked: Mutex<Vec<(String, String)>>,
    /// What was really done, in order: verb by key.
    pub(crate) effects: Mutex<Vec<(String, String)>>,
    outcomes: Mutex<BTreeMap<String, Outcome>>,
    /// What the gateway says next; done when empty.
    pub(crate) script: Mutex<VecDeque<Result<Outcome, String>>>,
    /// How long the gateway takes for its next answers, milliseconds.
    pub(crate) slow_ms: Mutex<VecDeque<u64>>,
    /// Commands being carried out now, and the most there ever were.
    at_once: (AtomicUsize, AtomicUsize),
    /// The gateway cannot promise to do a key once.
    pub(crate) ask_person: AtomicBool,
    /// The gateway does what it is asked and then never answers: as if the node died meanwhile.
    pub(crate) mute: AtomicBool,
    /// Copies the database of the node at every ask, before the effect and after it.
    pub(crate) camera: Mutex<Option<Camera>>,
    pub(crate) certs: Mutex<Vec<SharePreview>>,
    pub(crate) intel: Mutex<BTreeMap<String, IntelAnswer>>,
    pub(crate) incidents: Arc<FakeIncidents>,
    pub(crate) people: Arc<platform::people::FakePeople>,
    pub(crate) authorizer: Arc<crate::approvals::Roles>,
    /// How critical every device is; medium when nobody says.
    pub(crate) criticality: Mutex<Option<Severity>>,
}

/// Takes consistent copies of a database: what a node finds that was killed at that moment.
#[derive(Clone)]
pub(crate) struct Camera {
    pub(crate) database: PathBuf,
    pub(crate) copies: PathBuf,
    pub(crate) next: Arc<AtomicUsize>,
}

impl Camera {
    pub(crate) async fn take(&self) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let mut connection =
            AnyConnection::connect(&format!("sqlite://{}", self.database.display())).await.unwrap();
        sqlx::query("VACUUM INTO $1")
            .bind(self.copies.join(format!("{number:03}.db")).display().to_string())
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
}

impl World {
    async fn moment(&self) {
        let camera = self.camera.lock().unwrap().clone();
        if let Some(camera) = camera {
            camera.take().await;
        }
    }

    /// Does something once per key.
    fn effect(&self, key: &str, verb: &str, outcome: Outcome) -> Outcome {
        let mut outcomes = self.outcomes.lock().unwrap();
        if let Some(known) = outcomes.get(key) {
            return known.clone();
        }
        self.effects.lock().unwrap().push((key.to_owned(), verb.to_owned()));
        outcomes.insert(key.to_owned(), outcome.clone());
        outcome
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.at_once.1.load(Ordering::SeqCst)
    }

    pub(crate) fn verbs(&self) -> Vec<String> {
        self.effects.lock().unwrap().iter().map(|(_, verb)| verb.clone()).collect()
    }
}

struct Gateway(Arc<World>);

#[async_trait]
impl Actuator for Gateway {
    fn name(&self) -> &'static str {
        "gateway"
    }
    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("block", "blocks"), ("release", "releases")]
    }
    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        let ask = self.0.ask_person.load(Ordering::SeqCst);
        if ask { Repeat::AskPerson } else { Repeat::Safe }
    }
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        self.0.asked.lock().unwrap().push((command.key.clone(), command.verb.clone()));
        let said = self.0.script.lock().unwrap().pop_front();
        let now = self.0.at_once.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.at_once.1.fetch_max(now, Ordering::SeqCst);
        let outcome = match said {
            Some(Err(reason)) => return Err(PortError::Unavailable(reason)),
            Some(Ok(outcome)) => outcome,
            None => Outcome::Done { summary: "blocked".into(), data: json!({ "blocked": true }) },
        };
        self.0.moment().await;
        let outcome = self.0.effect(&command.key, &command.verb, outcome);
        self.0.moment().await;
        let slow_ms = self.0.slow_ms.lock().unwrap().pop_front();
        if let Some(slow_ms) = slow_ms {
            tokio::time::sleep(Duration::from_millis(slow_ms)).await;
        }
        self.0.at_once.0.fetch_sub(1, Ordering::SeqCst);
        if self.0.mute.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(outcome)
    }
}

struct Certs(Arc<World>);

#[async_trait]
impl Exchange for Certs {
    async fn preview(&self, _: IncidentId) -> Result<Vec<SharePreview>, PortError> {
        Ok(self.0.certs.lock().unwrap().clone())
    }
    async fn share(
        &self,
        incident: IncidentId,
        _: PeerId,
        _: &str,
        key: &str,
    ) -> Result<ShareId, PortError> {
        self.0.asked.lock().unwrap().push((key.to_owned(), "share".into()));
        self.0.moment().await;
        self.0.effect(key, "share", Outcome::Done { summary: String::new(), data: Value::Null });
        self.0.moment().await;
        Ok(ShareId::from_uuid(incident.uuid()))
    }
}

#[async_trait]
impl PeerDirectory for Certs {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        let certs = self.0.certs.lock().unwrap();
        Ok(certs
            .iter()
            .map(|preview| Peer {
                id: preview.peer,
                node: NodeId::from_uuid(preview.peer.uuid()),
                name: preview.peer_name.clone(),
                kind: "cert".into(),
                url: None,
                fingerprint: String::new(),
                signing_key: String::new(),
            })
            .collect())
    }
    async fn peer(&self, _: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(None)
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        Err(PortError::Unavailable("no peer in tests".into()))
    }
}

struct Assets(Arc<World>);

#[async_trait]
impl AssetDirectory for Assets {
    async fn identify(&self, _: &AddressSighting) -> Result<Device, PortError> {
        Err(PortError::Unavailable("no sightings in tests".into()))
    }
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, PortError> {
        let at = Timestamp::from_secs(1);
        Ok(Some(Device {
            id,
            name: "Tram signal".into(),
            place: None,
            role: DeviceRole::Protected,
            criticality: self.0.criticality.lock().unwrap().unwrap_or(Severity::Medium),
            mac: None,
            addresses: vec![],
            first_seen: at,
            last_seen: at,
        }))
    }
}

pub(crate) fn cert(allowed: bool) -> SharePreview {
    SharePreview {
        left_out: 0,
        redacted: 0,
        peer: PeerId::mint(Timestamp::from_secs(1), [9; 10]),
        peer_name: "CERT".into(),
        decision: ShareDecision { allowed, reason: "policy".into(), policies: vec![] },
        objects: 9,
        pseudonymised: 2,
    }
}

pub(crate) struct Room {
    pub(crate) platform: Platform,
    pub(crate) room: Playbooks,
}

impl Room {
    pub(crate) async fn open(folder: &Path, world: &Arc<World>) -> Self {
        Self::open_with(folder, world, Config::default()).await
    }

    pub(crate) async fn open_with(folder: &Path, world: &Arc<World>, config: Config) -> Self {
        let rooms = [intel::MIGRATIONS, MIGRATIONS];
        let platform = platform::testing::platform(folder, &rooms).await.unwrap();
        Self::over(platform, world, config).await
    }

    /// A room whose clock is set as the test likes.
    pub(crate) async fn open_at(folder: &Path, world: &Arc<World>, clock: Arc<Shifted>) -> Self {
        let rooms = [intel::MIGRATIONS, MIGRATIONS];
        let mut platform = platform::testing::platform(folder, &rooms).await.unwrap();
        platform.db.close().await;
        let (database, random) = (platform.data.database(), Arc::clone(&platform.random));
        platform.db = Db::open(&database, &rooms, clock.clone(), random).await.unwrap();
        platform.clock = clock;
        let config = Config { install_shipped: false, ..Config::default() };
        Self::over(platform, world, config).await
    }

    async fn over(platform: Platform, world: &Arc<World>, config: Config) -> Self {
        let needs = Self::needs(world);
        let room = Playbooks::new(platform.clone(), config, needs);
        room.install().await.unwrap();
        platform::bus::start(&platform, room.consumers());
        platform::jobs::start(&platform, room.jobs()).await.unwrap();
        room.start();
        Self { platform, room }
    }

    /// What the room needs of others.
    pub(crate) fn needs(world: &Arc<World>) -> Needs {
        let intel = FakeIntel(world.intel.lock().unwrap().clone());
        Needs {
            intel: Arc::new(intel),
            exchange: Arc::new(Certs(Arc::clone(world))),
            peers: Arc::new(Certs(Arc::clone(world))),
            incidents: Arc::clone(&world.incidents) as _,
            assets: Arc::new(Assets(Arc::clone(world))),
            people: Arc::clone(&world.people) as _,
            authorizer: Arc::clone(&world.authorizer) as _,
            actuators: vec![Arc::new(Gateway(Arc::clone(world)))],
        }
    }

    /// Ends everything at once; what was not committed is lost, as in a crash.
    pub(crate) async fn close(self) {
        self.platform.tasks.stop(Duration::from_secs(5)).await;
        self.platform.db.close().await;
    }

    pub(crate) async fn publish<P: Payload + Clone + Send + Sync + 'static>(&self, payload: &P) {
        let payload = payload.clone();
        let done: Result<i64, DbError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("test", &payload).await }))
            .await;
        done.unwrap();
    }

    pub(crate) async fn facts(&self, kind: &str) -> Vec<Fact> {
        let mut connection = self.platform.db.read().await.unwrap();
        let filter = FactFilter { kind: Some(kind.into()), ..FactFilter::default() };
        let mut facts = find_facts(&mut connection, &filter, 500).await.unwrap();
        facts.reverse();
        facts
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.call_as(true, method, path, body).await
    }

    pub(crate) async fn call_as(
        &self,
        allowed: bool,
        method: &str,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.call_through(Arc::new(FakeAuthorizer(allowed)), method, path, body).await
    }

    pub(crate) async fn call_through(
        &self,
        authorizer: Arc<dyn Authorizer>,
        method: &str,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.call_by(Caller::local_admin(), authorizer, method, path, body).await
    }

    pub(crate) async fn call_by(
        &self,
        caller: Caller,
        authorizer: Arc<dyn Authorizer>,
        method: &str,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let (routes, _) = self.room.router().into_parts();
        let app = Router::from(routes).layer(Extension(Gate(authorizer)));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        request.extensions_mut().insert(caller);
        let response = app.oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Runs as the API shows them, newest first.
    pub(crate) async fn runs(&self) -> Vec<Value> {
        let (_, list) = self.call("GET", "/api/v1/runs", Value::Null).await;
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until the newest run is in one of these states, and gives it step by step.
    pub(crate) async fn run_in(&self, states: &[&str]) -> Value {
        loop {
            if let Some(run) = self.runs().await.first()
                && states.contains(&run["state"].as_str().unwrap())
            {
                let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
                return self.call("GET", &path, Value::Null).await.1;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn ended(&self) -> Value {
        self.run_in(&["succeeded", "failed", "cancelled"]).await
    }

    /// Waits until one run has ended, and gives it step by step.
    pub(crate) async fn ended_of(&self, run: &Value) -> Value {
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        loop {
            let (_, run) = self.call("GET", &path, Value::Null).await;
            if !run["ended_at"].is_null() {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stores a playbook and gives its id.
    pub(crate) async fn store(&self, playbook: &Value) -> String {
        let (status, stored) = self.call("POST", "/api/v1/playbooks", playbook.clone()).await;
        assert!(status.is_success(), "{stored}");
        stored["id"].as_str().unwrap().to_owned()
    }

    /// Stores a playbook and starts it by hand.
    pub(crate) async fn start(&self, playbook: &Value) -> Value {
        let id = self.store(playbook).await;
        let (status, run) = self.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
        assert_eq!(status, StatusCode::CREATED, "{run}");
        run
    }
}

/// Name and state of every step, in order.
pub(crate) fn steps(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = run["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(&step["name"]), text(&step["state"]))).collect()
}

pub(crate) fn report(number: u8, severity: Severity) -> IncidentReport {
    let at = Timestamp::from_secs(1_533_047_000);
    let evidence = |last: u8, new: bool| Evidence {
        peer: std::net::IpAddr::from([203, 0, 113, last]),
        protocol: "tcp".into(),
        port: Some(50),
        packets: 3,
        new,
    };
    let finding = Finding {
        id: FindingId::mint(at, [number; 10]),
        device: DeviceId::mint(at, [number; 10]),
        device_name: "Tram signal".into(),
        device_address: "192.168.1.7".into(),
        device_mac: Some("02:00:00:00:00:07".into()),
        detector: "aarnn".into(),
        model: "m".into(),
        title: "Tram signal tries to reach a controller".into(),
        kind: AttackKind::CommandAndControl,
        severity,
        score: 2.0,
        why: vec![],
        evidence: vec![evidence(1, false), evidence(5, true)],
        techniques: vec![],
        first_at: at,
        last_at: at.plus_secs(10),
        windows: 1,
        recorded_at: at,
    };
    let incident = Incident {
        id: IncidentId::mint(at, [number; 10]),
        title: "Tram signal tries to reach a controller".into(),
        state: IncidentState::New,
        severity,
        tlp: Tlp::Amber,
        // The node of `platform::testing`.
        origin: NodeId::mint(Timestamp::from_secs(1_700_000_000), [1; 10]),
        origin_name: "Test Node".into(),
        findings: 1,
        received_share: None,
        acknowledged_by: None,
        event_at: at,
        recorded_at: at,
        updated_at: at,
    };
    IncidentReport { incident, findings: vec![finding], timeline: vec![] }
}

pub(crate) fn opened(number: u8, severity: Severity) -> IncidentOpened {
    IncidentOpened { report: report(number, severity), received: false }
}
