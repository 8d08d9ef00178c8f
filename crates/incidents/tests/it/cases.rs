use model::event::{
    EnforcementChanged, FindingGrouped, FindingJudged, FindingRaised, FindingUpdated,
    IncidentReceived, Payload, ShareMoved,
};
use model::id::TypedId;
use model::{
    AttackKind, Finding, FindingGroup, GroupId, Incident, IncidentId, IncidentState, NodeId,
    Outcome, Severity, ShareId, ShareState, Timestamp, Tlp,
};
use platform::db::DbError;

use crate::desk::{Desk, address, finding, states};

#[tokio::test]
async fn findings_of_one_device_or_one_remote_party_are_one_incident() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::Low) }).await;
    assert!(desk.all().await.is_empty(), "a low finding wakes nobody");
    desk.tell(&FindingRaised { finding: finding(2, 1, Severity::High) }).await;
    desk.tell(&FindingRaised { finding: finding(3, 1, Severity::Medium) }).await;
    // Another device that talks to the same new party.
    let mut infected = finding(4, 2, Severity::High);
    infected.evidence[0].peer = address(1);
    desk.tell(&FindingRaised { finding: infected }).await;
    desk.tell(&FindingRaised { finding: finding(5, 9, Severity::High) }).await;
    let all = desk.all().await;
    assert_eq!(states(&all).iter().map(|i| i.findings).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(desk.facts("incidents.opened").await.len(), 2);
}

#[tokio::test]
async fn a_finding_that_gets_worse_opens_or_raises_its_incident_and_quiet_updates_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let mut found = finding(1, 1, Severity::Low);
    desk.tell(&FindingRaised { finding: found.clone() }).await;
    found.severity = Severity::Medium;
    desk.tell(&FindingUpdated { finding: found.clone() }).await;
    found.windows = 50;
    desk.tell(&FindingUpdated { finding: found.clone() }).await;
    found.severity = Severity::Critical;
    desk.tell(&FindingUpdated { finding: found.clone() }).await;
    let all = desk.all().await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].incident.severity, Severity::Critical);
    assert_eq!(all[0].findings[0].windows, 50);
    assert_eq!(desk.facts("incidents.changed").await.len(), 1, "only the rise is told");
}

fn grouped(finding: &Finding, number: u8) -> FindingGrouped {
    FindingGrouped {
        group: FindingGroup {
            id: GroupId::mint(Timestamp::from_secs(1), [number; 10]),
            device: finding.device,
            device_name: finding.device_name.clone(),
            peer: None,
            technique: None,
            kind: finding.kind,
            severity: finding.severity,
            title: finding.title.clone(),
            first_at: finding.first_at,
            last_at: finding.last_at,
            findings: 1,
        },
        finding: finding.id,
    }
}

#[tokio::test]
async fn findings_of_one_group_are_one_incident_however_small() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    // Far apart in time, so that nothing but the group keeps them together.
    let [mut low, high, mut later] = [(1, Severity::Low), (2, Severity::High), (3, Severity::Low)]
        .map(|(n, s)| finding(n, 1, s));
    low.device = finding(9, 7, Severity::Low).device;
    later.device = low.device;
    later.evidence.clear();
    low.evidence.clear();
    for one in [&low, &high, &later] {
        desk.tell(&grouped(one, 1)).await;
        desk.tell(&FindingRaised { finding: one.clone() }).await;
    }
    let all = desk.all().await;
    assert_eq!(states(&all).iter().map(|i| i.findings).collect::<Vec<_>>(), [2]);
    assert_eq!(all[0].incident.severity, Severity::High);
}

#[tokio::test]
async fn attacks_on_the_detector_are_one_incident_over_all_devices() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    for number in 1..=5 {
        let mut attack = finding(number, number, Severity::Medium);
        attack.kind = AttackKind::ModelAttack;
        attack.evidence.clear();
        desk.tell(&FindingRaised { finding: attack }).await;
    }
    let all = desk.all().await;
    assert_eq!(states(&all).iter().map(|i| i.findings).collect::<Vec<_>>(), [5]);
}

#[tokio::test]
async fn a_case_of_nothing_but_the_normal_is_a_false_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let both = [finding(1, 1, Severity::High), finding(2, 1, Severity::Medium)];
    for one in &both {
        desk.tell(&FindingRaised { finding: one.clone() }).await;
    }
    for (place, one) in both.iter().enumerate() {
        desk.tell(&FindingJudged {
            finding: one.id,
            device: one.device,
            title: one.title.clone(),
            normal: true,
            reason: "the yearly test".into(),
            until: None,
        })
        .await;
        let state = desk.all().await[0].incident.state;
        let expected = if place == 0 { IncidentState::New } else { IncidentState::FalseAlarm };
        assert_eq!(state, expected);
    }
    let timeline = &desk.all().await[0].timeline;
    assert_eq!(timeline.iter().filter(|line| line.kind == "feedback").count(), 2);
}

