//! The room itself.

use std::sync::Arc;

use platform::Platform;
use platform::health::Component;
use platform::http::RoomRouter;
use platform::jobs::JobHandler;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Config;
use crate::error::KnowledgeError;
use crate::{http, import_job, ontology};

struct Inner {
    platform: Platform,
    config: Config,
    ontology: ontology::Cache,
    searches: Semaphore,
    imports: Semaphore,
    uploads: Semaphore,
    streams: http::stream::Open,
}

/// Searches that run at once: each may take a reader of the database for seconds, and other rooms read too.
const MAX_SEARCHES: usize = 4;
/// Imports that run at once: each may hold a few hundred megabytes.
const MAX_IMPORTS: usize = 2;

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

impl Knowledge {
    /// Opens the room.
    ///
    /// # Errors
    /// A setting cannot work.
    pub fn open(platform: &Platform, config: Config) -> Result<Self, KnowledgeError> {
        config.check().map_err(KnowledgeError::Config)?;
        Ok(Self(Arc::new(Inner {
            platform: platform.clone(),
            config,
            ontology: ontology::Cache::default(),
            searches: Semaphore::new(MAX_SEARCHES),
            imports: Semaphore::new(MAX_IMPORTS),
            uploads: Semaphore::new(import_job::MAX_OPEN),
            streams: http::stream::Open::default(),
        })))
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// The durable jobs.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(import_job::Importer(self.clone()))]
    }

    /// Removes what cut uploads left behind; before anything is served.
    ///
    /// # Errors
    /// The database says no.
    pub async fn sweep(&self) -> Result<(), KnowledgeError> {
        self.sweep_imports().await
    }

    /// What works and what does not, for the doctor.
    pub async fn health(&self) -> Vec<Component> {
        let held = async {
            let mut sql = self.platform().db.read().await?;
            intel::objects::counts(&mut sql, intel::Sight::ALL).await
        };
        vec![match held.await {
            Ok(counts) => {
                let sum: i64 = counts.iter().map(|(_, held)| held).sum();
                Component::ok("intelligence", format!("{sum} objects of {} types", counts.len()))
            }
            Err(error) => Component::not_ok(
                "intelligence",
                platform::health::Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        }]
    }

    /// Waits until a search may run.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.searches.acquire().await.ok()
    }

    /// Waits until an import may be opened.
    pub(crate) async fn import_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.imports.acquire().await.ok()
    }

    /// A place for a file on its way in; `None` when there are too many.
    pub(crate) fn upload_place(&self) -> Option<SemaphorePermit<'_>> {
        self.0.uploads.try_acquire().ok()
    }

    pub(crate) fn streams(&self) -> &http::stream::Open {
        &self.0.streams
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn ontology(&self) -> &ontology::Cache {
        &self.0.ontology
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }
}
