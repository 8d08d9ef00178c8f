//! Findings that belong together, with a state that only moves along lawful arrows.

use serde::{Deserialize, Serialize};

use crate::{Finding, IncidentId, NodeId, Severity, ShareId, Timestamp, Tlp};

/// One incident (OCSF Incident Finding, STIX `incident`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Identity; kept when the incident travels to another node.
    pub id: IncidentId,
    /// One sentence for a person.
    pub title: String,
    /// Where it stands.
    pub state: IncidentState,
    /// How bad.
    pub severity: Severity,
    /// Who may see it.
    pub tlp: Tlp,
    /// The node that opened it.
    pub origin: NodeId,
    /// The name of the organisation that opened it.
    pub origin_name: String,
    /// How many findings it holds.
    pub findings: u64,
    /// The share that brought it here, on a receiving node.
    pub received_share: Option<ShareId>,
    /// Who acknowledged it, once somebody has.
    pub acknowledged_by: Option<String>,
    /// Packet time of the first finding.
    pub event_at: Timestamp,
    /// When this node opened it.
    pub recorded_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Incident {
    /// The label that bounds who reads it here: its own, when others shared it with us. Our own incidents are this
    /// organisation's and have none.
    #[must_use]
    pub const fn bound(&self) -> Option<Tlp> {
        if self.received_share.is_some() { Some(self.tlp) } else { None }
    }
}

/// An incident with what belongs to it, as handed to a recipient or a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// The incident.
    pub incident: Incident,
    /// Its findings, oldest first.
    pub findings: Vec<Finding>,
    /// Its timeline, oldest first.
    pub timeline: Vec<TimelineItem>,
}

/// One line of an incident's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineItem {
    /// Machine word for the kind of line, e.g. `finding`, `action`, `share`, `acknowledged`, `note`, `state`.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// Who or what did it.
    pub actor: String,
    /// A link into the console, where there is one (`/runs/…`, `/shares/…`).
    pub link: Option<String>,
    /// Packet time, for lines that come from the wire.
    pub event_at: Option<Timestamp>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// States of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Nobody has looked.
    New,
    /// Somebody is looking.
    Triaged,
    /// It cannot spread further.
    Contained,
    /// Done, with a reason.
    Closed,
    /// It was nothing, with a reason.
    FalseAlarm,
}

impl IncidentState {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::New, Self::Triaged, Self::Contained, Self::Closed, Self::FalseAlarm];

    /// True when the step to `next` is lawful. A closed incident may be reopened to `Triaged` only.
    pub const fn may_become(self, next: Self) -> bool {
        use IncidentState::{Closed, Contained, FalseAlarm, New, Triaged};
        matches!(
            (self, next),
            (New, Triaged | Contained | Closed | FalseAlarm)
                | (Triaged, Contained | Closed | FalseAlarm)
                | (Contained, Triaged | Closed | FalseAlarm)
                | (Closed | FalseAlarm, Triaged)
        )
    }

    /// True while somebody still has to do something.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::FalseAlarm)
    }

    /// The word used in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Triaged => "triaged",
            Self::Contained => "contained",
            Self::Closed => "closed",
            Self::FalseAlarm => "false_alarm",
        }
    }

    /// The state a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_closed_and_none_becomes_new_again() {
        for state in IncidentState::ALL {
            assert!(!state.may_become(IncidentState::New));
            assert!(!state.may_become(state), "a step to itself is no step: {state:?}");
            if state.is_open() {
                assert!(state.may_become(IncidentState::Closed));
            } else {
                assert!(state.may_become(IncidentState::Triaged));
            }
            assert_eq!(IncidentState::from_word(state.word()), Some(state));
        }
    }
}
