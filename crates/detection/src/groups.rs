//! Findings of one device, peer and technique near in time are one group: what a person looks at
//! once, and what becomes one incident.

use std::net::IpAddr;

use model::{Finding, FindingGroup};
use platform::db::{DbError, Tx};

use crate::store;

/// The remote party a finding is about, where it is about one.
fn peer(finding: &Finding) -> Option<IpAddr> {
    finding.evidence.iter().find(|party| party.new).map(|party| party.peer)
}

/// Whether a finding belongs to a group: about the same, with the same party, near in time.
fn belongs(group: &FindingGroup, finding: &Finding, gap_us: i64) -> bool {
    let technique = finding.techniques.first().map(|technique| technique.id.as_str());
    let same = group.kind == finding.kind && group.technique.as_deref() == technique;
    let with = group.peer.is_none_or(|peer| {
        finding.evidence.is_empty() || finding.evidence.iter().any(|party| party.peer == peer)
    });
    let near = finding.first_at.micros_since(group.last_at) <= gap_us
        && group.first_at.micros_since(finding.last_at) <= gap_us;
    same && with && near
}

/// Puts a finding into its group, a new one where there is none. The group is given back when that
/// is news: it is new, the finding is new in it, or it became worse.
pub(crate) async fn join(
    tx: &mut Tx,
    finding: &Finding,
    gap_us: i64,
) -> Result<Option<FindingGroup>, DbError> {
    if let Some(mut group) = store::groups::of_finding(tx.sql(), finding.id).await? {
        let worse = finding.severity > group.severity;
        take(&mut group, finding);
        store::groups::write(tx, &group, finding.id).await?;
        return Ok(worse.then_some(group));
    }
    let since = finding.first_at.plus_micros(-gap_us);
    let recent = store::groups::recent(tx.sql(), finding.device, since).await?;
    let group = match recent.into_iter().find(|group| belongs(group, finding, gap_us)) {
        Some(mut group) => {
            group.findings += 1;
            take(&mut group, finding);
            group
        }
        None => {
            store::groups::clean(tx, finding.device).await?;
            FindingGroup {
                id: tx.mint(),
                device: finding.device,
                device_name: finding.device_name.clone(),
                peer: peer(finding),
                technique: finding.techniques.first().map(|technique| technique.id.clone()),
                kind: finding.kind,
                severity: finding.severity,
                title: finding.title.clone(),
                first_at: finding.first_at,
                last_at: finding.last_at,
                findings: 1,
            }
        }
    };
    store::groups::write(tx, &group, finding.id).await?;
    Ok(Some(group))
}

/// Brings a group up to its finding.
fn take(group: &mut FindingGroup, finding: &Finding) {
    group.first_at = group.first_at.min(finding.first_at);
    group.last_at = group.last_at.max(finding.last_at);
    group.device_name.clone_from(&finding.device_name);
    if group.findings == 1 || finding.severity > group.severity {
        group.title.clone_from(&finding.title);
        group.kind = finding.kind;
        group.technique = finding.techniques.first().map(|technique| technique.id.clone());
        group.peer = peer(finding).or(group.peer);
    }
    group.severity = group.severity.max(finding.severity);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use model::id::TypedId;
    use model::{AttackKind, DeviceId, Evidence, FindingId, GroupId, Severity, Timestamp};

    use super::*;

    fn finding(at_s: i64, peer: &str, kind: AttackKind) -> Finding {
        let at = Timestamp::from_secs(at_s);
        let evidence = Evidence {
            peer: peer.parse().unwrap(),
            protocol: "tcp".into(),
            port: Some(50),
            packets: 3,
            new: true,
        };
        Finding {
            id: FindingId::mint(at, [1; 10]),
            device: DeviceId::mint(at, [2; 10]),
            device_name: "lamp".into(),
            device_address: "10.0.0.1".into(),
            device_mac: None,
            detector: "ensemble".into(),
            model: String::new(),
            title: "x".into(),
            kind,
            severity: Severity::Low,
            score: 2.0,
            why: vec![],
            evidence: vec![evidence],
            techniques: vec![],
            first_at: at,
            last_at: at.plus_secs(10),
            windows: 1,
            recorded_at: at,
        }
    }

    #[test]
    fn device_peer_technique_and_time_make_a_group() {
        let first = finding(1_000, "192.0.2.1", AttackKind::CommandAndControl);
        let group = FindingGroup {
            id: GroupId::mint(first.first_at, [3; 10]),
            device: first.device,
            device_name: "lamp".into(),
            peer: peer(&first),
            technique: None,
            kind: first.kind,
            severity: first.severity,
            title: String::new(),
            first_at: first.first_at,
            last_at: first.last_at,
            findings: 1,
        };
        let hour = 3_600_000_000;
        let near = finding(2_000, "192.0.2.1", AttackKind::CommandAndControl);
        assert!(belongs(&group, &near, hour));
        let cases = [
            finding(9_000, "192.0.2.1", AttackKind::CommandAndControl),
            finding(2_000, "192.0.2.2", AttackKind::CommandAndControl),
            finding(2_000, "192.0.2.1", AttackKind::Anomaly),
        ];
        assert!(cases.iter().all(|other| !belongs(&group, other, hour)));
    }
}
