//! How incidents look from outside. The types of `model` serialise as they are; the shapes give them
//! a place in the API description.

use model::{Finding, Incident, IncidentState, TimelineItem};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::milestones::Milestones;

/// An incident.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct IncidentView(pub(crate) Incident);

impl utoipa::PartialSchema for IncidentView {
    fn schema() -> RefOr<Schema> {
        IncidentShape::schema()
    }
}

impl ToSchema for IncidentView {
    fn name() -> std::borrow::Cow<'static, str> {
        "Incident".into()
    }
}

/// An incident with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentWhole {
    /// The incident.
    #[schema(value_type = IncidentShape)]
    pub(crate) incident: Incident,
    /// Its findings, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub(crate) findings: Vec<Finding>,
    /// Its history, oldest first.
    #[schema(value_type = Vec<TimelineShape>)]
    pub(crate) timeline: Vec<TimelineItem>,
    /// Detected, contained, eradicated, recovered: when.
    pub(crate) milestones: Milestones,
    /// States it may lawfully move to.
    #[schema(value_type = Vec<String>)]
    pub(crate) allowed_states: Vec<IncidentState>,
}

/// Shape of an incident.
#[derive(ToSchema)]
#[allow(dead_code)] // a shape for the description only
pub(crate) struct IncidentShape {
    id: String,
    title: String,
    /// `new`, `triaged`, `contained`, `closed`, `false_alarm`.
    state: String,
    /// `low`, `medium`, `high`, `critical`.
    severity: String,
    /// TLP 2.0.
    tlp: String,
    origin: String,
    origin_name: String,
    findings: u64,
    received_share: Option<String>,
    acknowledged_by: Option<String>,
    /// Packet time.
    event_at: String,
    recorded_at: String,
    updated_at: String,
}

/// Shape of a line of the history.
#[derive(ToSchema)]
#[allow(dead_code)] // a shape for the description only
pub(crate) struct TimelineShape {
    kind: String,
    text: String,
    actor: String,
    link: Option<String>,
    /// Packet time.
    event_at: Option<String>,
    recorded_at: String,
}
