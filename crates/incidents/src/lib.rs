//! The only room to open, merge and close incidents: cases with a state, findings and a timeline.
//!
//! Invariants: an incident moves only along [`model::IncidentState::may_become`]; a finding belongs
//! to one incident, and so do the findings of one group; a fact heard twice changes nothing; every change is a fact.
//!
//! Entry points: [`Incidents`] ([`ports::IncidentReader`]), [`Incidents::router`],
//! [`Incidents::consumers`].

mod actuator;
mod board;
mod config;
mod consumer;
mod desk;
mod error;
mod find;
mod grouping;
mod http;
mod listing;
mod milestones;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use model::{IncidentId, IncidentReport};
use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use ports::{IncidentReader, PortError};
use utoipa_axum::routes;

pub use config::Config;
pub use error::IncidentsError;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "incidents",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_incidents.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_groups.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_milestones.sql") },
        Migration { number: 10, sql: include_str!("../migrations/0010_workspace.sql") },
        Migration { number: 20, sql: include_str!("../migrations/0020_list.sql") },
        Migration { number: 30, sql: include_str!("../migrations/0030_find.sql") },
    ],
};

/// The desk where incidents are kept.
#[derive(Clone)]
pub struct Incidents {
    platform: Platform,
    config: Arc<Config>,
    facets: platform::lists::FacetCache,
}

impl Incidents {
    /// The desk of a node.
    pub fn new(platform: Platform, config: Config) -> Self {
        Self { platform, config: Arc::new(config), facets: platform::lists::FacetCache::default() }
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        RoomRouter::<Self>::default()
            .route(Permission("incidents.read"), routes!(http::list::list))
            .route(Permission("incidents.read"), routes!(http::list_more::fields))
            .route(Permission("incidents.read"), routes!(http::list_more::facets))
            .route(Permission("incidents.read"), routes!(http::list_more::counts))
            .route(Permission("incidents.read"), routes!(http::list_more::export))
            .route(Permission("incidents.read"), routes!(http::incident::incident))
            .route(Permission("incidents.write"), routes!(http::state::state))
            .route(Permission("incidents.write"), routes!(http::notes::note))
            .route(Permission("incidents.acknowledge"), routes!(http::acknowledge::acknowledge))
            .with_state(self.clone())
    }

    /// What the room listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(consumer::Desk::new(self.platform.clone(), Arc::clone(&self.config)))]
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let open = async {
            let mut connection = self.platform.db.read().await?;
            store::count_open(&mut connection).await
        };
        vec![match open.await {
            Ok(open) => Component::ok("incidents", format!("{open} open")),
            Err(error) => Component::not_ok(
                "incidents",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        }]
    }
}

#[async_trait]
impl IncidentReader for Incidents {
    async fn report(&self, id: IncidentId) -> Result<Option<IncidentReport>, PortError> {
        let read = async {
            let mut connection = self.platform.db.read().await?;
            store::report(&mut connection, id).await
        };
        read.await.map_err(|error| PortError::Internal(error.to_string()))
    }
}
