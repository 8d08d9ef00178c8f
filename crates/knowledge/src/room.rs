//! The room itself.

use std::sync::Arc;

use platform::Platform;
use platform::health::Component;
use platform::http::RoomRouter;

use crate::config::Config;
use crate::error::KnowledgeError;
use crate::{http, ontology};

struct Inner {
    platform: Platform,
    config: Config,
    ontology: ontology::Cache,
}

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
        })))
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Takes out text, relations and values of what an upgrade left unindexed, a little at a time so that
    /// other writes get their turn.
    pub fn start(&self) {
        let own = self.clone();
        self.platform().tasks.spawn("intelligence index", async move {
            loop {
                let left: Result<i64, KnowledgeError> = own
                    .platform()
                    .db
                    .write(|tx| {
                        Box::pin(async move {
                            let now_us = tx.now().as_micros();
                            Ok(intel::write::catch_up(tx.sql(), now_us).await?)
                        })
                    })
                    .await;
                match left {
                    Ok(0) => return,
                    Ok(left) => tracing::info!(left, "indexing stored intelligence"),
                    Err(error) => {
                        tracing::error!(%error, "stored intelligence could not be indexed");
                        return;
                    }
                }
            }
        });
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
