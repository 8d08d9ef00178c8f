//! Runs `analytics` over streams and files: learns what is normal for a device, scores every window
//! after that, and raises findings.
//!
//! Invariants
//! - A batch of windows takes effect exactly once per `(edge, epoch, seq)`: its cursor, its windows,
//!   scores, findings and facts are one transaction, and the answer comes after the commit.
//! - No window is lost: those that come while a model is fitted wait in the database; what cannot be
//!   read or belongs to no watched device is counted.
//! - No device is silently unprotected: each has a state, and a reason where it is not watched.
//! - Only packet time decides; wall time only spaces out what people are told.
//!
//! Entry points: [`Detection`] ([`ports::WindowSink`]), [`Detection::router`], [`Detection::jobs`];
//! without a node: [`offline`].

mod config;
mod context;
mod engine;
mod error;
mod finding;
mod fit;
mod http;
mod intake;
mod judge;
mod news;
pub mod offline;
mod plan;
mod sink;
mod stage;
mod state;
mod store;
mod worker;

use std::sync::Arc;

use platform::Platform;
use platform::db::{Migration, RoomMigrations};
use platform::http::{Permission, RoomRouter};
use platform::jobs::JobHandler;
use ports::AssetDirectory;
use tokio::sync::Mutex;

pub use config::Config;
pub use error::DetectionError;
pub use intake::MAX_BATCH_WINDOWS;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "detection",
    steps: &[Migration { number: 1, sql: include_str!("../migrations/0001_detection.sql") }],
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
        RoomRouter::<Self>::default()
            .route(read, utoipa_axum::routes!(http::devices::devices))
            .route(read, utoipa_axum::routes!(http::scores::scores))
            .route(read, utoipa_axum::routes!(http::findings::findings))
            .route(read, utoipa_axum::routes!(http::finding::finding))
            .route(Permission("detection.write"), utoipa_axum::routes!(http::relearn::relearn))
            .with_state(self.clone())
    }

    /// The room's durable work.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(fit::Fitter(self.clone()))]
    }
}
