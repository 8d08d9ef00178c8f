//! Recovery: services restarted from before an infection, and blocks that lift by themselves when a device is well again.
//!
//! Invariants
//! - **Once.** An order is on disk before its agent hears of it; the same key acts once, whatever dies in between.
//! - **Never pretend.** A block is lifted by itself only where checks are declared; silence is no sign of health; what
//!   cannot be restored is said with what is offered instead.
//! - The node touches neither processes nor the network's rules: agents (`sereno-edge checkpoint`) and gateways do.
//!
//! Entry points: [`Recovery`] ([`ports::Actuator`] `checkpoint`), [`Recovery::router`], [`Recovery::jobs`],
//! [`Recovery::consumers`].

mod actuator;
mod agents;
mod config;
mod consumer;
mod error;
mod heal;
pub mod health;
mod http;
mod orders;
mod store;

use std::sync::Arc;

use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::RoomRouter;
use platform::jobs::JobHandler;
use ports::recovery::FreshScore;
use ports::{Actuator, IncidentReader, Notifier};
use tokio::sync::Notify;

pub use agents::TOKEN_FILE;
pub use config::{Config, WithoutChecks};
pub use error::RecoveryError;

use crate::agents::Agents;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "recovery",
    steps: &[Migration { number: 1, sql: include_str!("../migrations/0001_recovery.sql") }],
};

/// What the room needs of others.
#[derive(Clone)]
pub struct Needs {
    /// Reads incidents.
    pub incidents: Arc<dyn IncidentReader>,
    /// How detectors judge a device now.
    pub fresh: Arc<dyn FreshScore>,
    /// The actuator that blocks and releases.
    pub gateway: Arc<dyn Actuator>,
}

/// The room.
#[derive(Clone)]
pub struct Recovery {
    platform: Platform,
    config: Arc<Config>,
    agents: Arc<Agents>,
    incidents: Arc<dyn IncidentReader>,
    fresh: Arc<dyn FreshScore>,
    gateway: Arc<dyn Actuator>,
    notifier: Arc<dyn Notifier>,
    /// Wakes those who wait for an order's end.
    moved: Arc<Notify>,
}

impl Recovery {
    /// The room of a node; people are called through `notifier`.
    ///
    /// # Errors
    /// A setting that cannot work, or the data folder cannot be written.
    pub fn open(
        platform: &Platform,
        config: Config,
        needs: Needs,
        notifier: Arc<dyn Notifier>,
    ) -> Result<Self, RecoveryError> {
        config.check().map_err(RecoveryError::Config)?;
        Ok(Self {
            agents: Arc::new(Agents::open(platform)?),
            platform: platform.clone(),
            config: Arc::new(config),
            incidents: needs.incidents,
            fresh: needs.fresh,
            gateway: needs.gateway,
            notifier,
            moved: Arc::default(),
        })
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// What the room listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(consumer::Contained(self.clone()))]
    }

    /// The room's durable work.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(orders::Orders(self.clone())), Arc::new(heal::Cases(self.clone()))]
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let open = async {
            let mut sql = self.platform.db.read().await?;
            store::count_orders(&mut sql).await
        };
        let open = match open.await {
            Ok(open) => open,
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                let cause = error.to_string();
                return vec![Component::not_ok("recovery", Health::Failed, cause, remedy)];
            }
        };
        let agents = self.agents.list().await;
        if agents.is_empty() {
            return vec![Component::not_ok(
                "checkpoints",
                Health::Absent,
                "no checkpoint agent runs on this machine",
                "Declare what shall be protected and start one: docs/recovery.md.",
            )];
        }
        let known = agents.into_iter().map(|(name, listing)| {
            let title = format!("checkpoints {name}");
            let again = "Start it again: `sereno-edge checkpoint run`.";
            match listing {
                Err(cause) => Component::not_ok(&title, Health::Degraded, cause, again),
                Ok(listing) => match listing.rollback {
                    Some(rollback) => Component::not_ok(
                        &title,
                        Health::Failed,
                        rollback,
                        "Find out who put the store back; docs/recovery.md, \"A store that was put back\".",
                    ),
                    None => Component::ok(
                        &title,
                        format!("{} services, {open} orders under way; counter: {}", listing.services.len(), listing.counter),
                    ),
                },
            }
        });
        known.collect()
    }
}
