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
mod approvals;
mod automation;
mod board;
mod commands;
mod config;
pub mod context;
mod engine;
mod error;
pub mod find;
mod http;
mod retention;
mod run;
pub mod secrets;
pub mod shipped;
mod store;
mod triggers;
mod trust;

use std::sync::{Arc, OnceLock};

use model::Timestamp;
use platform::Platform;
use platform::bus::Consumer;
use platform::db::{DbError, Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use platform::jobs::JobHandler;
use platform::peers::PeerDirectory;
use platform::people::PeopleDirectory;
use ports::{Actuator, AssetDirectory, Authorizer, Exchange, IncidentReader, IntelLookup};
use tokio::sync::OnceCell;

pub use approvals::MailLinks;
pub use automation::{Automation, Level, Limit, Never, Quiet, Stopped};
pub use cacao;
pub use cacao::{
    Abilities, Change, Report, Runnable, condition, difference, explain, signature, validate,
    validate_bytes,
};
pub use config::{Config, Signatures};
pub use engine::{
    ASK_TIMEOUT_S, MAX_ACTIVE_RUNS, MAX_ASKS_PER_RUN, MAX_BRANCH_DEPTH, MAX_CALL_DEPTH,
    MAX_CALLED_PLAYBOOKS, MAX_COMMANDS_PER_STEP, MAX_LOOP_TURNS, MAX_OUTPUT_BYTES,
    MAX_RUN_OUTPUT_BYTES, MAX_STEPS_PER_RUN, MAX_STEPS_PER_TRANSITION, MAX_TOKENS,
};
pub use error::PlaybooksError;
pub use run::{RunState, StepState};
pub use triggers::hook::{MAX_CALLS_PER_MINUTE, MAX_HOOK_BODY_BYTES, MAX_ID_CHARS, TOLERANCE_S};
pub use triggers::{
    CatchUp, Day, MAX_COOLDOWN_S, MAX_ENTRIES, MAX_EVERY_S, MAX_FIELDS, MAX_GATHER_S, MAX_GATHERED,
    MAX_STARTS_PER_HOUR, MAX_TEXT_CHARS, MAX_TRIGGERS, MIN_EVERY_S, OnFinding, OnHit, OnIncident,
    OnNews, OnSchedule, OnWebhook, Trigger,
};

use crate::actuators::console::Console;
use crate::actuators::{Helpers, Outside};
use crate::approvals::Approvals;
use crate::approvals::asking::Ask;
use crate::approvals::limit::Openings;
use crate::approvals::sending::Send;
use crate::automation::due::Due;
use crate::engine::{Advance, Engine, Opened};
use crate::store::keys::Kept;
use crate::store::playbooks::{Put, Stored};
use crate::store::triggers::Kept as KeptTrigger;
use crate::triggers::findings::Raised;
use crate::triggers::hook::Calls;
use crate::triggers::news;
use crate::triggers::scheduled::Scheduled;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "playbooks",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_playbooks.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_engine.sql") },
        Migration { number: 10, sql: include_str!("../migrations/0010_secrets.sql") },
        Migration { number: 11, sql: include_str!("../migrations/0011_effects.sql") },
        Migration { number: 20, sql: include_str!("../migrations/0020_keys.sql") },
        Migration { number: 30, sql: include_str!("../migrations/0030_automation.sql") },
        Migration { number: 31, sql: include_str!("../migrations/0031_by_itself.sql") },
        Migration { number: 40, sql: include_str!("../migrations/0040_triggers.sql") },
        Migration { number: 50, sql: include_str!("../migrations/0050_approvals.sql") },
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
    /// Knows how critical a device is.
    pub assets: Arc<dyn AssetDirectory>,
    /// Knows the accounts, for questions that go out by mail.
    pub people: Arc<dyn PeopleDirectory>,
    /// Says what an account may do when it answers by a link.
    pub authorizer: Arc<dyn Authorizer>,
    /// Actuators of other rooms, e.g. the gateway.
    pub actuators: Vec<Arc<dyn Actuator>>,
}

/// The room.
#[derive(Clone)]
pub struct Playbooks {
    engine: Arc<Engine>,
    incidents: Arc<dyn IncidentReader>,
    opened_at: Timestamp,
    outside: Arc<Outside>,
    /// Calls of webhooks lately.
    calls: Arc<Calls>,
    approvals: Arc<Approvals>,
}

