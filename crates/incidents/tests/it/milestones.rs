//! An incident tells when it was detected, contained, eradicated and recovered: the first time of each.

use model::event::{EnforcementChanged, FindingRaised, RecoveryEnded, RecoveryMoved};
use model::{IncidentId, Outcome, Severity, Timestamp};
use serde_json::Value;

use crate::desk::{Desk, finding};

fn restored(incident: IncidentId, verb: &str, outcome: Outcome) -> RecoveryEnded {
    RecoveryEnded {
        key: "k".into(),
        incident: Some(incident),
        service: "telemetry".into(),
        verb: verb.into(),
        outcome,
        report: Value::Null,
    }
}

#[tokio::test]
async fn the_whole_of_an_incident_stands_in_four_moments() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let found = finding(1, 1, Severity::High);
    desk.tell(&FindingRaised { finding: found.clone() }).await;
    let incident = desk.all().await[0].incident.clone();
    let path = format!("/api/v1/incidents/{}", incident.id);
    let whole = async || {
        platform::testing::call(desk.room.router(), true, "GET", &path, &Value::Null).await.1
    };
    let before = whole().await;
    assert_eq!(before["milestones"]["detected"], before["incident"]["recorded_at"]);
    assert!(before["milestones"]["contained"].is_null());

    let done = || Outcome::Done { summary: "blocked".into(), data: Value::Null };
    let block = EnforcementChanged {
        edge: "gw".into(),
        key: "b".into(),
        verb: "block".into(),
        target: found.device_mac.clone().unwrap(),
        outcome: done(),
    };
    desk.tell(&block).await;
    // A checkpoint taken, or a restore that failed, eradicates nothing.
    desk.tell(&restored(incident.id, "take", done())).await;
    let failed = Outcome::Failed { reason: "none is old enough".into(), retry: false };
    desk.tell(&restored(incident.id, "restore_before", failed)).await;
    let contained = whole().await;
    assert!(contained["milestones"]["contained"].is_string());
    assert!(contained["milestones"]["eradicated"].is_null(), "{}", contained["milestones"]);
    desk.tell(&restored(incident.id, "restore_before", done())).await;
    let moved = |stage: &str, second: i64| RecoveryMoved {
        incident: incident.id,
        stage: stage.into(),
        detail: format!("{stage} now"),
        at: Timestamp::from_secs(second),
    };
    desk.tell(&moved("trial", 1_800_000_000)).await;
    assert!(whole().await["milestones"]["recovered"].is_null());
    desk.tell(&moved("recovered", 1_800_000_100)).await;
    desk.tell(&moved("recovered", 1_800_000_200)).await;
    let after = whole().await;
    let recovered: Timestamp = after["milestones"]["recovered"].as_str().unwrap().parse().unwrap();
    assert_eq!(recovered, Timestamp::from_secs(1_800_000_100), "the first time counts");
    assert_eq!(after["milestones"]["contained"], contained["milestones"]["contained"]);
    assert!(after["milestones"]["eradicated"].is_string());
    let lines = after["timeline"].as_array().unwrap();
    assert_eq!(lines.iter().filter(|line| line["kind"] == "recovery").count(), 6);
    desk.close().await;
}
