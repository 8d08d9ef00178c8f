//! Which response first: candidates with what they are expected to bring and to cost on this asset, and why.
//!
//! value = severity × fit × success − ½ × disruption × criticality, each between 0 and 1:
//! *severity* and *criticality* are ¼, ½, ¾ or 1 (low to critical); *fit* is 1 where the playbook is meant for a kind of
//! attack among the findings, ½ where it is meant for every kind, ⅛ where it is meant for others or for none;
//! *success* is (succeeded + 1) / (ended + 2) over its runs here (Laplace's rule), so that one without runs has ½;
//! *disruption* is the worst of its commands on the asset (see [`disruption`]). The weights are judgement, not measurement.

use model::{AttackKind, IncidentReport, Severity};
use serde::Serialize;
use utoipa::ToSchema;

use super::Level;
use crate::cacao::{ACTUATOR, Playbook};

/// How a playbook's runs ended here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlaybookHistory)]
pub(crate) struct History {
    /// Runs that reached their end.
    pub(crate) succeeded: u32,
    /// Runs that failed.
    pub(crate) failed: u32,
}

/// What a playbook would bring, from −0.5 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Worth {
    pub(crate) value: f64,
    pub(crate) reasons: Vec<String>,
}

/// How much a verb of an actuator takes from the asset: 1 cuts it off, ½ narrows it, 0 leaves it alone.
pub(crate) fn disruption(actuator: &str, verb: &str) -> f64 {
    match (actuator, verb) {
        ("gateway", "block" | "quarantine") | ("checkpoint", "restart" | "restore_before") => 1.0,
        ("gateway", "rate_limit" | "redirect" | "suspect") => 0.5,
        ("gateway" | "checkpoint" | "console" | "intel" | "exchange", _) => 0.0,
        // What others carry out may do anything: in between.
        _ => 0.5,
    }
}

fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Low => 0.25,
        Severity::Medium => 0.5,
        Severity::High => 0.75,
        Severity::Critical => 1.0,
    }
}

/// The worst command of a playbook on an asset, with its name.
fn worst(playbook: &Playbook) -> (f64, Option<String>) {
    let mut found = (0.0, None);
    for step in playbook.workflow.values() {
        let agent = step.agent.as_ref().and_then(|id| playbook.agent_definitions.get(id));
        for command in &step.commands {
            let verb = command.command.as_deref().unwrap_or_default();
            let (much, name) = match command.kind.as_str() {
                "manual" => continue,
                ACTUATOR => {
                    let actuator = agent.map_or("", |agent| agent.name.as_str());
                    (disruption(actuator, verb), format!("{actuator} {verb}"))
                }
                other => (disruption("", ""), format!("a command of the type {other}")),
            };
            if much > found.0 {
                found = (much, Some(name));
            }
        }
    }
    found
}

fn fit(meant: Option<&[AttackKind]>, report: &IncidentReport) -> (f64, String) {
    let kinds: Vec<AttackKind> = report.findings.iter().map(|finding| finding.kind).collect();
    match meant {
        Some([]) => (0.5, "it is meant for incidents of every kind".into()),
        Some(meant) => match meant.iter().find(|kind| kinds.contains(kind)) {
            Some(kind) => (1.0, format!("it is meant for this: {}", kind.words())),
            None => (0.125, "it is meant for other kinds of attack".into()),
        },
        None => (0.125, "nobody has said what it is meant for".into()),
    }
}

/// What a playbook is worth for an incident on an asset of this criticality. `meant`: the kinds of attack that its trigger
/// names, none for all; `None` where no trigger says.
pub(crate) fn worth(
    playbook: &Playbook,
    meant: Option<&[AttackKind]>,
    history: History,
    report: &IncidentReport,
    criticality: Severity,
) -> Worth {
    let (fit, fits) = fit(meant, report);
    let ended = history.succeeded + history.failed;
    let success = f64::from(history.succeeded + 1) / f64::from(ended + 2);
    let (cut, by) = worst(playbook);
    let value = weight(report.incident.severity) * fit * success - 0.5 * cut * weight(criticality);
    let past = match ended {
        0 => "it has not run here yet".to_owned(),
        _ => format!("{} of {ended} runs here succeeded", history.succeeded),
    };
    let cost = match by {
        None => "it leaves the asset alone".to_owned(),
        Some(by) => {
            let how = if cut >= 1.0 { "cuts off" } else { "may disturb" };
            format!("'{by}' {how} an asset of {} criticality", criticality.word())
        }
    };
    Worth { value, reasons: vec![fits, past, cost] }
}

/// A candidate, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponseCandidate)]
pub(crate) struct Candidate {
    /// The playbook.
    #[schema(value_type = String)]
    pub(crate) playbook: model::PlaybookId,
    /// Its name.
    pub(crate) name: String,
    /// What it would bring, less what it costs: −0.5 to 1.
    pub(crate) value: f64,
    /// Why.
    pub(crate) reasons: Vec<String>,
    /// Its runs here.
    pub(crate) history: History,
    /// How far it goes by itself for such an incident now; `null` where only people start it.
    pub(crate) level: Option<Level>,
    /// Why not further.
    pub(crate) level_reasons: Vec<String>,
    /// What is missing to run it here; such candidates come last.
    pub(crate) missing: Vec<String>,
}
