//! The engine: a durable state machine over runs.
//!
//! Every transition is one transaction and is on disk before its effect; what is recorded is what
//! will be asked. A command carries the key `RUN/POSITION/COMMAND`, the same on every attempt and
//! after every restart, and actuators carry a key out once. So a node that dies
//! - before the transaction: has done nothing, and does the same again;
//! - after it, before or during the command: asks again under the same key;
//! - after the command, before its outcome is recorded: asks again and gets the same outcome.
//!
//! One job of the platform (`playbooks.advance`) drives a run until it rests: at its end, at a
//! person, or at a pause between two attempts.

mod flow;
mod job;
mod people;
mod start;
mod work;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use model::RunId;
use platform::Platform;
use ports::Actuator;

pub(crate) use job::Advance;
pub(crate) use start::Opened;

use crate::abilities;
use crate::config::Config;
use crate::validate::Abilities;

/// Kind of the job that drives a run.
pub(crate) const ADVANCE: &str = "playbooks.advance";
/// Steps one run may take; a loop that does not end is stopped here.
pub const MAX_STEPS_PER_RUN: i64 = 1_000;
/// Branches inside branches.
pub const MAX_BRANCH_DEPTH: usize = 64;
/// Commands of one step, times their targets.
pub const MAX_COMMANDS_PER_STEP: usize = 64;
/// How long one attempt of a command may take, seconds.
pub const ASK_TIMEOUT_S: u64 = 30;
/// Attempts when an actuator fails inside; when it is merely away the step's time is the limit.
pub(crate) const MAX_INTERNAL_ATTEMPTS: i64 = 5;
/// The longest pause between two attempts, milliseconds.
pub(crate) const MAX_PAUSE_MS: i64 = 5_000;
/// Largest outcome data kept, in bytes of JSON.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// What the engine needs.
pub(crate) struct Engine {
    pub platform: Platform,
    pub config: Config,
    pub actuators: Vec<Arc<dyn Actuator>>,
    pub abilities: Abilities,
    /// Runs being driven right now: a run is driven by one job at a time.
    busy: Mutex<HashSet<RunId>>,
}

impl Engine {
    pub(crate) fn new(
        platform: Platform,
        config: Config,
        actuators: Vec<Arc<dyn Actuator>>,
    ) -> Self {
        let abilities = abilities::of(&actuators);
        Self { platform, config, actuators, abilities, busy: Mutex::default() }
    }

    fn actuator(&self, name: &str) -> Option<&Arc<dyn Actuator>> {
        self.actuators.iter().find(|actuator| actuator.name() == name)
    }

    /// Takes the run for one job; `None` while another one drives it.
    fn claim(&self, run: RunId) -> Option<Claim<'_>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        // Lazily: a claim made in vain would give the other one's back when dropped.
        busy.insert(run).then(|| Claim { engine: self, run })
    }
}

struct Claim<'a> {
    engine: &'a Engine,
    run: RunId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.engine.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run);
    }
}

/// Idempotency key of one command.
fn command_key(run: RunId, position: i64, command: i64) -> String {
    format!("{run}/{position}/{command}")
}