#[tokio::test]
async fn only_a_block_that_was_done_contains() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let enforced = |outcome| EnforcementChanged {
        edge: "gw".into(),
        key: "k".into(),
        verb: "block".into(),
        target: "02:00:00:00:00:01".into(),
        outcome,
    };
    let reason = "no namespaces".to_owned();
    desk.tell(&enforced(Outcome::NotEnforced { reason, data: serde_json::Value::Null })).await;
    assert_eq!(desk.all().await[0].incident.state, IncidentState::New);
    let summary = "blocked".to_owned();
    desk.tell(&enforced(Outcome::Done { summary: summary.clone(), data: serde_json::Value::Null }))
        .await;
    let after = desk.all().await;
    assert_eq!(after[0].incident.state, IncidentState::Contained);
    assert!(after[0].timeline.iter().any(|line| line.text.contains("not enforced here")));
    let mut release = enforced(Outcome::Done { summary, data: serde_json::Value::Null });
    release.verb = "release".into();
    desk.tell(&release).await;
    assert_eq!(desk.all().await[0].incident.state, IncidentState::Triaged);
    // The response has run its course: a new finding gets a case, and so a response, of its own.
    desk.tell(&FindingRaised { finding: finding(2, 1, Severity::High) }).await;
    assert_eq!(desk.all().await.len(), 2);
}

pub(crate) fn received(updated_s: i64, title: &str) -> IncidentReceived {
    let at = Timestamp::from_secs(1_533_047_000);
    IncidentReceived {
        incident: Incident {
            id: IncidentId::mint(at, [8; 10]),
            title: title.into(),
            state: IncidentState::Contained,
            severity: Severity::High,
            tlp: Tlp::Amber,
            origin: NodeId::mint(at, [9; 10]),
            origin_name: "Harbour Tram and Grid".into(),
            findings: 1,
            received_share: Some(ShareId::mint(at, [7; 10])),
            acknowledged_by: None,
            event_at: at,
            recorded_at: at,
            updated_at: Timestamp::from_secs(updated_s),
        },
        findings: vec![finding(1, 1, Severity::High)],
        peer_name: "Harbour Tram and Grid".into(),
        indicators: vec![],
        objects: 12,
    }
}

#[tokio::test]
async fn a_shared_incident_is_opened_once_under_its_own_id_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let desk = Desk::open(folder.path()).await;
        desk.tell(&received(round, &format!("round {round}"))).await;
        desk.close().await;
    }
    let desk = Desk::open(folder.path()).await;
    let all = desk.all().await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].incident.title, "round 2");
    assert_eq!(all[0].incident.state, IncidentState::New, "the recipient judges for itself");
    assert_eq!(desk.facts("incidents.opened").await.len(), 1);
}

#[tokio::test]
async fn an_older_version_or_another_sender_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&received(5, "newest")).await;
    desk.tell(&received(4, "late and older")).await;
    let mut stolen = received(9, "stolen");
    stolen.incident.origin = NodeId::mint(Timestamp::from_secs(3), [3; 10]);
    desk.tell(&stolen).await;
    assert_eq!(desk.all().await[0].incident.title, "newest");
    assert!(desk.facts("incidents.changed").await.is_empty());
}

#[tokio::test]
async fn an_own_incident_cannot_be_overwritten_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let own = desk.all().await[0].incident.clone();
    let mut forged = received(5, "forged");
    forged.incident.id = own.id;
    desk.tell(&forged).await;
    assert_eq!(desk.all().await[0].incident.title, own.title);
}

#[tokio::test]
async fn the_recipients_answer_closes_the_loop_once() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let incident = desk.all().await[0].incident.id;
    let moved = ShareMoved {
        share: ShareId::mint(Timestamp::from_secs(2), [1; 10]),
        incident,
        peer_name: "Harbour CERT".into(),
        state: ShareState::Acknowledged,
        detail: "we look".into(),
    };
    desk.tell(&moved).await;
    desk.tell(&moved).await;
    let report = &desk.all().await[0];
    assert_eq!(report.incident.acknowledged_by.as_deref(), Some("Harbour CERT"));
    assert_eq!(desk.facts("incidents.changed").await.len(), 1);
}

#[tokio::test]
async fn a_fact_heard_again_after_the_cursor_was_lost_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let before = desk.all().await;
    let lost: Result<(), DbError> = desk
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE platform_cursors SET seq = 0").execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    lost.unwrap();
    desk.tell(&FindingUpdated { finding: finding(1, 1, Severity::High) }).await;
    let after = desk.all().await;
    assert_eq!(before[0].timeline, after[0].timeline);
    assert_eq!(desk.facts(model::event::IncidentOpened::KIND).await.len(), 1);
}
