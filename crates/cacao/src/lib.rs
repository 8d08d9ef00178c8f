//! CACAO Security Playbooks v2.0 without a machine to run them on: read, judge, explain, compare, sign. No I/O, no clock, no randomness.
//!
//! Entry points: [`Playbook`], the document as types; [`validate`](fn@validate), which gives two answers, conformance and ability;
//! [`condition`], what condition steps ask; [`explain`](fn@explain) and [`difference`](fn@difference) for people; [`signature`].
//!
//! Invariants
//! - **Lossless.** What is not known here is kept as it came and goes out again.
//! - **Two answers.** What the standard forbids is an error; what a node cannot do is no error of the playbook.
//! - **Bounded.** Bytes, steps, variables, conditions: each has a named limit; no input makes a function panic.

pub mod condition;
pub mod course_of_action;
mod difference;
mod document;
mod explain;
#[doc(hidden)]
pub mod fuzz;
pub mod signature;
pub mod typed;
pub mod validate;
pub mod value;
pub mod variables;

pub use difference::{Change, Meaning, difference};
pub use document::{
    ACTUATOR, AgentTarget, Command, MAX_PLAYBOOK_BYTES, MAX_WORKFLOW_STEPS, Playbook, Step,
    Variable,
};
pub use explain::explain;
pub use validate::{Abilities, CommandCheck, Report, Runnable, validate, validate_bytes};
pub use value::fits;
