//! When a playbook starts by itself. Kept beside the playbook: CACAO does not say who calls.

use model::{AttackKind, IncidentReport, Severity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::automation::Level;

/// Starts a playbook when an incident is opened here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTrigger)]
pub struct Trigger {
    /// The fact it listens to.
    pub on: TriggerOn,
    /// Least severity.
    #[schema(value_type = String)]
    pub min_severity: Severity,
    /// Kinds of attack among the findings; empty means any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub kinds: Vec<AttackKind>,
    /// How far it goes by itself at most; as far as the policy of automation lets it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// Facts a trigger can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlaybookTriggerOn)]
pub enum TriggerOn {
    /// An incident of our own was opened, or became severe enough later.
    #[serde(rename = "incidents.opened")]
    IncidentOpened,
}

impl Trigger {
    /// Every incident of our own from this severity on.
    pub const fn from_severity(min_severity: Severity) -> Self {
        Self { on: TriggerOn::IncidentOpened, min_severity, kinds: Vec::new(), level: None }
    }

    /// True when this incident starts the playbook.
    pub fn matches(&self, report: &IncidentReport) -> bool {
        report.incident.severity >= self.min_severity
            && (self.kinds.is_empty()
                || report.findings.iter().any(|finding| self.kinds.contains(&finding.kind)))
    }

    /// In words.
    pub fn words(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.words()).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let severity = self.min_severity.word();
        format!(
            "when an incident of severity {severity} or worse is opened here, or becomes that severe{kinds}"
        )
    }
}
