//! A detector's judgement about a device, with everything needed to question it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, FindingId, GroupId, Severity, Timestamp};

/// What a detector says about a device over a span of packet time (OCSF Detection Finding).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Identity.
    pub id: FindingId,
    /// The device judged.
    pub device: DeviceId,
    /// The device's name at the time, so that a finding reads by itself.
    pub device_name: String,
    /// The address the device used.
    pub device_address: String,
    /// The device's MAC address, where seen.
    pub device_mac: Option<String>,
    /// Which detector, e.g. `aarnn`.
    pub detector: String,
    /// The model that judged: its file hash or version.
    pub model: String,
    /// One sentence for a person.
    pub title: String,
    /// What kind of attack the evidence supports.
    pub kind: AttackKind,
    /// How bad.
    pub severity: Severity,
    /// Largest ratio of error to threshold over the windows; above 1 is an alert.
    pub score: f64,
    /// Which metrics, measured against expected, which judge; strongest first.
    pub why: Vec<Reason>,
    /// Remote parties and ports that carry the evidence.
    pub evidence: Vec<Evidence>,
    /// ATT&CK / ATT&CK-ICS / ATLAS techniques the evidence supports; may be empty.
    pub techniques: Vec<Technique>,
    /// Packet time of the first alerting window's start.
    pub first_at: Timestamp,
    /// Packet time of the last alerting window's end.
    pub last_at: Timestamp,
    /// Alerting windows so far.
    pub windows: u64,
    /// When this node recorded it.
    pub recorded_at: Timestamp,
}

/// One line of an explanation: a metric far from what the model expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Metric name, e.g. `syn_out`.
    pub metric: String,
    /// In plain words, e.g. "connection attempts sent in 10 s".
    pub meaning: String,
    /// Measured, in the metric's unit.
    pub measured: f64,
    /// Expected by the judge, same unit.
    pub expected: f64,
    /// Which judge spoke: `range` or `network`.
    pub judge: String,
    /// Error divided by its threshold.
    pub ratio: f64,
}

/// A remote party seen in alerting windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The remote address.
    pub peer: IpAddr,
    /// `tcp`, `udp`, `icmp` …
    pub protocol: String,
    /// The service port, where the protocol has one.
    pub port: Option<u16>,
    /// Packets exchanged in alerting windows.
    pub packets: u64,
    /// True when this party was never seen in training.
    pub new: bool,
}

/// A technique of a published knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technique {
    /// `mitre-attack`, `mitre-ics-attack` or `mitre-atlas`.
    pub framework: String,
    /// External id, e.g. `T1071`.
    pub id: String,
    /// Name as published.
    pub name: String,
}

/// What kind of attack the evidence supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttackKind {
    /// Many peers or ports tried.
    Scan,
    /// Much more traffic than usual.
    Flood,
    /// Repeated attempts to reach a controller on the outside.
    CommandAndControl,
    /// Unusual, kind not told by the evidence.
    Anomaly,
    /// Many attempts to sign in.
    BruteForce,
    /// Far more data than usual leaves for an unknown party outside.
    Exfiltration,
    /// Remote administration of neighbours it never administered.
    LateralMovement,
    /// A command that this controller never gave.
    FalseCommand,
    /// Messages of the past, sent again.
    Replay,
    /// Somebody stands between two parties.
    ManInTheMiddle,
    /// An attack on the detector's own models.
    ModelAttack,
}

impl AttackKind {
    /// The kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Flood => "flood",
            Self::CommandAndControl => "command-and-control attempts",
            Self::Anomaly => "unusual behaviour",
            Self::BruteForce => "attempts to sign in",
            Self::Exfiltration => "exfiltration",
            Self::LateralMovement => "lateral movement",
            Self::FalseCommand => "false command",
            Self::Replay => "replay",
            Self::ManInTheMiddle => "man in the middle",
            Self::ModelAttack => "attack on the detector",
        }
    }

    /// The word in JSON and in databases.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Flood => "flood",
            Self::CommandAndControl => "command_and_control",
            Self::Anomaly => "anomaly",
            Self::BruteForce => "brute_force",
            Self::Exfiltration => "exfiltration",
            Self::LateralMovement => "lateral_movement",
            Self::FalseCommand => "false_command",
            Self::Replay => "replay",
            Self::ManInTheMiddle => "man_in_the_middle",
            Self::ModelAttack => "model_attack",
        }
    }
}

/// Findings of one device, peer and technique near in time: what a person looks at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingGroup {
    /// Identity.
    pub id: GroupId,
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub device_name: String,
    /// The remote party they have in common, where there is one.
    pub peer: Option<IpAddr>,
    /// The technique they have in common, where the evidence shows one.
    pub technique: Option<String>,
    /// What kind of attack.
    pub kind: AttackKind,
    /// The worst of them.
    pub severity: Severity,
    /// The title of the worst of them.
    pub title: String,
    /// Packet time of the first alerting window.
    pub first_at: Timestamp,
    /// Packet time of the last alerting window.
    pub last_at: Timestamp,
    /// Findings in it.
    pub findings: u64,
}
