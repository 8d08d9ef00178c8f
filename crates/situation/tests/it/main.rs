//! The situation from facts and fakes to the endpoints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr, clippy::disallowed_methods)] // measurements are printed; a measurement needs a clock

mod large;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use model::event::{
    FindingRaised, FindingUpdated, IncidentChanged, IncidentOpened, IncidentReceived,
};
use model::id::TypedId;
use model::{
    AttackKind, DeviceId, Evidence, Finding, FindingId, Incident, IncidentId, IncidentReport,
    IncidentState, NodeId, Severity, ShareId, Timestamp, Tlp,
};
use platform::Platform;
use ports::PortError;
use ports::situation::{
    DeviceBrief, IncidentBoard, OpenQuestion, OrderBoard, QuestionBoard, SiteBoard, SiteBrief,
    StandingOrder, WatchBoard, WatchBrief,
};
use serde_json::{Value, json};
use situation::{MIGRATIONS, Needs, Situation};

/// Rooms with one device at one site; the gateways do not answer.
struct Rooms;

fn id<T: TypedId>(n: u8) -> T {
    T::mint(Timestamp::from_secs(1_700_000_000), [n; 10])
}

#[async_trait]
impl SiteBoard for Rooms {
    async fn sites(&self, _: u32) -> Result<Vec<SiteBrief>, PortError> {
        Ok(vec![SiteBrief {
            id: "stop".into(),
            name: "Glòries".into(),
            kind: "tram stop".into(),
            place: None,
            position: Some((41.4, 2.2)),
            plan: None,
        }])
    }
    async fn devices(&self, _: u32) -> Result<Vec<DeviceBrief>, PortError> {
        let site = Some("stop".into());
        Ok(vec![DeviceBrief { id: id(1), name: "Detector 3".into(), place: None, site, mac: None }])
    }
}

#[async_trait]
impl WatchBoard for Rooms {
    async fn watches(&self, _: u32) -> Result<Vec<WatchBrief>, PortError> {
        Ok(vec![WatchBrief { device: id(1), state: "watching".into(), reason: String::new() }])
    }
}

#[async_trait]
impl OrderBoard for Rooms {
    async fn standing(&self, _: u32) -> Result<Vec<StandingOrder>, PortError> {
        Err(PortError::Unavailable("the gateways' table is locked".into()))
    }
    async fn gateways(&self) -> Result<(u64, u64), PortError> {
        Ok((2, 1))
    }
}

#[async_trait]
impl QuestionBoard for Rooms {
    async fn open(&self, _: &[Tlp], _: u32) -> Result<Vec<OpenQuestion>, PortError> {
        Ok(vec![])
    }
}

#[async_trait]
impl IncidentBoard for Rooms {
    async fn devices_of(
        &self,
        incidents: &[IncidentId],
        _: u32,
    ) -> Result<Vec<(IncidentId, DeviceId)>, PortError> {
        Ok(incidents.iter().map(|incident| (*incident, id(1))).collect())
    }
}

async fn open(folder: &Path) -> (Platform, Situation) {
    let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
    let all = Arc::new(Rooms);
    let needs = Needs {
        sites: all.clone(),
        watch: all.clone(),
        orders: all.clone(),
        questions: all.clone(),
        incidents: all,
    };
    let room = Situation::new(platform.clone(), needs);
    platform::bus::start(&platform, room.consumers());
    (platform, room)
}

macro_rules! tell {
    ($platform:expr, $fact:expr) => {{
        let fact = $fact;
        let done: Result<i64, platform::db::DbError> = $platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("test", &fact).await }))
            .await;
        heard(&$platform, done.unwrap()).await;
    }};
}

