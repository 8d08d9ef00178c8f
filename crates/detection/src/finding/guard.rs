//! Findings of the guards: not of one window, but of how a device and what is learned from it change.

use analytics::guard::mimicry::Rhythm;
use analytics::guard::poison::Growth;
use analytics::guard::{AtlasTechnique, DENIAL_OF_SERVICE, POISON_TRAINING_DATA};
use model::{AttackKind, Evidence, Finding, FindingId, Reason, Severity, Technique, Timestamp};

use super::tally::{Tally, protocol_name};
use super::{OpenFinding, words};
use crate::state::{DeviceRow, moment};

/// Name of the guards as a detector.
pub(crate) const GUARD: &str = "guard";
/// Somebody changed a stored model.
const MANIPULATE_MODEL: AtlasTechnique = ("AML.T0018", "Manipulate AI Model");

/// What a guard has to tell.
#[derive(Clone, Debug)]
pub(crate) enum GuardNews {
    /// The device changed its habits.
    Habits { since_us: i64, recent: f64, reference: f64 },
    /// An unknown party is met like clockwork.
    Rhythm(Rhythm),
    /// Somebody may be teaching the model.
    Teaching(Growth),
    /// Devices or windows were turned away because there were too many.
    Flood { source: String, devices: u64, windows: u64 },
    /// A stored model is not what was signed.
    Tampered { number: i64, cause: String },
}

impl GuardNews {
    /// The finding. `at_us` is the packet time it was noticed at.
    pub(crate) fn open(
        self,
        id: FindingId,
        row: &DeviceRow,
        at_us: i64,
        now: Timestamp,
    ) -> OpenFinding {
        let mut finding = Finding {
            id,
            device: row.device,
            device_name: row.name.clone(),
            device_address: row.address.clone(),
            device_mac: row.mac.clone(),
            detector: GUARD.to_owned(),
            model: row.model.clone().unwrap_or_default(),
            title: String::new(),
            kind: AttackKind::ModelAttack,
            severity: Severity::Medium,
            score: 1.0,
            why: vec![],
            evidence: vec![],
            techniques: vec![],
            first_at: moment(at_us),
            last_at: moment(at_us),
            windows: 1,
            recorded_at: now,
        };
        let who = words::who(&finding);
        self.describe(&mut finding, &who);
        let tally = Tally::new(row.epoch, at_us);
        OpenFinding { finding, tally, place: row.place, dirty: true }
    }

    fn describe(self, finding: &mut Finding, who: &str) {
        match self {
            Self::Habits { since_us, recent, reference } => {
                habits(finding, who, since_us, (recent, reference));
            }
            Self::Rhythm(rhythm) => meets(finding, who, &rhythm),
            Self::Teaching(growth) => {
                let metric = growth.metric.describe();
                finding.title = format!(
                    "Somebody may be teaching the model of {who}: {metric} grew from {:.0} to {:.0} over {} fittings; learning is held",
                    growth.anchor, growth.lately, growth.refits
                );
                finding.score = (growth.lately / growth.anchor.max(1.0)).max(1.0);
                finding.why.push(reason(
                    growth.metric.name(),
                    metric,
                    (growth.lately, growth.anchor),
                    finding.score,
                ));
                finding.techniques.push(atlas(POISON_TRAINING_DATA));
            }
            Self::Flood { source, devices, windows } => {
                finding.title = format!(
                    "The detector is being flooded through {source}: {devices} unknown devices and {windows} windows were turned away; known devices are watched as before"
                );
                finding.severity = Severity::High;
                finding.why.push(reason(
                    "new_devices",
                    "unknown devices turned away",
                    (devices as f64, 0.0),
                    1.0,
                ));
                finding.techniques.push(atlas(DENIAL_OF_SERVICE));
            }
            Self::Tampered { number, cause } => {
                finding.title = format!(
                    "Version {number} of the model of {who} was changed after it was signed: {cause}"
                );
                finding.severity = Severity::High;
                finding.techniques.push(atlas(MANIPULATE_MODEL));
            }
        }
    }
}

fn habits(finding: &mut Finding, who: &str, since_us: i64, (recent, reference): (f64, f64)) {
    finding.kind = AttackKind::Anomaly;
    // A question for the day, not an alarm for the night: windows that are alarming by themselves
    // make findings of their own.
    finding.severity = Severity::Low;
    finding.first_at = moment(since_us);
    finding.score = recent;
    finding.title =
        format!("{who} changed its habits; nothing is learned until somebody says that it may");
    finding.why.push(reason(
        "score",
        "mean score of the last ten minutes or so",
        (recent, reference),
        recent / reference.max(0.05),
    ));
}

fn meets(finding: &mut Finding, who: &str, rhythm: &Rhythm) {
    let (peer, protocol, port) = rhythm.key;
    let protocol = protocol_name(protocol);
    finding.kind = AttackKind::CommandAndControl;
    finding.severity = Severity::Low;
    finding.first_at = moment(rhythm.since_us);
    finding.windows = u64::from(rhythm.sightings);
    let service = if port > 0 { format!(" port {port}") } else { String::new() };
    finding.title = format!(
        "{who} meets the unknown {peer} over {}{service} every {:.0} s, like clockwork",
        protocol.to_uppercase(),
        rhythm.period_s
    );
    finding.why.push(reason(
        "rhythm",
        "variation of the pauses between meetings (0 is a clock)",
        (rhythm.variation, 1.0),
        1.0,
    ));
    finding.evidence.extend(peer.ip().map(|peer| Evidence {
        peer,
        protocol,
        port: (port > 0).then_some(port),
        packets: u64::from(rhythm.sightings),
        new: true,
    }));
}

fn reason(metric: &str, meaning: &str, (measured, expected): (f64, f64), ratio: f64) -> Reason {
    Reason {
        metric: metric.to_owned(),
        meaning: meaning.to_owned(),
        measured,
        expected,
        judge: GUARD.to_owned(),
        ratio,
    }
}

fn atlas((id, name): AtlasTechnique) -> Technique {
    Technique { framework: "mitre-atlas".into(), id: id.into(), name: name.into() }
}
