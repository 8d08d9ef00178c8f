//! Runs `analytics` over streams and files: learns what is normal for a device, scores every window
//! after that, and raises findings.
//!
//! Invariants
//! - A batch of windows takes effect exactly once per `(edge, epoch, seq)`: its cursor, its windows,
//!   scores, findings and facts are one transaction, and the answer comes after the commit.
//! - No window is lost: those that come while a model is fitted wait in the database; what cannot be
//!   read or belongs to no watched device is counted.
//! - No device is silently unprotected: each has a state, and a reason where it is not watched.
//! - A model is used only when it is what this node signed; otherwise the newest earlier version that
//!   is takes its place, and health says so.
//! - Nothing is learned during an alert, an open incident, after a jump, or while somebody may be
//!   teaching; what people call normal is honoured, counted, and can be taken back.
//! - Only packet time decides; wall time only spaces out what people are told.
//!
//! Entry points: [`Detection`] ([`ports::WindowSink`]), [`Detection::router`], [`Detection::jobs`];
//! without a node: [`offline`].

mod board;
mod capture;
mod config;
mod context;
mod engine;
mod error;
mod feedback;
mod find;
mod finding;
mod fit;
mod fresh;
mod groups;
mod http;
mod intake;
mod judge;
mod laws;
mod listen;
mod listing;
mod machines;
mod memory;
mod news;
pub mod offline;
mod plan;
mod prior;
mod protection;
mod refit;
mod registry;
mod sink;
mod stage;
mod state;
mod store;
mod suppress;
mod versions;
mod watching;
mod worker;

use std::sync::Arc;

use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::http::{Permission, RoomRouter};
use platform::jobs::JobHandler;
use ports::AssetDirectory;
use tokio::sync::Mutex;

pub use capture::{MAX_SLICE_BYTES, MAX_SLICE_PACKETS, Slice, SliceRequest, slice};
pub use config::Config;
pub use error::DetectionError;
pub use intake::MAX_BATCH_WINDOWS;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "detection",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_detection.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_learning.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_evaluations.sql") },
        Migration { number: 4, sql: include_str!("../migrations/0004_machines.sql") },
        Migration { number: 25, sql: include_str!("../migrations/0025_list.sql") },
        Migration { number: 30, sql: include_str!("../migrations/0030_find.sql") },
    ],
};

/// The detection room.
#[derive(Clone)]
pub struct Detection {
    inner: Arc<Inner>,
}

struct Inner {
    platform: Platform,
    assets: Arc<dyn AssetDirectory>,
    config: Config,
    engine: Mutex<engine::Engine>,
    /// Held while a model is fitted: one at a time leaves a core for everything else.
    fitting: Mutex<()>,
    news: news::Newsboard,
    facets: platform::lists::FacetCache,
}

impl Detection {
    /// The room of a node.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn new(
        platform: Platform,
        assets: Arc<dyn AssetDirectory>,
        config: Config,
    ) -> Result<Self, DetectionError> {
        config.check().map_err(DetectionError::Config)?;
        let inner = Inner {
            platform,
            assets,
            config,
            engine: Mutex::default(),
            fitting: Mutex::default(),
            news: news::Newsboard::default(),
            facets: platform::lists::FacetCache::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Starts what runs in the background: live news and findings that wait to be told.
    pub fn start(&self) {
        self.inner.platform.tasks.spawn("detection", worker::run(self.clone()));
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        let read = Permission("detection.read");
        let models = Permission("detection.models");
        let feedback = Permission("detection.feedback");
        let write = Permission("detection.write");
        RoomRouter::<Self>::default()
            .route(read, utoipa_axum::routes!(http::devices::devices))
            .route(read, utoipa_axum::routes!(http::scores::scores))
            .route(read, utoipa_axum::routes!(http::findings::findings))
            .route(read, utoipa_axum::routes!(http::findings_more::fields))
            .route(read, utoipa_axum::routes!(http::findings_more::facets))
            .route(read, utoipa_axum::routes!(http::findings_more::export))
            .route(read, utoipa_axum::routes!(http::finding::finding))
            .route(read, utoipa_axum::routes!(http::models::models))
            .route(read, utoipa_axum::routes!(http::model_compare::compare))
            .route(read, utoipa_axum::routes!(http::groups::groups))
            .route(read, utoipa_axum::routes!(http::suppressions::suppressions))
            .route(read, utoipa_axum::routes!(http::capture::capture))
            .route(read, utoipa_axum::routes!(http::evaluations::evaluations))
            .route(read, utoipa_axum::routes!(http::evaluation::evaluation))
            .route(read, utoipa_axum::routes!(http::evaluation_page::evaluation_page))
            .route(read, utoipa_axum::routes!(http::machines::machines))
            .route(read, utoipa_axum::routes!(http::machine_text::text))
            .route(read, utoipa_axum::routes!(http::machine_versions::versions))
            .route(read, utoipa_axum::routes!(http::laws::laws))
            .route(read, utoipa_axum::routes!(http::law_model::law))
            .route(models, utoipa_axum::routes!(http::law_change::activate_law))
            .route(models, utoipa_axum::routes!(http::machine_text::check_text))
            .route(models, utoipa_axum::routes!(http::machine_change::activate_machine))
            .route(models, utoipa_axum::routes!(http::machine_change::learn_finding))
            .route(models, utoipa_axum::routes!(http::model_activate::activate))
            .route(models, utoipa_axum::routes!(http::learning::learning))
            .route(feedback, utoipa_axum::routes!(http::feedback::feedback))
            .route(feedback, utoipa_axum::routes!(http::suppression_add::add))
            .route(feedback, utoipa_axum::routes!(http::suppression_revoke::revoke))
            .route(feedback, utoipa_axum::routes!(http::capture::put_capture))
            .route(write, utoipa_axum::routes!(http::relearn::relearn))
            .route(write, utoipa_axum::routes!(http::machine_text::put_text))
            .route(write, utoipa_axum::routes!(http::machine_change::relearn_machine))
            .route(write, utoipa_axum::routes!(http::law_change::relearn_law))
            .route(write, utoipa_axum::routes!(http::evaluation_add::keep))
            .with_state(self.clone())
    }

    /// The room's durable work.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![
            Arc::new(fit::Fitter(self.clone())),
            Arc::new(refit::Refitter(self.clone())),
            Arc::new(prior::Lender(self.clone())),
            Arc::new(machines::train::Trainer(self.clone())),
            Arc::new(laws::train::LawTrainer(self.clone())),
        ]
    }

    /// What the room listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(listen::Ear)]
    }
}
