//! Response procedures: CACAO v2.0 playbooks, a validator, and an engine that survives a crash.
//!
//! Invariants
//! - **Recorded before done.** A step is on disk as running before its actuator is asked; the key of
//!   a command is the same on every attempt, so nothing is done twice (see `engine`).
//! - **Never pretend.** "Not enforced" is a state of its own; a run with an unhandled failure fails.
//! - **Bounded.** Steps of a run, depth, time, output, variables, conditions: each has a named limit.
//! - **A run runs one version.** Storing a newer playbook changes no run under way.
//!
//! Entry point: [`Playbooks`]; what needs no node is in the crate [`cacao`].

pub mod abilities;
pub mod actuators;
mod config;
pub mod context;
mod engine;
mod error;
mod http;
mod run;
pub mod shipped;
mod store;
mod trigger;

use std::sync::Arc;

use model::Timestamp;
use platform::Platform;
use platform::bus::Consumer;
use platform::db::{DbError, Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use platform::jobs::JobHandler;
use platform::peers::PeerDirectory;
use ports::{Actuator, Exchange, IncidentReader, IntelLookup};

pub use cacao;
pub use cacao::{
    Abilities, Change, Report, Runnable, condition, difference, explain, signature, validate,
    validate_bytes,
};
pub use config::Config;
pub use engine::{
    ASK_TIMEOUT_S, MAX_ACTIVE_RUNS, MAX_ASKS_PER_RUN, MAX_BRANCH_DEPTH, MAX_CALL_DEPTH,
    MAX_CALLED_PLAYBOOKS, MAX_COMMANDS_PER_STEP, MAX_LOOP_TURNS, MAX_OUTPUT_BYTES,
    MAX_RUN_OUTPUT_BYTES, MAX_STEPS_PER_RUN, MAX_STEPS_PER_TRANSITION, MAX_TOKENS,
};
pub use error::PlaybooksError;
pub use run::{RunState, StepState};
pub use trigger::{Trigger, TriggerOn};

use crate::actuators::console::Console;
use crate::engine::{Advance, Engine, Opened};
use crate::store::playbooks::Stored;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "playbooks",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_playbooks.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_engine.sql") },
    ],
};

/// What the room needs of others.
#[derive(Clone)]
pub struct Needs {
    /// Looks values up.
    pub intel: Arc<dyn IntelLookup>,
    /// Shares incidents.
    pub exchange: Arc<dyn Exchange>,
    /// Knows the peers.
    pub peers: Arc<dyn PeerDirectory>,
    /// Reads incidents, for runs that people start.
    pub incidents: Arc<dyn IncidentReader>,
    /// Actuators of other rooms, e.g. the gateway.
    pub actuators: Vec<Arc<dyn Actuator>>,
}

/// The room.
#[derive(Clone)]
pub struct Playbooks {
    engine: Arc<Engine>,
    incidents: Arc<dyn IncidentReader>,
    opened_at: Timestamp,
}

impl Playbooks {
    /// The room of a node.
    pub fn new(platform: Platform, config: Config, needs: Needs) -> Self {
        let mut actuators = actuators::all(&platform, needs.intel, needs.exchange, needs.peers);
        actuators.extend(needs.actuators);
        let opened_at = platform.now();
        let engine = Engine::new(platform, config, actuators);
        Self { engine: Arc::new(engine), incidents: needs.incidents, opened_at }
    }

    /// Installs the playbooks that come with the program, or their newer versions. Call it once
    /// before the bus starts, so that the first incident finds them.
    ///
    /// # Errors
    /// They cannot be stored.
    pub async fn install(&self) -> Result<(), PlaybooksError> {
        if !self.engine.config.install_shipped {
            return Ok(());
        }
        for shipped in shipped::all() {
            let playbook = cacao::Playbook::parse(shipped.body).map_err(|cause| {
                PlaybooksError::invalid(format!("a shipped playbook cannot be read: {cause}"))
            })?;
            let body = shipped.body.to_owned();
            let mut stored = Stored::unsaved(&playbook, body, self.platform().now());
            stored.trigger = Some(shipped.trigger);
            let done: Result<_, DbError> = self
                .platform()
                .db
                .write(move |tx| Box::pin(async move { store::playbooks::put(tx, &stored).await }))
                .await;
            done?;
        }
        Ok(())
    }

    /// Starts playbooks when incidents are opened.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Opened {
            engine: Arc::clone(&self.engine),
            incidents: Arc::clone(&self.incidents),
        })]
    }

    /// Drives runs until the node stops.
    pub fn start(&self) {
        let engine = Arc::clone(&self.engine);
        self.platform().tasks.spawn("runs", engine.schedule());
    }

    /// Durable jobs: those that an earlier version left.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(Advance)]
    }

    /// Tells people on the console; for other rooms.
    pub fn notifier(&self) -> Arc<dyn ports::Notifier> {
        Arc::new(Console(self.platform().clone()))
    }

    /// What this node carries out.
    pub fn abilities(&self) -> &Abilities {
        &self.engine.abilities
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        let read = Permission("playbooks.read");
        let run = Permission("playbooks.run");
        let write = Permission("playbooks.write");
        RoomRouter::<Self>::default()
            .route(read, utoipa_axum::routes!(http::playbooks::playbooks))
            .route(read, utoipa_axum::routes!(http::playbook::playbook))
            .route(write, utoipa_axum::routes!(http::store::store))
            .route(write, utoipa_axum::routes!(http::trigger::trigger))
            .route(read, utoipa_axum::routes!(http::validate::check))
            .route(read, utoipa_axum::routes!(http::runs::runs))
            .route(read, utoipa_axum::routes!(http::run::run))
            .route(run, utoipa_axum::routes!(http::start::start))
            .route(run, utoipa_axum::routes!(http::cancel::cancel))
            .route(run, utoipa_axum::routes!(http::pause::pause))
            .route(run, utoipa_axum::routes!(http::pause::resume))
            .route(run, utoipa_axum::routes!(http::retry::retry))
            .route(run, utoipa_axum::routes!(http::answer::answer))
            .route(run, utoipa_axum::routes!(http::settle::settle))
            .route(read, utoipa_axum::routes!(http::notices::notices))
            .merge(http::soarca::router())
            .with_state(self.clone())
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let counts = async {
            let mut connection = self.platform().db.read().await?;
            let open = store::runs::open(&mut connection).await?;
            Ok::<_, DbError>((store::playbooks::count(&mut connection).await?, open))
        };
        vec![match counts.await {
            Ok((playbooks, (open, waiting))) => Component::ok(
                "playbooks",
                format!(
                    "{playbooks} playbooks; {open} runs under way, {waiting} wait for a person"
                ),
            ),
            Err(error) => Component::not_ok(
                "playbooks",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        }]
    }

    fn platform(&self) -> &Platform {
        &self.engine.platform
    }
}
