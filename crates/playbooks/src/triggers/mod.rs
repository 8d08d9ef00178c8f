//! When a playbook starts by itself. Kept beside the playbook: CACAO does not say who calls.
//!
//! A playbook has up to [`MAX_TRIGGERS`] triggers. All of them go through the policy of automation (`launch`), and what they
//! start is marked as started by nobody. Every start has a key made of what caused it, so that the same cause starts once,
//! whatever dies in between.
//!
//! Invariants
//! - **Bounded.** A playbook starts by itself [`MAX_STARTS_PER_HOUR`] times an hour at most, whatever its triggers say: a
//!   run whose own effects cause the next one does not go on for ever. What is held back is counted and shown.
//! - **What was true before a trigger was made is none of its business.**
//! - **What others said under a label binds the run**: who does not see that far sees nothing of it.

mod check;
pub(crate) mod clock;
pub(crate) mod findings;
pub(crate) mod hook;
pub(crate) mod launch;
pub(crate) mod news;
pub(crate) mod scheduled;
mod schema;
mod words;

use std::collections::BTreeMap;

use model::{AttackKind, DeviceId, IncidentReport, Severity, Tlp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::automation::Level;

/// Triggers of one playbook.
pub const MAX_TRIGGERS: usize = 8;
/// How often a playbook starts by itself within an hour.
pub const MAX_STARTS_PER_HOUR: i64 = 120;
/// Entries of each list of a trigger.
pub const MAX_ENTRIES: usize = 100;
/// Longest text of a trigger, in characters.
pub const MAX_TEXT_CHARS: usize = 300;
/// The longest cool-down, seconds: a week.
pub const MAX_COOLDOWN_S: u32 = 7 * 86_400;
/// The shortest time between two moments of a schedule, seconds.
pub const MIN_EVERY_S: u32 = 60;
/// The longest time between two moments of a schedule, seconds.
pub const MAX_EVERY_S: u32 = 31 * 86_400;
/// The longest time that intelligence is gathered for one run, seconds.
pub const MAX_GATHER_S: u32 = 3_600;
/// Objects that one run is told of; the rest is counted.
pub const MAX_GATHERED: usize = 100;
/// Fields of a call that a webhook maps to variables.
pub const MAX_FIELDS: usize = 50;

/// Starts a playbook when something happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on")]
pub enum Trigger {
    /// An incident of our own was opened, or became severe enough later.
    #[serde(rename = "incidents.opened")]
    Incident(OnIncident),
    /// Another organisation shared an incident with us.
    #[serde(rename = "incidents.received")]
    Received(OnReceived),
    /// A detector raised a finding.
    #[serde(rename = "findings.raised")]
    Finding(OnFinding),
    /// New intelligence became known here.
    #[serde(rename = "intel.new")]
    News(OnNews),
    /// A value met here is known to intelligence.
    #[serde(rename = "intel.hit")]
    Hit(OnHit),
    /// A time has come.
    #[serde(rename = "schedule")]
    Schedule(OnSchedule),
    /// Somebody outside called its address.
    #[serde(rename = "webhook")]
    Webhook(OnWebhook),
}

/// An incident of our own was opened, or became severe enough later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerIncident)]
pub struct OnIncident {
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

/// Another organisation shared an incident with us; once, when it first arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerReceived)]
pub struct OnReceived {
    /// Least severity.
    #[schema(value_type = String)]
    pub min_severity: Severity,
    /// Kinds of attack among the findings; empty means any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub kinds: Vec<AttackKind>,
    /// Names of the organisations that opened it; empty means any.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The strictest label it reads; the incident's own binds the run.
    #[serde(default = "amber")]
    #[schema(value_type = String)]
    pub tlp: Tlp,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// A detector raised a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerFinding)]
pub struct OnFinding {
    /// Least severity.
    #[schema(value_type = String)]
    pub min_severity: Severity,
    /// Kinds of attack; empty means any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub kinds: Vec<AttackKind>,
    /// Least criticality of the device; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub min_criticality: Option<Severity>,
    /// Ids of devices; empty means any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub devices: Vec<DeviceId>,
    /// Groups of devices: where they stand, as the inventory has it; empty means anywhere.
    #[serde(default)]
    pub places: Vec<String>,
    /// Groups of devices: what they are, as the inventory is sure of (`camera`, `plc` …); empty means any.
    #[serde(default)]
    pub device_types: Vec<String>,
    /// Only when intelligence that everybody here may read (TLP:GREEN) knows a remote address of the evidence.
    #[serde(default)]
    pub known: bool,
    /// After a start, how long findings of the same device start nothing, seconds; 0: each starts.
    #[serde(default = "hour")]
    pub cooldown_s: u32,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// New intelligence became known here. What this node says itself is none, and neither are newer versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerNews)]
pub struct OnNews {
    /// STIX types; empty means any.
    #[serde(default)]
    pub types: Vec<String>,
    /// One of these must be among the labels; empty means any.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Least confidence, 0 to 100; what says none does not reach it. Any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<u8>,
    /// Names or keys of sources; empty means any.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The strictest label it reads; runs are bound by the strictest among what they are told.
    #[serde(default = "amber")]
    #[schema(value_type = String)]
    pub tlp: Tlp,
    /// From the first match on, how long more is gathered into the same run, seconds.
    #[serde(default = "ten")]
    pub gather_s: u32,
    /// After a start, how long what matches is gathered for the next one, seconds.
    #[serde(default = "quarter")]
    pub cooldown_s: u32,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// A value that the node's own work met is known to intelligence (what TLP:GREEN lets everybody here read).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerHit)]
pub struct OnHit {
    /// Names of sources, one of which must know it; empty means any.
    #[serde(default)]
    pub sources: Vec<String>,
    /// After a start, how long the same value starts nothing, seconds.
    #[serde(default = "hour")]
    pub cooldown_s: u32,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// A time has come: every so often, or at a time of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerSchedule)]
pub struct OnSchedule {
    /// Every so many seconds, counted from 1970-01-01T00:00:00Z: 3600 is on the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<u32>,
    /// At `HH:MM`, instead of `every_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// On these days of the week, with `at`; empty means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Minutes by which the clock of `at` and `days` is ahead of UTC.
    #[serde(default)]
    pub zone_minutes: i16,
    /// What becomes of moments that passed while the node was down.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Start also while the last run of this trigger is under way.
    #[serde(default)]
    pub overlap: bool,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Weekday)]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// What becomes of moments that passed while the node was down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// One start for all of them.
    #[default]
    Once,
    /// None.
    Skip,
}

/// Somebody outside called `POST /api/v1/hooks/ID` with the secret of this trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaybookTriggerWebhook)]
pub struct OnWebhook {
    /// Fields of the JSON body by name, or by JSON pointer (RFC 6901, `/a/b`), each with the external variable that gets its
    /// value.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Only calls signed as Standard Webhooks says are taken; the bare secret is not.
    #[serde(default)]
    pub signed: bool,
    /// How far it goes by itself at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

const fn hour() -> u32 {
    3_600
}

const fn quarter() -> u32 {
    900
}

const fn ten() -> u32 {
    10
}

const fn amber() -> Tlp {
    Tlp::Amber
}

impl Trigger {
    /// Every incident of our own from this severity on.
    #[must_use]
    pub const fn from_severity(min_severity: Severity) -> Self {
        Self::Incident(OnIncident { min_severity, kinds: Vec::new(), level: None })
    }

    /// The word in `on`.
    #[must_use]
    pub const fn on(&self) -> &'static str {
        match self {
            Self::Incident(_) => "incidents.opened",
            Self::Received(_) => "incidents.received",
            Self::Finding(_) => "findings.raised",
            Self::News(_) => "intel.new",
            Self::Hit(_) => "intel.hit",
            Self::Schedule(_) => "schedule",
            Self::Webhook(_) => "webhook",
        }
    }

    /// How far it goes by itself at most.
    pub(crate) const fn level(&self) -> Option<Level> {
        match self {
            Self::Incident(it) => it.level,
            Self::Received(it) => it.level,
            Self::Finding(it) => it.level,
            Self::News(it) => it.level,
            Self::Hit(it) => it.level,
            Self::Schedule(it) => it.level,
            Self::Webhook(it) => it.level,
        }
    }

    /// What incidents of others it is for.
    pub(crate) const fn received(&self) -> Option<&OnReceived> {
        match self {
            Self::Received(it) => Some(it),
            _ => None,
        }
    }

    /// What incidents it is for.
    pub(crate) const fn incident(&self) -> Option<&OnIncident> {
        match self {
            Self::Incident(it) => Some(it),
            _ => None,
        }
    }

    /// The strictest label of what it reads, where that is the word of others.
    pub(crate) const fn reads(&self) -> Option<Tlp> {
        match self {
            Self::News(it) => Some(it.tlp),
            Self::Received(it) => Some(it.tlp),
            _ => None,
        }
    }
}

impl OnIncident {
    /// True when this incident starts the playbook.
    pub(crate) fn matches(&self, report: &IncidentReport) -> bool {
        report.incident.severity >= self.min_severity && any_of(&self.kinds, report)
    }
}

impl OnReceived {
    /// True when this incident starts the playbook.
    pub(crate) fn matches(&self, report: &IncidentReport) -> bool {
        let incident = &report.incident;
        incident.severity >= self.min_severity
            && incident.tlp <= self.tlp
            && (self.origins.is_empty() || self.origins.contains(&incident.origin_name))
            && any_of(&self.kinds, report)
    }
}

/// Whether a finding is of one of these kinds; none given: any.
fn any_of(kinds: &[AttackKind], report: &IncidentReport) -> bool {
    kinds.is_empty() || report.findings.iter().any(|finding| kinds.contains(&finding.kind))
}
