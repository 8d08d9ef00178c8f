//! A node with only this room, and facts to feed it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use incidents::{Config, Incidents, MIGRATIONS};
use model::event::{Fact, Payload};
use model::id::TypedId;
use model::{
    AttackKind, DeviceId, Evidence, Finding, FindingId, Incident, IncidentReport, Severity,
    Timestamp,
};
use platform::Platform;
use platform::db::{DbError, FactFilter, find_facts};
use ports::IncidentReader;

pub(crate) struct Desk {
    pub(crate) platform: Platform,
    pub(crate) room: Incidents,
}

impl Desk {
    pub(crate) async fn open(folder: &Path) -> Self {
        let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
        let room = Incidents::new(platform.clone(), Config::default());
        platform::bus::start(&platform, room.consumers());
        Self { platform, room }
    }

    /// Publishes a fact and waits until the room has taken it.
    pub(crate) async fn tell<P: Payload + Clone + Send + Sync + 'static>(&self, payload: &P) {
        let payload = payload.clone();
        let seq: Result<i64, DbError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("test", &payload).await }))
            .await;
        self.wait(seq.unwrap()).await;
    }

    async fn wait(&self, seq: i64) {
        loop {
            let mut connection = self.platform.db.read().await.unwrap();
            let cursor: Option<i64> =
                sqlx::query_scalar("SELECT seq FROM platform_cursors WHERE consumer = 'incidents'")
                    .fetch_optional(&mut *connection)
                    .await
                    .unwrap();
            if cursor.unwrap_or(0) >= seq {
                return;
            }
            drop(connection);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Facts of a kind, oldest first.
    pub(crate) async fn facts(&self, kind: &str) -> Vec<Fact> {
        let mut connection = self.platform.db.read().await.unwrap();
        let filter = FactFilter { kind: Some(kind.into()), ..FactFilter::default() };
        let mut facts = find_facts(&mut connection, &filter, 100).await.unwrap();
        facts.reverse();
        facts
    }

    /// All incidents with what belongs to them, oldest first.
    pub(crate) async fn all(&self) -> Vec<IncidentReport> {
        let ids: Vec<String> = {
            let mut connection = self.platform.db.read().await.unwrap();
            sqlx::query_scalar("SELECT id FROM incidents_incidents ORDER BY recorded_at, id")
                .fetch_all(&mut *connection)
                .await
                .unwrap()
        };
        let mut reports = Vec::new();
        for id in ids {
            reports.push(self.room.report(id.parse().unwrap()).await.unwrap().unwrap());
        }
        reports
    }

    pub(crate) async fn close(self) {
        self.platform.tasks.stop(Duration::from_secs(5)).await;
        self.platform.db.close().await;
    }
}

pub(crate) fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))
}

pub(crate) fn finding(number: u8, device: u8, severity: Severity) -> Finding {
    let first_at = Timestamp::from_secs(1_533_047_000 + i64::from(number));
    Finding {
        id: FindingId::mint(first_at, [number; 10]),
        device: DeviceId::mint(Timestamp::from_secs(1), [device; 10]),
        device_name: format!("device {device}"),
        device_address: format!("192.168.1.{device}"),
        device_mac: Some(format!("02:00:00:00:00:{device:02x}")),
        detector: "aarnn".into(),
        model: "m".into(),
        title: format!("device {device} behaves unusually"),
        kind: AttackKind::CommandAndControl,
        severity,
        score: 2.0,
        why: vec![],
        evidence: vec![Evidence {
            peer: address(device),
            protocol: "tcp".into(),
            port: Some(50),
            packets: 3,
            new: true,
        }],
        techniques: vec![],
        first_at,
        last_at: first_at.plus_secs(10),
        windows: 1,
        recorded_at: Timestamp::from_secs(1_800_000_000),
    }
}

pub(crate) fn states(reports: &[IncidentReport]) -> Vec<&Incident> {
    reports.iter().map(|report| &report.incident).collect()
}
