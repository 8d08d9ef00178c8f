//! Facts of the detectors: models, findings and what people say of them.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::{Finding, FindingGroup, Timestamp};

/// A detector finished training for a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelTrained {
    /// The device's id.
    pub device: crate::DeviceId,
    /// The device's name.
    pub device_name: String,
    /// SHA-256 of the model file.
    pub model: String,
    /// Training windows used.
    pub windows: u64,
    /// The stated false-alarm budget per window.
    pub alpha: f64,
    /// Packet time of the training span's end.
    pub trained_to: Timestamp,
    /// Which judges the model has, in words.
    pub judges: String,
}
payload!(
    ModelTrained,
    "detection.model_trained",
    |it| it.device.to_string(),
    format!(
        "Learned what is normal for {} from {} windows ({})",
        it.device_name, it.windows, it.judges
    ),
    it.trained_to
);

/// A person asked to learn again what is normal for a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningRestarted {
    /// The device's id.
    pub device: crate::DeviceId,
    /// The device's name.
    pub device_name: String,
}
payload!(
    LearningRestarted,
    "detection.learning_restarted",
    |it| it.device.to_string(),
    format!("Learns again what is normal for {}", it.device_name)
);

/// A new finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingRaised {
    /// The finding.
    pub finding: Finding,
}
payload!(
    FindingRaised,
    "detection.finding_raised",
    |it| it.finding.id.to_string(),
    it.finding.title.clone(),
    it.finding.first_at
);

/// A finding goes on: more windows, a higher score, new evidence. Coalesced by the detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingUpdated {
    /// The finding as it stands.
    pub finding: Finding,
}
payload!(
    FindingUpdated,
    "detection.finding_updated",
    |it| it.finding.id.to_string(),
    format!("{} (goes on: {} windows)", it.finding.title, it.finding.windows),
    it.finding.last_at
);

/// A finding joined its group, or the group became worse. Comes before the finding's own fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingGrouped {
    /// The group as it stands.
    pub group: FindingGroup,
    /// The finding.
    pub finding: crate::FindingId,
}
payload!(
    FindingGrouped,
    "detection.finding_grouped",
    |it| it.group.id.to_string(),
    format!("{} ({} findings)", it.group.title, it.group.findings),
    it.group.last_at
);

/// A person said what a finding is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingJudged {
    /// The finding.
    pub finding: crate::FindingId,
    /// The device.
    pub device: crate::DeviceId,
    /// The finding's title.
    pub title: String,
    /// True for "this is normal for this device", false for "this is an attack".
    pub normal: bool,
    /// Why, in the person's words.
    pub reason: String,
    /// Until when, for "normal"; absent means until it is taken back.
    pub until: Option<Timestamp>,
}
payload!(
    FindingJudged,
    "detection.finding_judged",
    |it| it.finding.to_string(),
    format!(
        "Judged {}: {} ({})",
        if it.normal { "normal" } else { "an attack" },
        it.title,
        it.reason
    )
);

/// A suppression was made without a finding, or taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuppressionChanged {
    /// The suppression.
    pub suppression: crate::SuppressionId,
    /// The device.
    pub device: crate::DeviceId,
    /// What it covers, in words.
    pub scope: String,
    /// False when it was taken back.
    pub active: bool,
    /// Why.
    pub reason: String,
}
payload!(
    SuppressionChanged,
    "detection.suppression_changed",
    |it| it.device.to_string(),
    format!(
        "{}: {} ({})",
        if it.active { "Called normal" } else { "No longer called normal" },
        it.scope,
        it.reason
    )
);

/// Another version of a device's model is in use, or a version was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelChanged {
    /// The device.
    pub device: crate::DeviceId,
    /// Its name.
    pub device_name: String,
    /// The version in use before; 0 for none.
    pub from: i64,
    /// The version in use now; 0 for none.
    pub to: i64,
    /// Why.
    pub reason: String,
}
payload!(
    ModelChanged,
    "detection.model_changed",
    |it| it.device.to_string(),
    format!(
        "Model of {}: version {} in place of {}: {}",
        it.device_name, it.to, it.from, it.reason
    )
);

/// Learning of a device was held or goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningSwitched {
    /// The device.
    pub device: crate::DeviceId,
    /// Its name.
    pub device_name: String,
    /// True when learning goes on.
    pub on: bool,
    /// Why.
    pub reason: String,
}
payload!(
    LearningSwitched,
    "detection.learning_switched",
    |it| it.device.to_string(),
    format!(
        "Learning of {} {}: {}",
        it.device_name,
        if it.on { "goes on" } else { "is held" },
        it.reason
    )
);

/// Another version of an edge's machine model is in use, or it learns again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineModelChanged {
    /// The edge.
    pub edge: String,
    /// The version in use before; 0 for none.
    pub from: i64,
    /// The version in use now; 0 for none.
    pub to: i64,
    /// `learned`, `edited`, `taught`, `activated` or `relearned`.
    pub origin: String,
    /// Why.
    pub reason: String,
}
payload!(
    MachineModelChanged,
    "detection.machine_model_changed",
    |it| it.edge.clone(),
    if it.to == 0 {
        format!("The commands behind {} are learned again: {}", it.edge, it.reason)
    } else {
        format!(
            "Machine model of {}: version {} in place of {} ({}): {}",
            it.edge, it.to, it.from, it.origin, it.reason
        )
    }
);

/// Another version of what is lawful in GOOSE or MMS behind an edge is in use, or it learns again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LawModelChanged {
    /// The edge.
    pub edge: String,
    /// `goose` or `mms`.
    pub protocol: String,
    /// The version in use before; 0 for none.
    pub from: i64,
    /// The version in use now; 0 for none.
    pub to: i64,
    /// Why.
    pub reason: String,
}
payload!(
    LawModelChanged,
    "detection.law_model_changed",
    |it| it.edge.clone(),
    if it.to == 0 {
        format!("What {} says behind {} is learned again: {}", it.protocol, it.edge, it.reason)
    } else {
        format!(
            "Model of {} behind {}: version {} in place of {}: {}",
            it.protocol, it.edge, it.to, it.from, it.reason
        )
    }
);
