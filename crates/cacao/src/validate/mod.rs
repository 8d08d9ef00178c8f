//! Two answers about a playbook: does it conform to CACAO v2.0, and can this node run it?
//!
//! `shape` holds what the standard's schema says (types, required properties, forms), `flow` what a
//! schema cannot say (targets that are missing, steps nothing leads to, loops that never end,
//! variables and agents that are nowhere defined), `ability` what this node carries out.

mod ability;
mod flow;
mod graph;
mod names;
mod shape;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use ability::{Abilities, CommandCheck};

use crate::{MAX_PLAYBOOK_BYTES, Playbook};

/// Most problems listed; further ones are counted in the last line.
const MAX_PROBLEMS: usize = 200;

/// What validation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlaybookReport)]
pub struct Report {
    /// Conformant: there is no error.
    pub valid: bool,
    /// What the standard forbids; one sentence each, with the place.
    pub errors: Vec<String>,
    /// What the standard advises against, or what is probably a mistake.
    pub warnings: Vec<String>,
    /// Whether this node can run it.
    pub runnable: Runnable,
}

/// Whether this node can run a playbook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlaybookRunnable)]
pub struct Runnable {
    /// It can.
    pub ok: bool,
    /// What is missing, one sentence each.
    pub missing: Vec<String>,
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    pub(crate) fn error(&mut self, place: &str, text: impl std::fmt::Display) {
        self.errors.push(format!("{}: {text}", shown(place)));
    }
    pub(crate) fn warning(&mut self, place: &str, text: impl std::fmt::Display) {
        self.warnings.push(format!("{}: {text}", shown(place)));
    }
}

/// Whether this is a type of variables of the standard (§10.18.4).
fn is_standard_type(kind: &str) -> bool {
    shape::is_variable_type(kind)
}

fn shown(place: &str) -> &str {
    if place.is_empty() { "/" } else { place }
}

/// Validates bytes from outside. Never panics; depth is bounded by the JSON reader (128 levels).
pub fn validate_bytes(bytes: &[u8], abilities: &Abilities) -> Report {
    if bytes.len() > MAX_PLAYBOOK_BYTES {
        return refused(format!(
            "/: {} bytes; a playbook has at most {MAX_PLAYBOOK_BYTES} bytes",
            bytes.len()
        ));
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => validate(&value, abilities),
        Err(cause) => refused(format!("/: not JSON: {cause}")),
    }
}

fn refused(error: String) -> Report {
    let missing = vec!["it is no valid playbook".to_owned()];
    Report { errors: vec![error], runnable: Runnable { ok: false, missing }, ..Report::default() }
}

/// Validates a playbook.
pub fn validate(value: &Value, abilities: &Abilities) -> Report {
    let mut found = Findings::default();
    shape::check(value, &mut found);
    let mut missing = Vec::new();
    if found.errors.is_empty() {
        match serde_json::from_value::<Playbook>(value.clone()) {
            Ok(playbook) => {
                flow::check(&playbook, &mut found);
                missing = abilities.missing(&playbook);
            }
            Err(cause) => found.error("", format!("cannot be read as a playbook: {cause}")),
        }
    }
    let valid = found.errors.is_empty();
    if !valid {
        missing.insert(0, "it is no valid playbook".to_owned());
    }
    Report {
        valid,
        errors: bounded(found.errors),
        warnings: bounded(found.warnings),
        runnable: Runnable { ok: missing.is_empty(), missing: bounded(missing) },
    }
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let total = lines.len();
    if total > MAX_PROBLEMS {
        lines.truncate(MAX_PROBLEMS);
        lines.push(format!("… and {} more", total - MAX_PROBLEMS));
    }
    lines
}
