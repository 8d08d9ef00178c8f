//! Windows in which one device broke laws, near in time, become one finding that goes on.

use analytics::goose::GooseLaw;
use analytics::laws::{LawReason, LawWindow};
use analytics::mms::MmsLaw;
use model::{AttackKind, Finding, FindingId, Reason, Severity, Technique, Timestamp};

use super::memory::{LawModel, Protocol};
use crate::finding::{MAX_FINDING_REASONS, OpenFinding, Tally};
use crate::state::{DeviceRow, moment};

/// Windows from which on the breaks of a lasting finding are serious, whatever the law.
const LASTING_WINDOWS: u64 = 6;
/// Control blocks that a title names.
const NAMED_CONTROLS: usize = 2;

/// Techniques of ATT&CK for ICS that broken laws are evidence of, with their names as published.
const TECHNIQUES: [(&str, &str); 4] = [
    ("T0804", "Block Reporting Message"),
    ("T0848", "Rogue Master"),
    ("T0856", "Spoof Reporting Message"),
    ("T0888", "Remote System Information Discovery"),
];

/// A window in which a device broke laws.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) protocol: Protocol,
    pub(crate) window: LawWindow,
    /// Strongest first; at least one.
    pub(crate) reasons: Vec<LawReason>,
}

impl Broken {
    /// How strongly: above 1 alerts.
    pub(crate) fn score(&self) -> f64 {
        self.reasons.first().map_or(0.0, |reason| reason.ratio)
    }
}

/// What a broken law is evidence of, and whether one window of it is serious.
pub(crate) fn meaning(protocol: Protocol, law: usize) -> (AttackKind, bool) {
    match protocol {
        Protocol::Goose => match GooseLaw::ALL.get(law) {
            // The same state told in two ways, or a state the publisher denies.
            Some(
                GooseLaw::DataInState
                | GooseLaw::TakenBack
                | GooseLaw::Header
                | GooseLaw::UnknownPublisher,
            ) => (AttackKind::ManInTheMiddle, true),
            // Values that never stood together: what a false trip looks like.
            Some(GooseLaw::ValueRelation | GooseLaw::SameData) => (AttackKind::FalseCommand, true),
            Some(
                GooseLaw::StateNumber
                | GooseLaw::Sequence
                | GooseLaw::Age
                | GooseLaw::TimeInState
                | GooseLaw::TooEarly,
            ) => (AttackKind::Replay, true),
            _ => (AttackKind::Anomaly, false),
        },
        Protocol::Mms => match MmsLaw::ALL.get(law) {
            Some(MmsLaw::Reopened | MmsLaw::Invoke | MmsLaw::Unasked) => {
                (AttackKind::ManInTheMiddle, true)
            }
            Some(MmsLaw::OutOfPhase | MmsLaw::NewName) => (AttackKind::Scan, false),
            Some(MmsLaw::Rate) => (AttackKind::Flood, false),
            _ => (AttackKind::Anomaly, false),
        },
    }
}

/// Opens a finding about the device of `row` with its first broken window.
pub(crate) fn open(
    id: FindingId,
    row: &DeviceRow,
    (model, hash): (&LawModel, &str),
    broken: &Broken,
    now: Timestamp,
) -> OpenFinding {
    let finding = Finding {
        id,
        device: row.device,
        device_name: row.name.clone(),
        device_address: row.address.clone(),
        device_mac: row.mac.clone(),
        detector: broken.protocol.word().to_owned(),
        model: hash.to_owned(),
        title: String::new(),
        kind: AttackKind::Anomaly,
        severity: Severity::Low,
        score: 0.0,
        why: vec![],
        evidence: vec![],
        techniques: vec![],
        first_at: moment(broken.window.start_us),
        last_at: moment(broken.window.end_us),
        windows: 0,
        recorded_at: now,
    };
    let tally = Tally::new(row.epoch, broken.window.start_us);
    let mut open = OpenFinding { finding, tally, place: row.place, dirty: true };
    extend(&mut open, model, broken);
    open
}

/// Whether a window belongs to a finding: of its protocol, and soon after its last one or during it.
pub(crate) fn covers(open: &OpenFinding, broken: &Broken, gap_us: i64) -> bool {
    let after = moment(broken.window.start_us).micros_since(open.finding.last_at);
    let before = open.finding.first_at.micros_since(moment(broken.window.end_us));
    open.finding.detector == broken.protocol.word() && after <= gap_us && before <= gap_us
}