/// Waits until the room has heard a fact.
async fn heard(platform: &Platform, seq: i64) {
    for _ in 0..500 {
        let mut sql = platform.db.read().await.unwrap();
        let row = sqlx::query(
            "SELECT COUNT(*) FROM platform_cursors WHERE consumer = 'situation' AND seq >= $1",
        )
        .bind(seq)
        .fetch_one(&mut *sql)
        .await
        .unwrap();
        if sqlx::Row::try_get::<i64, _>(&row, 0).unwrap() == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("fact {seq} was not heard within 5 s");
}

fn incident(n: u8, origin: u8, share: bool) -> Incident {
    let at = Timestamp::from_secs(1_700_000_000 + i64::from(n));
    Incident {
        id: id(n),
        title: format!("Incident {n}"),
        state: IncidentState::New,
        severity: Severity::High,
        tlp: Tlp::Amber,
        origin: id::<NodeId>(origin),
        origin_name: format!("Operator {origin}"),
        findings: 1,
        received_share: share.then(|| id::<ShareId>(n)),
        acknowledged_by: None,
        event_at: at,
        recorded_at: at,
        updated_at: at,
    }
}

fn finding(n: u8, severity: Severity) -> Finding {
    let at = Timestamp::from_secs(1_700_000_000);
    Finding {
        id: id::<FindingId>(n),
        device: id(1),
        device_name: "Detector 3".into(),
        device_address: "192.168.1.5".into(),
        device_mac: None,
        detector: "aarnn".into(),
        model: "m".into(),
        title: "unusual".into(),
        kind: AttackKind::Scan,
        severity,
        score: 2.0,
        why: vec![],
        evidence: vec![],
        techniques: vec![],
        first_at: at,
        last_at: at,
        windows: 1,
        recorded_at: at,
    }
}

fn opened(incident: Incident) -> IncidentOpened {
    let received = incident.received_share.is_some();
    IncidentOpened {
        report: IncidentReport { incident, findings: vec![], timeline: vec![] },
        received,
    }
}

fn received(incident: Incident, peer: &str) -> IncidentReceived {
    let indicators = vec![Evidence {
        peer: peer.parse().unwrap(),
        protocol: "tcp".into(),
        port: Some(23),
        packets: 1,
        new: true,
    }];
    let peer_name = incident.origin_name.clone();
    IncidentReceived { incident, findings: vec![], peer_name, indicators, objects: 1 }
}

async fn get(room: &Situation, path: &str) -> Value {
    let (status, answer) =
        platform::testing::call(room.router(), true, "GET", path, &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// What a person sees whom the policies show nothing of others.
async fn get_blind(room: &Situation, path: &str) -> Value {
    struct OwnOnly;
    impl ports::Authorizer for OwnOnly {
        fn decide(&self, question: &ports::AccessQuestion) -> model::ShareDecision {
            ports::fake::FakeAuthorizer(question.action != "see").decide(question)
        }
    }
    let gate = platform::http::Gate(Arc::new(OwnOnly));
    platform::testing::call_through(room.router(), gate, "GET", path, &Value::Null).await.1
}

const DAYS: &str = "/api/v1/figures?from=2023-11-10&to=2023-11-20";

#[tokio::test]
async fn a_finding_that_changes_moves_its_count_and_one_heard_again_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, room) = open(folder.path()).await;
    tell!(platform, FindingRaised { finding: finding(1, Severity::Low) });
    tell!(platform, FindingRaised { finding: finding(2, Severity::Low) });
    tell!(platform, FindingUpdated { finding: finding(1, Severity::Critical) });
    tell!(platform, FindingUpdated { finding: finding(1, Severity::Critical) });
    let figures = get(&room, DAYS).await;
    assert_eq!(
        figures["findings"].as_array().unwrap().len(),
        11,
        "each day of the period is there"
    );
    assert_eq!(
        figures["findings"][4],
        json!({ "day": "2023-11-14", "low": 1, "medium": 0, "high": 0, "critical": 1 })
    );
    assert_eq!(figures["detectors"], json!([{ "item": "aarnn", "n": 2 }]));
    let (before, _) = (get(&room, "/api/v1/figures?from=2023-11-15&to=2023-11-20").await, ());
    assert_eq!(before["detectors"], json!([]));
    for (period, words) in [
        ("from=2023-11-20&to=2023-11-10", "before it begins"),
        ("from=2020-01-01&to=2023-11-10", "400"),
        ("from=yesterday", "no day"),
        ("to=9999-99-99", "no day"),
    ] {
        let path = format!("/api/v1/figures?{period}");
        let (status, problem) =
            platform::testing::call(room.router(), true, "GET", &path, &Value::Null).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{period}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

#[tokio::test]
async fn the_page_says_what_calls_what_stands_where_and_which_part_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, room) = open(folder.path()).await;
    let quiet = get(&room, "/api/v1/situation").await;
    assert_eq!(quiet["sites"][0]["standing"], "well");
    assert_eq!(
        (&quiet["missing"], &quiet["gateways_connected"]),
        (&json!(["gateways"]), &json!(1))
    );
    let mut own = incident(1, 1, false);
    tell!(platform, opened(own.clone()));
    let now = get(&room, "/api/v1/situation?since=2023-01-01T00:00:00Z").await;
    assert_eq!(now["open"], json!({ "new": 1 }));
    assert_eq!(
        (&now["devices"][0]["standing"], &now["devices"][0]["incident"]),
        (&json!("attention"), &json!(own.id))
    );
    assert_eq!(
        (&now["sites"][0]["name"], &now["sites"][0]["standing"]),
        (&json!("Glòries"), &json!("attention"))
    );
    assert_eq!(now["changes"]["opened"], 1);
    own.state = IncidentState::Contained;
    own.acknowledged_by = Some("Ana".into());
    tell!(platform, IncidentChanged { incident: own.clone(), change: "contained".into() });
    let now = get(&room, "/api/v1/situation").await;
    assert_eq!(
        (&now["open"], &now["sites"][0]["standing"]),
        (&json!({ "contained": 1 }), &json!("contained"))
    );
    own.state = IncidentState::Closed;
    tell!(platform, IncidentChanged { incident: own, change: "closed".into() });
    let now = get(&room, "/api/v1/situation").await;
    assert_eq!((&now["open"], &now["sites"][0]["standing"]), (&json!({}), &json!("well")));
    // It took from 2023 until now: longer than three days, whenever this runs.
    let figures = get(&room, "/api/v1/figures").await;
    assert_eq!(figures["acknowledge"][6], json!({ "bucket": "more", "n": 1 }));
    assert_eq!(figures["recover"][6]["n"], 0);
}

#[tokio::test]
async fn incidents_of_two_organisations_with_one_remote_party_are_a_campaign_within_sight_only() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, room) = open(folder.path()).await;
    // Twice the same organisation is no campaign.
    for (n, origin, peer) in [(1, 1, "198.51.100.7"), (2, 1, "198.51.100.7"), (3, 2, "203.0.113.9")]
    {
        tell!(platform, received(incident(n, origin, true), peer));
        tell!(platform, opened(incident(n, origin, true)));
    }
    assert_eq!(get(&room, "/api/v1/situation").await["campaigns"], json!([]));
    tell!(platform, received(incident(4, 2, true), "198.51.100.7"));
    tell!(platform, opened(incident(4, 2, true)));
    let now = get(&room, "/api/v1/situation").await;
    let campaign = &now["campaigns"][0];
    assert_eq!(campaign["organisations"], json!(["Operator 1", "Operator 2"]));
    assert_eq!(campaign["peers"], json!(["198.51.100.7"]));
    assert_eq!(campaign["incidents"].as_array().unwrap().len(), 3);
    assert_eq!(now["waiting"][0]["title"], "Incident 1", "the longest waiting first");
    assert_eq!(
        now["origins"],
        json!([
            { "name": "Operator 1", "shared": 2, "acknowledged": 0 },
            { "name": "Operator 2", "shared": 2, "acknowledged": 0 },
        ])
    );
    let blind = get_blind(&room, "/api/v1/situation").await;
    for list in ["campaigns", "waiting", "received", "origins", "calling"] {
        assert_eq!(blind[list], json!([]), "{list}");
    }
    assert_eq!(blind["open"], json!({}));
    assert_eq!(get_blind(&room, DAYS).await["states"], json!([]));
    let refused =
        platform::testing::call(room.router(), false, "GET", "/api/v1/situation", &Value::Null)
            .await;
    assert_eq!(refused.0, StatusCode::FORBIDDEN);
}
