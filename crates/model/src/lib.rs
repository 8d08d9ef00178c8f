//! The words of the loop as plain types: sense → detect → decide → act → share → prove.
//!
//! Invariants: no I/O, no clock, no randomness (both are handed in); a value that exists is valid;
//! packet time and wall time never mix (`event_at` is when it happened on the wire, `recorded_at`
//! when this node learned of it).

pub mod action;
pub mod device;
pub mod event;
pub mod finding;
pub mod id;
pub mod incident;
pub mod share;
pub mod time;
pub mod tlp;

pub use action::{BlockTarget, Outcome};
pub use device::{Device, DeviceRole, WatchState};
pub use finding::{AttackKind, Evidence, Finding, FindingGroup, Reason, Technique};
pub use id::*;
pub use incident::{Incident, IncidentReport, IncidentState, TimelineItem};
pub use share::{ShareDecision, ShareState};
pub use time::Timestamp;
pub use tlp::{Severity, Tlp};
