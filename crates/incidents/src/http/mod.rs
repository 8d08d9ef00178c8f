//! Endpoints, one a file.

pub(crate) mod acknowledge;
pub(crate) mod incident;
pub(crate) mod list;
pub(crate) mod note;
pub(crate) mod state;

use model::{Incident, IncidentId, IncidentState, NodeId, Severity, ShareId, Timestamp, Tlp};
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// An incident as lists and pages show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncidentView {
    /// Identity; kept when the incident travels to another node.
    #[schema(value_type = String, format = Uuid)]
    pub id: IncidentId,
    /// One sentence for a person.
    pub title: String,
    /// `new`, `triaged`, `contained`, `closed` or `false_alarm`.
    #[schema(value_type = String)]
    pub state: IncidentState,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// `TLP:CLEAR` … `TLP:RED`.
    #[schema(value_type = String)]
    pub tlp: Tlp,
    /// The node that opened it.
    #[schema(value_type = String, format = Uuid)]
    pub origin: NodeId,
    /// The name of the organisation that opened it.
    pub origin_name: String,
    /// How many findings it holds.
    pub findings: u64,
    /// The share that brought it here, on a receiving node.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub received_share: Option<ShareId>,
    /// Who acknowledged it, once somebody has.
    pub acknowledged_by: Option<String>,
    /// Packet time of the first finding.
    #[schema(value_type = String, format = DateTime)]
    pub event_at: Timestamp,
    /// When this node opened it.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<Incident> for IncidentView {
    fn from(it: Incident) -> Self {
        Self {
            id: it.id,
            title: it.title,
            state: it.state,
            severity: it.severity,
            tlp: it.tlp,
            origin: it.origin,
            origin_name: it.origin_name,
            findings: it.findings,
            received_share: it.received_share,
            acknowledged_by: it.acknowledged_by,
            event_at: it.event_at,
            recorded_at: it.recorded_at,
            updated_at: it.updated_at,
        }
    }
}

/// The id in a path; what is no id names nothing here.
pub(crate) fn incident_id(text: &str) -> Result<IncidentId, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found(format!("incident '{}'", text.chars().take(64).collect::<String>()))
    })
}