/// Adds a broken window.
pub(crate) fn extend(open: &mut OpenFinding, model: &LawModel, broken: &Broken) {
    let window = &broken.window;
    open.dirty = true;
    if open.finding.windows == 0 || window.start_us > open.tally.last_start_us {
        open.finding.windows += 1;
    }
    open.tally.last_start_us = open.tally.last_start_us.max(window.start_us);
    let finding = &mut open.finding;
    finding.first_at = finding.first_at.min(moment(window.start_us));
    finding.last_at = finding.last_at.max(moment(window.end_us));
    finding.score = finding.score.max(broken.score());
    for reason in &broken.reasons {
        add_reason(finding, broken.protocol, reason);
    }
    describe(finding, model, broken);
}

/// One line a law: the breaks add up.
fn add_reason(finding: &mut Finding, protocol: Protocol, reason: &LawReason) {
    let (name, words, _) = protocol.law(reason.law);
    match finding.why.iter_mut().find(|known| known.metric == name) {
        Some(known) => {
            known.measured += reason.measured;
            known.ratio = known.ratio.max(reason.ratio);
        }
        None => finding.why.push(Reason {
            metric: name.to_owned(),
            meaning: format!("times: {words}"),
            measured: reason.measured,
            expected: reason.expected,
            judge: protocol.word().to_owned(),
            ratio: reason.ratio,
        }),
    }
    finding.why.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    finding.why.truncate(MAX_FINDING_REASONS);
}

/// Kind, severity, techniques and title follow from the laws.
fn describe(finding: &mut Finding, model: &LawModel, broken: &Broken) {
    let protocol = broken.protocol;
    let number = |name: &str| {
        (0..)
            .take_while(|law| protocol.law(*law).0 != "unknown")
            .find(|law| protocol.law(*law).0 == name)
    };
    let laws: Vec<usize> = finding
        .why
        .iter()
        .filter(|reason| reason.ratio > 1.0)
        .filter_map(|reason| number(&reason.metric))
        .collect();
    // What says most about the attack names it, not what happens to be broken most often.
    let telling = laws.iter().copied().find(|law| meaning(protocol, *law).1);
    let Some(first) = telling.or(laws.first().copied()) else { return };
    let (kind, serious) = meaning(protocol, first);
    finding.kind = kind;
    let severity = if serious || finding.windows >= LASTING_WINDOWS {
        Severity::High
    } else {
        Severity::Medium
    };
    finding.severity = finding.severity.max(severity);
    finding.techniques = techniques(protocol, &laws);
    let (name, words, _) = protocol.law(first);
    let times = finding.why.iter().find(|reason| reason.metric == name);
    let times = times.map_or(0.0, |reason| reason.measured);
    let controls = model.controls_of(broken.window.device);
    let named = controls.iter().take(NAMED_CONTROLS).copied().collect::<Vec<_>>().join(", ");
    let about = match controls.len() {
        0 => String::new(),
        count if count > NAMED_CONTROLS => {
            format!(" ({named} and {} more)", count - NAMED_CONTROLS)
        }
        _ => format!(" ({named})"),
    };
    let who = crate::finding::who(finding);
    finding.title = format!("{} of {who}{about}: {words}, {times:.0} times", protocol.title());
}

fn techniques(protocol: Protocol, laws: &[usize]) -> Vec<Technique> {
    let mut techniques: Vec<Technique> = Vec::new();
    for id in laws.iter().filter_map(|law| protocol.law(*law).2) {
        let known = TECHNIQUES.iter().find(|known| known.0 == id);
        if let Some((id, name)) = known
            && !techniques.iter().any(|own| own.id == *id)
        {
            let framework = "mitre-ics-attack".to_owned();
            techniques.push(Technique { framework, id: (*id).into(), name: (*name).into() });
        }
    }
    techniques
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_of_a_law_has_its_name() {
        for protocol in Protocol::ALL {
            let laws: Vec<usize> =
                (0..64).take_while(|law| protocol.law(*law).0 != "unknown").collect();
            assert!(laws.len() > 5);
            for law in laws {
                let told = techniques(protocol, &[law]);
                assert_eq!(told.len(), usize::from(protocol.law(law).2.is_some()), "law {law}");
            }
        }
    }
}
