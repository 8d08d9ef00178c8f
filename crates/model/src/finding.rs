//! A detector's judgement about a device, with everything needed to question it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, FindingId, Severity, Timestamp};

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
}

impl AttackKind {
    /// The kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Flood => "flood",
            Self::CommandAndControl => "command-and-control attempts",
            Self::Anomaly => "unusual behaviour",
        }
    }
}
