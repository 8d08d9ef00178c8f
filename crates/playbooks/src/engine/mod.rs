//! The engine: a durable state machine over runs.
//!
//! Every transition is one transaction and is on disk before its effect; what is recorded is what
//! will be asked. A command carries the key `RUN/POSITION/COMMAND`, the same on every attempt and
//! after every restart, and actuators carry a key out once. So a node that dies
//! - before the transaction: has done nothing, and does the same again;
//! - after it, before or during the command: asks again under the same key;
//! - after the command, before its outcome is recorded: asks again and gets the same outcome.
//!
//! Where an actuator cannot promise that ([`ports::Repeat::AskPerson`]), the command is written down
//! as asked before it is asked, and one that was asked and of which nothing is known becomes
//! *unsure*: a person says whether it was done.
//!
//! The parts: `tree` (where a run stands), `machine` with `begin`, `finish`, `time` (transitions, a
//! pure function), `record` and `together` (transitions and the database), `drive` (one run and its actuators),
//! `schedule` (which runs are driven, when), `start`, `people`, `retry`.

mod begin;
mod book;
mod drive;
mod finish;
#[cfg(test)]
mod laws;
mod machine;
mod people;
mod record;
mod retry;
mod schedule;
mod shape;
mod start;
mod time;
mod together;
mod tree;
mod work;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::RunId;
use platform::Platform;
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::{Actuator, AssetDirectory};

pub(crate) use book::{Book, Texts};
pub(crate) use people::{Answered, Settled, Wanted};
pub(crate) use start::{Opened, Order, start};
pub(crate) use tree::Tree;

use crate::abilities;
use crate::config::Config;
use crate::validate::Abilities;

/// Steps one run may take; what does not end is stopped here.
pub const MAX_STEPS_PER_RUN: i64 = 2_000;
/// Steps entered in one transaction: a long loop does not hold the writer.
pub const MAX_STEPS_PER_TRANSITION: usize = 200;
/// Turns of one loop.
pub const MAX_LOOP_TURNS: u32 = 1_000;
/// Branches inside branches, with loops and playbooks called.
pub const MAX_BRANCH_DEPTH: usize = 64;
/// Branches of one run under way at the same time.
pub const MAX_TOKENS: usize = 256;
/// Playbooks inside playbooks.
pub const MAX_CALL_DEPTH: usize = 8;
/// Different playbooks that one run may call.
pub const MAX_CALLED_PLAYBOOKS: usize = 32;
/// Commands of one step, times their targets.
pub const MAX_COMMANDS_PER_STEP: usize = 64;
/// Commands of one run carried out at the same time.
pub const MAX_ASKS_PER_RUN: usize = 32;
/// Runs driven at the same time; others wait their turn.
pub const MAX_ACTIVE_RUNS: usize = 256;
/// How long one attempt of a command may take, seconds.
pub const ASK_TIMEOUT_S: u64 = 30;
/// Attempts when an actuator fails inside; when it is merely away the step's time is the limit.
pub(crate) const MAX_INTERNAL_ATTEMPTS: i64 = 5;
/// The longest pause between two attempts, milliseconds.
pub(crate) const MAX_PAUSE_MS: i64 = 5_000;
/// How long before its step's end the last attempt of a command begins, milliseconds.
pub(crate) const LAST_TRY_MS: i64 = 100;
/// The longest sleep of the scheduler, seconds: a clock that jumps is noticed within it.
pub(crate) const MAX_SLEEP_S: u64 = 60;
/// Largest outcome data kept, in bytes of JSON.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// Largest outcome data of all steps of a run together, in bytes of JSON.
pub const MAX_RUN_OUTPUT_BYTES: usize = 8 << 20;
/// Playbooks kept in memory for the runs that execute them.
pub(crate) const MAX_BOOKS_KEPT: usize = 64;

/// Kind of the jobs that drove runs in an earlier version.
const ADVANCE: &str = "playbooks.advance";

/// What the engine needs.
pub(crate) struct Engine {
    pub platform: Platform,
    pub config: Config,
    pub actuators: Vec<Arc<dyn Actuator>>,
    pub abilities: Abilities,
    pub assets: Arc<dyn AssetDirectory>,
    bell: schedule::Bell,
    /// Runs being driven right now: a run is driven by one task at a time.
    active: Mutex<HashMap<RunId, Arc<schedule::Active>>>,
    books: Mutex<HashMap<String, Arc<Book>>>,
    together: together::Together,
}

impl Engine {
    pub(crate) fn new(
        platform: Platform,
        config: Config,
        actuators: Vec<Arc<dyn Actuator>>,
        assets: Arc<dyn AssetDirectory>,
    ) -> Self {
        let abilities = abilities::of(&actuators, &config.actuators);
        Self {
            platform,
            config,
            actuators,
            abilities,
            assets,
            bell: schedule::Bell::default(),
            active: Mutex::default(),
            books: Mutex::default(),
            together: together::Together::default(),
        }
    }

    fn actuator(&self, name: &str) -> Option<&Arc<dyn Actuator>> {
        self.actuators.iter().find(|actuator| actuator.name() == name)
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Idempotency key of one command.
fn command_key(run: RunId, position: i64, command: i64) -> String {
    format!("{run}/{position}/{command}")
}

/// Ends jobs that an earlier version left: the run says itself when it has to be looked at.
pub(crate) struct Advance;

#[async_trait]
impl JobHandler for Advance {
    fn kind(&self) -> &'static str {
        ADVANCE
    }
    async fn run(&self, _: &Job) -> JobEnd {
        JobEnd::Done
    }
}