impl Playbooks {
    /// The room of a node.
    pub fn new(platform: Platform, config: Config, needs: Needs) -> Self {
        let outside = Outside::new(&platform, &config.actuators);
        let helpers = Helpers { intel: needs.intel, exchange: needs.exchange, peers: needs.peers };
        let mut actuators = actuators::all(&platform, &outside, helpers);
        actuators.extend(needs.actuators);
        let opened_at = platform.now();
        let around = |actuator| actuators::around::over(&platform, actuator);
        let actuators = actuators.into_iter().map(around).collect();
        let engine = Arc::new(Engine::new(platform.clone(), config, actuators, needs.assets));
        let approvals = Arc::new(Approvals {
            engine: Arc::clone(&engine),
            people: needs.people,
            authorizer: needs.authorizer,
            incidents: Arc::clone(&needs.incidents),
            outside: Arc::clone(&outside),
            url: OnceLock::new(),
            openings: Openings::default(),
            mint: OnceCell::new(),
        });
        Self {
            engine,
            incidents: needs.incidents,
            outside,
            approvals,
            opened_at,
            calls: Arc::default(),
        }
    }

    /// Installs the playbooks that come with the program, or their newer versions. Call it once
    /// before the bus starts, so that the first incident finds them.
    ///
    /// # Errors
    /// They cannot be stored, or the configuration of actuators cannot work.
    pub async fn install(&self) -> Result<(), PlaybooksError> {
        self.engine.config.actuators.check().map_err(PlaybooksError::invalid)?;
        let (least, most) = (retention::MIN_KEEP_DAYS, retention::MAX_KEEP_DAYS);
        if !(least..=most).contains(&self.engine.config.keep_days) {
            let text = format!("playbooks.keep_days must lie between {least} and {most}");
            return Err(PlaybooksError::invalid(text));
        }
        if !self.engine.config.install_shipped {
            return Ok(());
        }
        let mut any_new = false;
        for shipped in shipped::all() {
            let playbook = cacao::Playbook::parse(shipped.body).map_err(|cause| {
                PlaybooksError::invalid(format!("a shipped playbook cannot be read: {cause}"))
            })?;
            let body = shipped.body.to_owned();
            let stored = Stored::unsaved(&playbook, body, self.platform().now());
            let done: Result<Put, PlaybooksError> = self
                .platform()
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        let (id, put) = store::playbooks::put(tx, &stored).await?;
                        // A newer version keeps the triggers that people left it.
                        if let Some(trigger) = shipped.trigger.filter(|_| put == Put::New) {
                            let (new, now) = (tx.mint(), tx.now());
                            let mut kept = KeptTrigger::new(new, id, trigger, "system", now);
                            http::triggers::begin(tx, &mut kept).await?;
                        }
                        Ok(put)
                    })
                })
                .await;
            any_new |= done? == Put::New;
        }
        // Only with a playbook that is new here: whoever takes the project's key away does not get it back.
        if any_new {
            self.trust_project().await?;
        }
        Ok(())
    }

    async fn trust_project(&self) -> Result<(), PlaybooksError> {
        let (spki, key) = signature::public_spki(shipped::PROJECT_KEY.as_bytes())
            .map_err(PlaybooksError::invalid)?;
        let kept = Kept {
            fingerprint: key.fingerprint,
            name: shipped::PROJECT.to_owned(),
            spki,
            thumbprint: None,
            added_at: self.platform().now(),
            revoked_at: None,
        };
        let done: Result<bool, DbError> = self
            .platform()
            .db
            .write(move |tx| Box::pin(async move { store::keys::put(tx.sql(), &kept).await }))
            .await;
        done?;
        Ok(())
    }

    /// Starts playbooks when incidents are opened, findings raised and values known.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        let opened =
            Opened { engine: Arc::clone(&self.engine), incidents: Arc::clone(&self.incidents) };
        vec![Arc::new(opened), Arc::new(Raised(Arc::clone(&self.engine)))]
    }

    /// Says where people reach this node, for links in mails; they wait until it was said once.
    pub fn reached_at(&self, url: Option<&str>) {
        // A second word changes nothing: links that are out lead to the first.
        let _ = self.approvals.url.set(url.map(str::to_owned));
    }

    /// Takes away what is older than `keep_days`; gives how many rows. The room does so by itself every hour.
    ///
    /// # Errors
    /// The database said no.
    pub async fn sweep(&self) -> Result<u64, PlaybooksError> {
        retention::sweep(&self.engine).await
    }

    /// Drives runs, and follows what becomes known, until the node stops.
    pub fn start(&self) {
        let engine = Arc::clone(&self.engine);
        let old = Arc::clone(&self.engine);
        self.platform().tasks.spawn("runs", engine.schedule());
        self.platform().tasks.spawn("runs-old", retention::run(old));
        let engine = Arc::clone(&self.engine);
        self.platform().tasks.spawn("triggers", news::follow(engine));
    }

    /// Durable jobs: what becomes due of proposals and schedules, and what an earlier version left.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        let engine = || Arc::clone(&self.engine);
        let approvals = || Arc::clone(&self.approvals);
        vec![
            Arc::new(Advance),
            Arc::new(Due(engine())),
            Arc::new(Scheduled(engine())),
            Arc::new(Ask(approvals())),
            Arc::new(Send(approvals())),
        ]
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
            .merge(self.triggers())
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
            .route(read, utoipa_axum::routes!(http::automation::show))
            .route(write, utoipa_axum::routes!(http::automation::put))
            .route(run, utoipa_axum::routes!(http::automation::stop))
            .route(write, utoipa_axum::routes!(http::automation::resume))
            .route(read, utoipa_axum::routes!(http::proposals::list))
            .route(read, utoipa_axum::routes!(http::proposals::one))
            .route(run, utoipa_axum::routes!(http::proposals::answer))
            .route(read, utoipa_axum::routes!(http::responses::responses))
            .route(read, utoipa_axum::routes!(http::keys::keys))
            .route(write, utoipa_axum::routes!(http::key_add::add))
            .route(write, utoipa_axum::routes!(http::key_remove::remove))
            .route(write, utoipa_axum::routes!(http::key_revoke::revoke))
            .merge(http::soarca::router())
            .route(run, utoipa_axum::routes!(http::pass_on::proposal))
            .route(run, utoipa_axum::routes!(http::pass_on::step))
            .route(run, utoipa_axum::routes!(http::letters::list))
            .route(run, utoipa_axum::routes!(http::delegations::list))
            .route(run, utoipa_axum::routes!(http::delegations::make))
            .route(run, utoipa_axum::routes!(http::delegations::end))
            .route(Permission::PUBLIC, utoipa_axum::routes!(http::link::show))
            .route(Permission::PUBLIC, utoipa_axum::routes!(http::link::answer))
            .route(read, utoipa_axum::routes!(http::undo::effects))
            .route(run, utoipa_axum::routes!(http::undo::undo))
            .route(read, utoipa_axum::routes!(http::actuators::actuators))
            .route(write, utoipa_axum::routes!(http::actuator_test::test))
            .route(Permission("secrets.list"), utoipa_axum::routes!(http::secrets::secrets))
            .route(Permission("secrets.write"), utoipa_axum::routes!(http::secret_set::set))
            .route(Permission("secrets.write"), utoipa_axum::routes!(http::secret_remove::remove))
            .with_state(self.clone())
    }

    /// The routes of triggers and webhooks.
    fn triggers(&self) -> RoomRouter<Self> {
        let read = Permission("playbooks.read");
        let write = Permission("playbooks.write");
        RoomRouter::<Self>::default()
            .route(read, utoipa_axum::routes!(http::triggers::list))
            .route(write, utoipa_axum::routes!(http::triggers::add))
            .route(write, utoipa_axum::routes!(http::triggers::replace))
            .route(write, utoipa_axum::routes!(http::triggers::remove))
            .route(write, utoipa_axum::routes!(http::hook_secret::rotate))
            .route(write, utoipa_axum::routes!(http::hook_secret::revoke))
            .route(read, utoipa_axum::routes!(http::hooks::list))
            // Whoever knows the secret of a hook may call it; the endpoint looks itself.
            .route(Permission::PUBLIC, utoipa_axum::routes!(http::hooks::call))
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

    fn config(&self) -> &Config {
        &self.engine.config
    }

    fn platform(&self) -> &Platform {
        &self.engine.platform
    }
}
