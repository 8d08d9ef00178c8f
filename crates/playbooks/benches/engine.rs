//! The engine on its database (SQLite, synchronous FULL): durable steps per second, what 10,000
//! waiting runs cost, and how long a trigger takes to its first command.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::event::IncidentOpened;
use model::id::TypedId;
use model::{
    Incident, IncidentId, IncidentReport, IncidentState, NodeId, Outcome, PeerId, Severity,
    ShareId, Timestamp, Tlp,
};
use platform::Platform;
use platform::db::DbError;
use platform::peers::{Peer, PeerDirectory};
use platform::testing::call;
use playbooks::{Config, MIGRATIONS, Needs, Playbooks};
use ports::fake::{FakeIncidents, FakeIntel};
use ports::{Actuator, ActuatorCommand, Exchange, PortError, SharePreview};
use serde_json::{Value, json};

const RUNS: usize = 400;
const ACTIONS: usize = 50;
const WAITING: usize = 10_000;
/// Below what one playbook may start by itself within an hour.
const TRIGGERS: u8 = 100;

/// Carries everything out at once.
#[derive(Default)]
struct World {
    done: AtomicU64,
    asked_at: Mutex<Option<Instant>>,
}

struct Quick(Arc<World>);

#[async_trait]
impl Actuator for Quick {
    fn name(&self) -> &'static str {
        "quick"
    }
    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("do", "does it")]
    }
    async fn perform(&self, _: &ActuatorCommand) -> Result<Outcome, PortError> {
        self.0.done.fetch_add(1, Ordering::Relaxed);
        self.0.asked_at.lock().unwrap().get_or_insert_with(Instant::now);
        Ok(Outcome::Done { summary: "done".into(), data: Value::Null })
    }
}

struct Nobody;

#[async_trait]
impl Exchange for Nobody {
    async fn preview(&self, _: IncidentId) -> Result<Vec<SharePreview>, PortError> {
        Ok(vec![])
    }
    async fn share(
        &self,
        _: IncidentId,
        _: PeerId,
        _: &str,
        _: &str,
    ) -> Result<ShareId, PortError> {
        Err(PortError::Unavailable("nobody is there".into()))
    }
}

#[async_trait]
impl PeerDirectory for Nobody {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        Ok(vec![])
    }
    async fn peer(&self, _: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(None)
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        Err(PortError::Unavailable("nobody is there".into()))
    }
}

async fn open(folder: &Path, world: &Arc<World>) -> (Platform, Playbooks) {
    let platform =
        platform::testing::platform(folder, &[intel::MIGRATIONS, MIGRATIONS]).await.unwrap();
    let needs = Needs {
        intel: Arc::new(FakeIntel(BTreeMap::new())),
        exchange: Arc::new(Nobody),
        peers: Arc::new(Nobody),
        incidents: Arc::new(FakeIncidents::default()),
        assets: Arc::new(ports::fake::FakeAssets::default()),
        people: Arc::new(platform::people::FakePeople::default()),
        authorizer: Arc::new(ports::fake::FakeAuthorizer(true)),
        actuators: vec![Arc::new(Quick(Arc::clone(world)))],
    };
    let room = Playbooks::new(platform.clone(), Config::default(), needs);
    (platform, room)
}

fn playbook(actions: usize, manual: bool) -> Value {
    let id = |index: usize, kind: &str| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{index:012x}");
    let agent = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001";
    let (kind, command) = if manual { ("manual", "look") } else { ("x-sereno-actuator", "do") };
    let end = id(0xfff, "end");
    let mut workflow = serde_json::Map::new();
    for index in 0..actions {
        let next = if index + 1 == actions { end.clone() } else { id(index + 1, "action") };
        let step = json!({ "type": "action", "name": "do", "agent": agent, "on_completion": next,
            "commands": [{ "type": kind, "command": command }] });
        workflow.insert(id(index, "action"), step);
    }
    workflow.insert(end, json!({ "type": "end" }));
    let start = id(0xffe, "start");
    workflow.insert(start.clone(), json!({ "type": "start", "on_completion": id(0, "action") }));
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Bench",
        "id": id(0xffd - usize::from(manual), "playbook"),
        "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "workflow_start": start, "workflow": workflow,
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "quick" } } })
}

