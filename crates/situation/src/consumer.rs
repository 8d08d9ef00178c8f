//! Facts become counts: of days, of states, of how long things took.

use async_trait::async_trait;
use model::event::{
    Fact, FindingRaised, FindingUpdated, IncidentChanged, IncidentOpened, IncidentReceived,
    Payload, RecoveryMoved,
};
use model::{Finding, Incident, Severity, Timestamp};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;

use crate::store::{self, Case, Counted, day_of};

/// Remote parties and techniques noted of one incident.
const MAX_MARKS: usize = 64;

/// How long something took: name of the bucket and its end, seconds.
pub(crate) const BUCKETS: [(&str, i64); 7] = [
    ("5m", 300),
    ("15m", 900),
    ("1h", 3_600),
    ("4h", 14_400),
    ("1d", 86_400),
    ("3d", 259_200),
    ("more", i64::MAX),
];

/// The consumer of this room.
pub(crate) struct Counter;

#[async_trait]
impl Consumer for Counter {
    fn name(&self) -> &'static str {
        "situation"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            FindingRaised::KIND,
            FindingUpdated::KIND,
            IncidentOpened::KIND,
            IncidentChanged::KIND,
            IncidentReceived::KIND,
            RecoveryMoved::KIND,
        ]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        if let Some(raised) = fact.read::<FindingRaised>()? {
            finding(tx, &raised.finding).await?;
        } else if let Some(updated) = fact.read::<FindingUpdated>()? {
            finding(tx, &updated.finding).await?;
        } else if let Some(opened) = fact.read::<IncidentOpened>()? {
            incident(tx, &opened.report.incident, fact.recorded_at).await?;
            if opened.report.incident.received_share.is_some() {
                marks(tx, &opened.report.incident, &opened.report.findings, &[]).await?;
            }
        } else if let Some(changed) = fact.read::<IncidentChanged>()? {
            incident(tx, &changed.incident, fact.recorded_at).await?;
        } else if let Some(received) = fact.read::<IncidentReceived>()? {
            // The incident itself is told by the room that opens it; here only what it names.
            let peers: Vec<String> =
                received.indicators.iter().map(|one| one.peer.to_string()).collect();
            marks(tx, &received.incident, &received.findings, &peers).await?;
        } else if let Some(moved) = fact.read::<RecoveryMoved>()?
            && moved.stage == "recovered"
            && let Some(known) = store::find(tx.sql(), &moved.incident.to_string()).await?
        {
            let mut now = known.clone();
            now.recovered_at = now.recovered_at.or(Some(moved.at));
            write(tx, Some(&known), &now).await?;
        }
        Ok(())
    }
}

async fn finding(tx: &mut Tx, finding: &Finding) -> Result<(), ConsumeError> {
    let id = finding.id.to_string();
    let known = store::finding(tx.sql(), &id).await?;
    let day = known.as_ref().map_or_else(|| day_of(finding.recorded_at), |known| known.0);
    let counted = |severity: &str, detector: &str, kind: &str| {
        let all = [
            ("findings.severity", severity),
            ("findings.detector", detector),
            ("findings.kind", kind),
        ];
        all.map(|(what, item)| Counted { day, what, item: item.into(), bound: String::new() })
    };
    let before =
        known.as_ref().map(|(_, severity, detector, kind)| counted(severity, detector, kind));
    let (severity, detector, kind) =
        (finding.severity.word(), finding.detector.as_str(), finding.kind.word());
    let before = before.as_ref().map_or(&[] as &[Counted], |all| all.as_slice());
    store::move_counts(tx, before, &counted(severity, detector, kind)).await?;
    store::put_finding(tx, &id, (day, severity, detector, kind)).await?;
    Ok(())
}

const fn weight(severity: Severity) -> i64 {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}

async fn incident(tx: &mut Tx, told: &Incident, at: Timestamp) -> Result<(), ConsumeError> {
    let id = told.id.to_string();
    let known = store::find(tx.sql(), &id).await?;
    let first = |moment: Option<Timestamp>, reached: bool| moment.or(reached.then_some(at));
    let (state, open) = (told.state.word(), told.state.is_open());
    let of = |read: fn(&Case) -> Option<Timestamp>| known.as_ref().and_then(read);
    let case = Case {
        id,
        title: told.title.clone(),
        severity: told.severity.word().into(),
        weight: weight(told.severity),
        state: state.into(),
        open,
        received: told.received_share.is_some(),
        tlp: told.tlp.label().into(),
        bound: told.bound().map_or_else(String::new, |tlp| tlp.label().to_owned()),
        origin: told.origin.to_string(),
        origin_name: told.origin_name.clone(),
        acknowledged_by: told.acknowledged_by.clone(),
        opened_at: told.recorded_at,
        acknowledged_at: first(of(|it| it.acknowledged_at), told.acknowledged_by.is_some()),
        contained_at: first(of(|it| it.contained_at), state == "contained"),
        recovered_at: first(of(|it| it.recovered_at), state == "recovered"),
        closed_at: first(of(|it| it.closed_at).filter(|_| !open), !open),
        updated_at: at,
    };
    write(tx, known.as_ref(), &case).await
}

async fn write(tx: &mut Tx, known: Option<&Case>, now: &Case) -> Result<(), ConsumeError> {
    let before = known.map(counted).unwrap_or_default();
    store::move_counts(tx, &before, &counted(now)).await?;
    store::put(tx, now).await?;
    Ok(())
}

/// All that an incident counts for.
fn counted(it: &Case) -> Vec<Counted> {
    let mut all = Vec::new();
    let mut add = |day: i64, what: &'static str, item: &str| {
        all.push(Counted { day, what, item: item.into(), bound: it.bound.clone() });
    };
    let opened = day_of(it.opened_at);
    add(opened, "incidents.state", &it.state);
    add(opened, "incidents.severity", &it.severity);
    if it.received {
        add(opened, "incidents.origin", &it.origin_name);
        if it.acknowledged_by.is_some() {
            add(opened, "incidents.answered", &it.origin_name);
        }
    }
    for (what, moment) in [
        ("time.acknowledge", it.acknowledged_at),
        ("time.contain", it.contained_at),
        ("time.recover", it.recovered_at),
    ] {
        let Some(moment) = moment else { continue };
        let took_s = moment.micros_since(it.opened_at).max(0) / 1_000_000;
        let bucket = BUCKETS.iter().find(|(_, end)| took_s < *end).map_or("more", |(name, _)| name);
        add(day_of(moment), what, bucket);
    }
    all
}

async fn marks(
    tx: &mut Tx,
    incident: &Incident,
    findings: &[Finding],
    peers: &[String],
) -> Result<(), ConsumeError> {
    let (id, origin) = (incident.id.to_string(), incident.origin.to_string());
    let bound = incident.tlp.label();
    let named = findings.iter().flat_map(|finding| {
        let peers = finding.evidence.iter().map(|one| ("peer", one.peer.to_string()));
        let techniques = finding.techniques.iter().map(|one| ("technique", one.id.clone()));
        peers.chain(techniques)
    });
    let indicated = peers.iter().map(|peer| ("peer", peer.clone()));
    let all: std::collections::BTreeSet<(&str, String)> = indicated.chain(named).collect();
    for (kind, value) in all.iter().take(MAX_MARKS) {
        let at = incident.recorded_at;
        store::note(tx, (&id, &origin, bound), (kind, value), at).await?;
    }
    Ok(())
}
