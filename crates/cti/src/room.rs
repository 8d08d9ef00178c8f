//! The room itself: what it stands on, and what it offers the binary.

use std::sync::Arc;

use ::intel::collections::NewCollection;
use futures::future::BoxFuture;
use platform::Platform;
use platform::bus::Consumer;
use platform::db::{DbError, Tx};
use platform::health::Component;
use platform::http::RoomRouter;
use platform::jobs::JobHandler;
use platform::peers::PeerDirectory;
use ports::disclosure::Disclosure;
use ports::{IncidentReader, Pseudonymiser};
use tokio::sync::{Notify, Semaphore, SemaphorePermit, oneshot};

use crate::config::Config;
use crate::error::CtiError;
use crate::store::collections::{self, Kind};
use crate::{acknowledge, catch_up, deliver, health, hits, http, intel, poll, taxii};

/// What the room needs of others.
#[derive(Clone)]
pub struct Deps {
    /// Decides what may leave, and in which form.
    pub disclosure: Arc<dyn Disclosure>,
    /// Replaces internal addresses.
    pub pseudonymiser: Arc<dyn Pseudonymiser>,
    /// Reads the incidents that are shared.
    pub incidents: Arc<dyn IncidentReader>,
    /// Knows the peers and how to reach them.
    pub peers: Arc<dyn PeerDirectory>,
}

struct Inner {
    platform: Platform,
    config: Config,
    deps: Deps,
    /// Wakes the worker that looks for answers.
    delivered: Notify,
    counted: intel::Counted,
    told: hits::Told,
    catalogue: taxii::catalogue::Catalogue,
    cursors: taxii::cursor::Cursors,
    envelopes: Semaphore,
}

/// Envelopes that are opened at once.
const MAX_ENVELOPES: usize = 4;

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Cti(Arc<Inner>);

impl Cti {
    /// Makes the collections and loads the shipped list, at first start only.
    ///
    /// # Errors
    /// A setting cannot work, or the database says no.
    pub async fn open(platform: &Platform, config: Config, deps: Deps) -> Result<Self, CtiError> {
        config.check().map_err(CtiError::Config)?;
        let secret = platform
            .data
            .secret_hex("taxii-cursors", 32, platform.random.as_ref())
            .map_err(|cause| CtiError::Config(cause.to_string()))?;
        let inner = Inner {
            platform: platform.clone(),
            config,
            deps,
            delivered: Notify::new(),
            counted: intel::Counted::default(),
            told: hits::Told::default(),
            catalogue: taxii::catalogue::Catalogue::default(),
            cursors: taxii::cursor::Cursors::new(secret),
            envelopes: Semaphore::new(MAX_ENVELOPES),
        };
        let cti = Self(Arc::new(inner));
        cti.ensure_inbox().await?;
        intel::load_sample(&cti).await?;
        Ok(cti)
    }

    async fn ensure_inbox(&self) -> Result<(), CtiError> {
        let mut sql = self.platform().db.read().await?;
        let known = ::intel::collections::find(&mut sql, taxii::OWN_ROOT, taxii::INBOX_ID).await?;
        drop(sql);
        if known.is_some() {
            return Ok(());
        }
        let inbox = NewCollection {
            id: taxii::INBOX_ID.into(),
            root: taxii::OWN_ROOT.into(),
            alias: taxii::INBOX_ALIAS.into(),
            title: "Inbox".into(),
            description: "What others share with this node".into(),
            kind: Kind::Inbox.word().into(),
            peer: None,
        };
        let written: Result<(), CtiError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now().as_micros();
                    collections::ensure(tx.sql(), &inbox, now).await?;
                    Ok(())
                })
            })
            .await;
        written
    }

    /// Waits until an envelope may be opened.
    pub(crate) async fn intake_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.envelopes.acquire().await.ok()
    }

    /// Changes roots or collections. The catalogue learns of it also when whoever asked has gone meanwhile.
    pub(crate) async fn change<T, F>(&self, job: F) -> Result<T, CtiError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, CtiError>> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, done) = oneshot::channel();
        let own = self.clone();
        self.platform().tasks.spawn_draining("TAXII catalogue", async move {
            let result = own.platform().db.write(job).await;
            own.catalogue().changed();
            let _ = answer.send(result);
        });
        done.await.unwrap_or(Err(CtiError::Db(DbError::Stopped)))
    }

    /// The HTTP endpoints: `/api/v1/…` and `/taxii2/…`.
    pub fn router(&self) -> RoomRouter {
        http::routes().merge(taxii::routes()).with_state(self.clone())
    }

    /// What listens to facts.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(acknowledge::Acknowledge(self.clone()))]
    }

    /// Durable work: delivery.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(deliver::Deliver(self.clone()))]
    }

    /// What works and what does not, for the doctor.
    pub async fn health(&self) -> Vec<Component> {
        health::components(self).await
    }

    /// Starts looking for answers of peers.
    pub fn start(&self) {
        self.platform().tasks.spawn("cti-answers", poll::run(self.clone()));
        self.platform().tasks.spawn("cti-catch-up", catch_up::run(self.clone()));
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.0.deps
    }

    pub(crate) fn catalogue(&self) -> &taxii::catalogue::Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn cursors(&self) -> &taxii::cursor::Cursors {
        &self.0.cursors
    }

    pub(crate) fn told(&self) -> &hits::Told {
        &self.0.told
    }

    pub(crate) fn counted(&self) -> &intel::Counted {
        &self.0.counted
    }

    pub(crate) fn delivered(&self) -> &Notify {
        &self.0.delivered
    }
}

/// The collection in which a node finds our answers.
pub(crate) fn outbox(node: &str, name: &str) -> NewCollection {
    NewCollection {
        id: taxii::outbox_id(node),
        root: taxii::OWN_ROOT.into(),
        alias: format!("outbox-{node}"),
        title: format!("Answers to {name}"),
        description: "Acknowledgements of what this node shared with us".into(),
        kind: Kind::Outbox.word().into(),
        peer: Some(node.to_owned()),
    }
}