async fn store(room: &Playbooks, it: &Value) -> String {
    let (_, stored) = call(room.router(), true, "POST", "/api/v1/playbooks", it).await;
    stored["id"].as_str().unwrap_or_else(|| panic!("{stored}")).to_owned()
}

async fn begin(room: &Playbooks, id: &str, runs: usize) {
    let body = json!({ "playbook": id });
    for _ in 0..runs {
        let (status, run) = call(room.router(), true, "POST", "/api/v1/runs", &body).await;
        assert!(status.is_success(), "{run}");
    }
}

async fn open_runs(room: &Playbooks) -> u64 {
    let text = room.health().await.remove(0).cause;
    let number = text.split("; ").nth(1).and_then(|text| text.split(' ').next().map(str::to_owned));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

async fn steps_per_second() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let (platform, room) = open(folder.path(), &world).await;
    let id = store(&room, &playbook(ACTIONS, false)).await;
    begin(&room, &id, RUNS).await;
    let begun = Instant::now();
    room.start();
    while open_runs(&room).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took_s = begun.elapsed().as_secs_f64();
    let done = world.done.load(Ordering::Relaxed);
    println!(
        "figure: {RUNS} runs of {ACTIONS} actions: {done} durable steps in {took_s:.2} s: {:.0}/s",
        f64::from(u32::try_from(done).unwrap()) / took_s
    );
    platform.tasks.stop(Duration::from_secs(5)).await;
    platform.db.close().await;
}

fn memory_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time used so far, in clock ticks (10 ms).
fn ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest = text.rsplit(')').next().unwrap().to_owned();
    let field = |at: usize| rest.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap();
    field(11) + field(12)
}

async fn waiting() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, room) = open(folder.path(), &Arc::default()).await;
    room.start();
    let id = store(&room, &playbook(1, true)).await;
    begin(&room, &id, 10).await;
    let before = memory_kib();
    begin(&room, &id, WAITING).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (after, begun) = (memory_kib(), ticks());
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!(
        "figure: {WAITING} runs waiting: {} KiB more memory, {} ms of processor time in 10 s",
        after.saturating_sub(before),
        (ticks() - begun) * 10
    );
    platform.tasks.stop(Duration::from_secs(5)).await;
    platform.db.close().await;
}

fn opened(number: u8) -> IncidentOpened {
    let at = Timestamp::from_secs(1_533_047_000);
    let incident = Incident {
        id: IncidentId::mint(at, [number; 10]),
        title: "Bench".into(),
        state: IncidentState::New,
        severity: Severity::High,
        tlp: Tlp::Amber,
        origin: NodeId::mint(Timestamp::from_secs(1_700_000_000), [1; 10]),
        origin_name: "Test Node".into(),
        findings: 1,
        received_share: None,
        acknowledged_by: None,
        event_at: at,
        recorded_at: at,
        updated_at: at,
    };
    let report = IncidentReport { incident, findings: vec![], timeline: vec![] };
    IncidentOpened { report, received: false }
}

async fn trigger_to_command() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let (platform, room) = open(folder.path(), &world).await;
    platform::bus::start(&platform, room.consumers());
    room.start();
    let id = store(&room, &playbook(3, false)).await;
    let path = format!("/api/v1/playbooks/{id}/triggers");
    let on = json!({ "on": "incidents.opened", "min_severity": "low", "kinds": [] });
    let (status, answer) = call(room.router(), true, "POST", &path, &on).await;
    assert!(status.is_success(), "{answer}");
    let mut took_us = Vec::new();
    for number in 0..TRIGGERS {
        *world.asked_at.lock().unwrap() = None;
        let fact = opened(number);
        let begun = Instant::now();
        let told: Result<i64, DbError> = platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("bench", &fact).await }))
            .await;
        told.unwrap();
        let asked = loop {
            let asked = *world.asked_at.lock().unwrap();
            if let Some(asked) = asked {
                break asked;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        };
        took_us.push(asked.duration_since(begun).as_micros());
        while open_runs(&room).await > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    took_us.sort_unstable();
    let at = |share: usize| took_us[(took_us.len() - 1) * share / 100];
    println!(
        "figure: trigger to first command: {} us at the median, {} us at the 95th percentile",
        at(50),
        at(95)
    );
    platform.tasks.stop(Duration::from_secs(5)).await;
    platform.db.close().await;
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        steps_per_second().await;
        waiting().await;
        trigger_to_command().await;
    });
}
