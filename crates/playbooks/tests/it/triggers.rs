//! Triggers: what is taken, what findings and schedules start, once each, and what is held back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use model::event::{FindingRaised, IncidentOpened, IntelHit};
use model::id::TypedId;
use model::{AttackKind, Finding, FindingId, NodeId, Severity, ShareId, Timestamp, Tlp};
use serde_json::{Value, json};

use crate::room::{Room, World, end, manual, notify, playbook, report};
use crate::starts::Shifted;

/// A playbook that tells what it was told, with these external variables.
pub(crate) fn telling(names: &[&str]) -> Value {
    let mut it = playbook(&[
        ("tell", notify("it began", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    for name in names {
        it["playbook_variables"][*name] = json!({ "type": "string", "external": true });
    }
    it
}

/// One that waits for a person.
fn waiting() -> Value {
    playbook(&[("ask", manual("Look", json!({ "on_completion": "@end@" }))), ("end", end())])
}

async fn open(folder: &Path, world: &Arc<World>) -> Room {
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    Room::open_with(folder, world, config).await
}

/// The finding with a number, on the device with another one.
fn finding(number: u8, device: u8, severity: Severity) -> Finding {
    let mut finding = report(device, severity).findings.remove(0);
    finding.id = FindingId::mint(Timestamp::from_secs(1_533_047_000), [number; 10]);
    finding
}

async fn raise(room: &Room, finding: Finding) {
    room.publish(&FindingRaised { finding }).await;
}

/// Waits until a trigger has held so many back.
async fn held(room: &Room, playbook: &str, held: i64) -> Value {
    for _ in 0..1_000 {
        let first = room.triggers(playbook).await.remove(0);
        if first["held"] == held {
            return first;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never {held} held back: {:#?}", room.triggers(playbook).await)
}

#[tokio::test]
async fn a_finding_starts_one_run_that_knows_it_and_the_next_of_the_device_waits() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = open(folder.path(), &world).await;
    let id = room.store(&telling(&["__finding__", "__device_mac__", "__device_address__"])).await;
    raise(&room, finding(1, 1, Severity::High)).await;
    let on = json!({ "on": "findings.raised", "min_severity": "medium", "kinds": ["command_and_control"] });
    room.trigger(&id, on).await;
    raise(&room, finding(2, 1, Severity::Low)).await;
    let mut scan = finding(3, 1, Severity::High);
    scan.kind = AttackKind::Scan;
    raise(&room, scan).await;
    raise(&room, finding(4, 1, Severity::High)).await;
    raise(&room, finding(5, 1, Severity::Critical)).await;
    raise(&room, finding(6, 2, Severity::Medium)).await;
    raise(&room, finding(4, 1, Severity::High)).await;
    let runs = room.count(2).await;
    let trigger = held(&room, &id, 1).await;
    // The same finding told again started before: nothing is held back for it.
    assert_eq!((&trigger["started"], &trigger["held"]), (&json!(2), &json!(1)), "{trigger:#}");
    assert!(trigger["note"].as_str().unwrap().contains("within 1 hour"), "{trigger:#}");
    let run = room.ended_of(&runs[1]).await;
    assert_eq!(run["variables"]["__finding__"], finding(4, 1, Severity::High).id.to_string());
    assert_eq!(run["variables"]["__device_mac__"], "02:00:00:00:00:07");
    assert_eq!(run["variables"]["__device_address__"], "192.168.1.7");
    let why = run["trigger"].as_str().unwrap();
    assert!(
        why.contains("a finding of severity medium") && why.contains("tries to reach"),
        "{why}"
    );
    room.close().await;
}

#[tokio::test]
async fn a_node_that_dies_after_a_finding_starts_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = open(folder.path(), &world).await;
    let id = room.store(&telling(&[])).await;
    let on = json!({ "on": "findings.raised", "min_severity": "low", "cooldown_s": 0 });
    room.trigger(&id, on).await;
    raise(&room, finding(1, 1, Severity::High)).await;
    // At once: the fact may or may not have been taken.
    room.close().await;
    let room = open(folder.path(), &world).await;
    raise(&room, finding(1, 1, Severity::High)).await;
    raise(&room, finding(2, 1, Severity::High)).await;
    room.count(2).await;
    room.close().await;
}

#[tokio::test]
async fn the_device_decides_whether_people_are_asked_and_the_proposal_keeps_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    *world.criticality.lock().unwrap() = Some(Severity::Critical);
    let room = open(folder.path(), &world).await;
    let id = room.store(&telling(&["__finding__"])).await;
    let on =
        json!({ "on": "findings.raised", "min_severity": "low", "min_criticality": "critical" });
    room.trigger(&id, on).await;
    raise(&room, finding(1, 1, Severity::High)).await;
    let proposal = loop {
        let (_, list) = room.call("GET", "/api/v1/proposals", Value::Null).await;
        if let Some(one) = list["items"].as_array().unwrap().first() {
            break one.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(proposal["trigger"].as_str().unwrap().contains("tries to reach"), "{proposal:#}");
    assert_eq!(proposal["given"]["__device_address__"], "192.168.1.7", "people see what it gets");
    assert!(room.runs().await.is_empty());
    let path = format!("/api/v1/proposals/{}/answer", proposal["id"].as_str().unwrap());
    room.call("POST", &path, json!({ "accept": true })).await;
    let run = room.ended().await;
    assert_eq!(run["variables"]["__finding__"], finding(1, 1, Severity::High).id.to_string());
    // A less critical one is none of its business.
    *world.criticality.lock().unwrap() = Some(Severity::High);
    raise(&room, finding(2, 2, Severity::High)).await;
    room.count(1).await;
    room.close().await;
}

#[tokio::test]
async fn a_run_that_causes_the_next_one_is_bounded_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = open(folder.path(), &world).await;
    let id = room.store(&telling(&[])).await;
    let on = json!({ "on": "findings.raised", "min_severity": "low", "cooldown_s": 0 });
    room.trigger(&id, on).await;
    let most = u8::try_from(playbooks::MAX_STARTS_PER_HOUR).unwrap();
    for number in 0..most + 3 {
        raise(&room, finding(number, number, Severity::High)).await;
    }
    let trigger = held(&room, &id, 3).await;
    assert_eq!(trigger["started"], most, "{trigger:#}");
    assert!(trigger["note"].as_str().unwrap().contains("at most 120"), "{trigger:#}");
    // An incident is never passed over: people are asked.
    room.trigger(&id, json!({ "on": "incidents.opened", "min_severity": "low" })).await;
    room.publish(&crate::room::opened(9, Severity::High)).await;
    loop {
        let (_, list) = room.call("GET", "/api/v1/proposals", Value::Null).await;
        if let Some(one) = list["items"].as_array().unwrap().first() {
            assert!(one["reasons"][0].as_str().unwrap().contains("within an hour"), "{one:#}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    room.close().await;
}

#[tokio::test]
async fn a_known_value_starts_it_once_in_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = open(folder.path(), &world).await;
    let id = room.store(&telling(&["__intel_value__"])).await;
    room.trigger(&id, json!({ "on": "intel.hit", "sources": ["ipsum"] })).await;
    let hit = |value: &str, source: &str| IntelHit {
        value: value.into(),
        summary: "on 7 lists".into(),
        sources: vec![source.into()],
    };
    room.publish(&hit("203.0.113.5", "other")).await;
    room.publish(&hit("203.0.113.5", "ipsum")).await;
    room.publish(&hit("203.0.113.5", "ipsum")).await;
    room.count(1).await;
    held(&room, &id, 1).await;
    assert_eq!(room.ended().await["variables"]["__intel_value__"], "203.0.113.5");
    room.close().await;
}

/// An incident of others, as it arrives.
fn arrived(number: u8, origin: &str, tlp: Tlp) -> IncidentOpened {
    let mut report = report(number, Severity::High);
    let incident = &mut report.incident;
    incident.origin = NodeId::mint(Timestamp::from_secs(5), [number; 10]);
    incident.origin_name = origin.into();
    incident.received_share = Some(ShareId::mint(Timestamp::from_secs(5), [number; 10]));
    incident.tlp = tlp;
    IncidentOpened { report, received: true }
}

#[tokio::test]
async fn an_incident_of_others_starts_what_is_meant_for_it_under_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = open(folder.path(), &world).await;
    let own = room.store(&telling(&[])).await;
    room.trigger(&own, json!({ "on": "incidents.opened", "min_severity": "low" })).await;
    let mut it = telling(&[]);
    it["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-00000000abcd");
    let theirs = room.store(&it).await;
    let on = json!({ "on": "incidents.received", "min_severity": "high", "origins": ["Harbour"] });
    room.trigger(&theirs, on).await;
    // Beyond the label that the trigger reads, and of somebody it is not for.
    room.publish(&arrived(1, "Harbour", Tlp::Red)).await;
    room.publish(&arrived(2, "Airport", Tlp::Amber)).await;
    room.publish(&arrived(3, "Harbour", Tlp::Amber)).await;
    room.publish(&arrived(3, "Harbour", Tlp::Amber)).await;
    room.count(1).await;
    let run = room.ended().await;
    assert_eq!(run["playbook"], theirs.as_str(), "{run:#}");
    assert_eq!(run["incident"], arrived(3, "", Tlp::Amber).report.incident.id.to_string());
    assert!(run["trigger"].as_str().unwrap().contains("arrives from Harbour"), "{run:#}");
    let facts = room.facts("playbooks.run_started").await;
    assert_eq!(facts[0].tlp, Some(Tlp::Amber), "its label binds what is told of the run");
    room.close().await;
}

/// Wakes the worker of jobs: it sleeps up to five seconds, and a clock that is set wakes nobody.
async fn nudge(room: &Room) {
    let key = room.platform.uuid4().to_string();
    let done: Result<bool, platform::db::DbError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.enqueue("playbooks.advance", &key, &Value::Null, now).await
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test]
async fn a_moment_starts_once_whatever_the_clock_does_and_whoever_dies() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let clock: Arc<Shifted> = Arc::default();
    let room = Room::open_at(folder.path(), &world, Arc::clone(&clock)).await;
    let id = room.store(&telling(&["__scheduled_at__"])).await;
    room.trigger(&id, json!({ "on": "schedule", "every_s": 3600 })).await;
    let first = room.triggers(&id).await.remove(0)["next_at"].clone();
    assert!(room.runs().await.is_empty());
    clock.by_s(3_600);
    nudge(&room).await;
    let runs = room.count(1).await;
    assert_eq!(room.ended_of(&runs[0]).await["variables"]["__scheduled_at__"], first);
    // The clock goes back over the moment and comes to it again.
    clock.by_s(-3_600);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    clock.by_s(3_600);
    nudge(&room).await;
    room.count(1).await;
    // Five hours of downtime: one start, four moments counted.
    room.close().await;
    clock.by_s(5 * 3_600);
    let room = Room::open_at(folder.path(), &world, Arc::clone(&clock)).await;
    nudge(&room).await;
    let runs = room.count(2).await;
    let trigger = room.triggers(&id).await.remove(0);
    assert_eq!((&trigger["started"], &trigger["skipped"]), (&json!(2), &json!(4)), "{trigger:#}");
    let why = runs[0]["trigger"].as_str().unwrap();
    assert!(why.contains("every 1 hour") && why.contains("4 more were missed"), "{why}");
    // Set forward by a year, and back: the schedule does not sleep until then.
    clock.by_s(365 * 86_400);
    nudge(&room).await;
    room.count(3).await;
    // Jobs of moments long past are gone: the one that just came and the next one are left.
    let jobs: i64 = {
        let mut sql = room.platform.db.read().await.unwrap();
        let count = "SELECT COUNT(*) FROM platform_jobs WHERE kind = 'playbooks.scheduled'";
        sqlx::query_scalar(count).fetch_one(&mut *sql).await.unwrap()
    };
    assert_eq!(jobs, 2);
    clock.by_s(-365 * 86_400);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // The moment that started for the whole year is met again, and the one after it is new.
    for runs in [3, 4] {
        clock.by_s(3_600);
        nudge(&room).await;
        room.count(runs).await;
    }
    room.close().await;
}

#[tokio::test]
async fn what_was_missed_is_left_out_where_that_is_wanted_and_runs_do_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let clock: Arc<Shifted> = Arc::default();
    let room = Room::open_at(folder.path(), &world, Arc::clone(&clock)).await;
    let id = room.store(&waiting()).await;
    room.trigger(&id, json!({ "on": "schedule", "every_s": 600, "catch_up": "skip" })).await;
    // Seconds from now to a while after the next moment.
    let to = async |room: &Room, after_s: i64| {
        let next = room.triggers(&id).await[0]["next_at"].as_str().unwrap().to_owned();
        let next: Timestamp = next.parse().unwrap();
        next.micros_since(room.platform.now()) / 1_000_000 + after_s
    };
    let missed = to(&room, 400).await;
    room.close().await;
    clock.by_s(missed);
    let room = Room::open_at(folder.path(), &world, Arc::clone(&clock)).await;
    nudge(&room).await;
    for _ in 0..1_000 {
        if room.triggers(&id).await[0]["skipped"] != 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let trigger = room.triggers(&id).await.remove(0);
    // Missed by more than five minutes; the one after it lies ahead.
    assert_eq!(trigger["skipped"], 1, "{trigger:#}");
    assert!(room.runs().await.is_empty());
    // Two moments in time: the first starts, the second finds it waiting.
    for skipped in [1, 2] {
        clock.by_s(to(&room, 2).await);
        nudge(&room).await;
        room.count(1).await;
        assert_eq!(room.triggers(&id).await[0]["skipped"], skipped);
    }
    let after = room.triggers(&id).await.remove(0);
    assert_eq!(after["started"], 1, "{after:#}");
    assert!(after["note"].as_str().unwrap().contains("goes on"), "{after:#}");
    room.close().await;
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_line_by_line_and_the_ninth_too() {
    let folder = tempfile::tempdir().unwrap();
    let room = open(folder.path(), &Arc::default()).await;
    let id = room.store(&telling(&["__a__"])).await;
    let path = format!("/api/v1/playbooks/{id}/triggers");
    for (wanted, line) in [
        (json!({ "on": "schedule" }), "either 'every_s' or 'at'"),
        (json!({ "on": "schedule", "every_s": 59 }), "every_s is 60 to"),
        (json!({ "on": "schedule", "every_s": 60, "days": ["mon"] }), "days go with 'at'"),
        (json!({ "on": "schedule", "at": "24:00" }), "is no time like"),
        (json!({ "on": "schedule", "at": "03:00", "days": ["mon", "mon"] }), "twice"),
        (json!({ "on": "schedule", "at": "03:00", "zone_minutes": 900 }), "zone_minutes"),
        (
            json!({ "on": "findings.raised", "min_severity": "low", "cooldown_s": 999_999 }),
            "cooldown_s is 0 to",
        ),
        (json!({ "on": "intel.new", "min_confidence": 101 }), "min_confidence"),
        (json!({ "on": "intel.new", "types": vec!["indicator"; 33] }), "types has 33 entries"),
        (json!({ "on": "intel.new", "gather_s": 0 }), "gather_s is 1 to"),
        (json!({ "on": "webhook", "fields": { "a": "__b__" } }), "'__b__' is no external variable"),
        (
            json!({ "on": "webhook", "fields": { "a": "__who__" } }),
            "'__who__' is no external variable",
        ),
        (json!({ "on": "webhook", "fields": { "a": "__a__", "b": "__a__" } }), "from two fields"),
    ] {
        let (status, problem) = room.call("POST", &path, wanted.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wanted}: {problem}");
        assert!(problem["errors"].to_string().contains(line), "{wanted}: {problem}");
    }
    let (status, _) = room.call("POST", &path, json!({ "on": "schedule", "evry_s": 60 })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "an unknown field");
    for _ in 0..playbooks::MAX_TRIGGERS {
        room.trigger(&id, json!({ "on": "schedule", "at": "03:00" })).await;
    }
    let (status, problem) =
        room.call("POST", &path, json!({ "on": "schedule", "at": "03:00" })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("at most 8"), "{problem}");
    // One goes, another changes its kind.
    let all = room.triggers(&id).await;
    let one = |at: usize| format!("{path}/{}", all[at]["id"].as_str().unwrap());
    let (status, _) = room.call("DELETE", &one(0), Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = room.call("DELETE", &one(0), Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, changed) = room.call("PUT", &one(1), json!({ "on": "webhook" })).await;
    assert_eq!((status, &changed["next_at"]), (StatusCode::OK, &Value::Null), "{changed}");
    assert!(changed["secret"].is_string() && changed["hook"].is_string());
    assert_eq!(room.triggers(&id).await.len(), 7);
    let told = room.facts("playbooks.automation_changed").await;
    assert!(told.last().unwrap().sentence.contains("starts by itself on calls of its webhook"));
    room.close().await;
}
