//! What is happening, how sure, what to do: one read for the first page, and the figures of days.
//!
//! Invariants: everything here follows from facts or from bounded reads of ports, so that nothing is lost with these
//! tables but the time to hear the facts again; counts are bound by the labels of what they count; a room that does
//! not answer is named and the rest is told.
//!
//! Entry points: [`Situation`], [`Situation::router`], [`Situation::consumers`].

mod consumer;
mod http;
mod present;
mod store;

use std::sync::Arc;

use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::http::{Permission, RoomRouter};
use ports::situation::{IncidentBoard, OrderBoard, QuestionBoard, SiteBoard, WatchBoard};
use utoipa_axum::routes;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "situation",
    steps: &[Migration { number: 1, sql: include_str!("../migrations/0001_situation.sql") }],
};

/// The rooms asked for the present.
#[derive(Clone)]
pub struct Needs {
    /// Sites and devices.
    pub sites: Arc<dyn SiteBoard>,
    /// What is watched.
    pub watch: Arc<dyn WatchBoard>,
    /// What stands at gateways.
    pub orders: Arc<dyn OrderBoard>,
    /// What waits for people.
    pub questions: Arc<dyn QuestionBoard>,
    /// Which devices incidents are about.
    pub incidents: Arc<dyn IncidentBoard>,
}

/// The room.
#[derive(Clone)]
pub struct Situation {
    platform: Platform,
    needs: Needs,
}

impl Situation {
    /// The situation of a node.
    pub fn new(platform: Platform, needs: Needs) -> Self {
        Self { platform, needs }
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        RoomRouter::<Self>::default()
            .route(Permission("situation.read"), routes!(http::situation::situation))
            .route(Permission("situation.read"), routes!(http::figures::figures))
            .with_state(self.clone())
    }

    /// What the room listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(consumer::Counter)]
    }
}
