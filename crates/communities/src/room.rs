//! The room itself.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use platform::Platform;
use platform::courier::Courier;
use platform::health::{Component, Health};
use platform::http::RoomRouter;
use platform::peers::PeerDirectory;
use ports::Pseudonymiser;
use ports::disclosure::Provenance;
use tokio::sync::{Mutex, MutexGuard};

use crate::circle::State;
use crate::config::Config;
use crate::error::CommunityError;
use crate::http;
use crate::policy::engine::Engine;
use crate::redact::{Domain, Network, Redactor};
use crate::store::{circles, policies, redactions};

/// Pause between two looks at certificates that end soon and at members that are to be told something, seconds.
const RENEW_EVERY_S: u64 = 600;

/// What the room needs of others.
#[derive(Clone)]
pub struct Deps {
    /// The nodes we exchange with.
    pub peers: Arc<dyn PeerDirectory>,
    /// Pseudonyms for addresses.
    pub pseudonymiser: Arc<dyn Pseudonymiser>,
}

struct Inner {
    platform: Platform,
    config: Config,
    deps: Deps,
    own_networks: Vec<Network>,
    own_domains: Vec<Domain>,
    /// Set once both rooms stand: who carries letters asks this room, and this room posts letters.
    courier: OnceLock<Arc<dyn Courier>>,
    provenance: OnceLock<Arc<dyn Provenance>>,
    engine: RwLock<Arc<Engine>>,
    redactor: RwLock<Arc<Redactor>>,
    reloading: Mutex<()>,
}

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Communities(Arc<Inner>);

impl Communities {
    /// Opens the room.
    ///
    /// # Errors
    /// A setting, a kept policy or a kept rule cannot work.
    pub async fn open(
        platform: &Platform,
        config: Config,
        deps: Deps,
    ) -> Result<Self, CommunityError> {
        let wrong = |text: String| CommunityError::invalid(text, "");
        config.check().map_err(wrong)?;
        let own_networks: Vec<Network> =
            config.own_networks.iter().filter_map(|text| Network::parse(text)).collect();
        let own_domains: Vec<Domain> =
            config.own_domains.iter().filter_map(|text| Domain::parse(text)).collect();
        let mut sql = platform.db.read().await?;
        let own = policies::all(&mut sql).await?;
        let own: Vec<(String, String)> = own.into_iter().map(|p| (p.id, p.text)).collect();
        let engine = Engine::compile(&own).map_err(|all| {
            let lines: Vec<String> = all.iter().map(|(id, w)| format!("{id}: {w}")).collect();
            wrong(format!("sharing policies: {}", lines.join("; ")))
        })?;
        let rules = redactions::all(&mut sql).await?;
        let redactor =
            Redactor::new(rules, own_networks.clone(), own_domains.clone()).map_err(wrong)?;
        drop(sql);
        Ok(Self(Arc::new(Inner {
            platform: platform.clone(),
            config,
            deps,
            own_networks,
            own_domains,
            courier: OnceLock::new(),
            provenance: OnceLock::new(),
            engine: RwLock::new(Arc::new(engine)),
            redactor: RwLock::new(Arc::new(redactor)),
            reloading: Mutex::default(),
        })))
    }

    /// Says who carries letters; once, before anything is served.
    pub fn set_courier(&self, courier: Arc<dyn Courier>) {
        if self.0.courier.set(courier).is_err() {
            tracing::warn!("the courier was set twice; the first stays");
        }
    }

    /// Says who knows where objects came from; without it the sources of the store tell the peer, and no community.
    pub fn set_provenance(&self, provenance: Arc<dyn Provenance>) {
        if self.0.provenance.set(provenance).is_err() {
            tracing::warn!("the provenance was set twice; the first stays");
        }
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Starts making certificates anew before they end.
    pub fn start(&self) {
        let own = self.clone();
        self.platform().tasks.spawn("communities", async move {
            loop {
                match own.renew().await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "certificates of membership were renewed"),
                    Err(error) => tracing::error!(%error, "certificates could not be renewed"),
                }
                if let Err(error) = own.tell_again().await {
                    tracing::error!(%error, "members could not be told what changed");
                }
                tokio::time::sleep(Duration::from_secs(RENEW_EVERY_S)).await;
            }
        });
    }

    /// What works and what does not, for the doctor.
    pub async fn health(&self) -> Vec<Component> {
        let known = async {
            let mut sql = self.platform().db.read().await?;
            circles::all(&mut sql).await
        };
        let circles = match known.await {
            Ok(circles) => circles,
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                let text = error.to_string();
                return vec![Component::not_ok("communities", Health::Failed, text, remedy)];
            }
        };
        let (own, now) = (self.platform().node.id, self.platform().now());
        let active = circles.iter().filter(|circle| circle.state == State::Active);
        let (holding, ended): (Vec<_>, Vec<_>) = active.partition(|circle| circle.holds(own, now));
        // Everybody who asks how the node is reads this: counts alone.
        if ended.is_empty() {
            return vec![Component::ok("communities", format!("{} in force", holding.len()))];
        }
        vec![Component::not_ok(
            "communities",
            Health::Degraded,
            format!("the certificates of {} communities have expired", ended.len()),
            "Their leaders renew them by letters: see whether those nodes can be reached.",
        )]
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn peers(&self) -> &dyn PeerDirectory {
        self.0.deps.peers.as_ref()
    }

    pub(crate) fn pseudonymiser(&self) -> &dyn Pseudonymiser {
        self.0.deps.pseudonymiser.as_ref()
    }

    pub(crate) fn own_networks(&self) -> &[Network] {
        &self.0.own_networks
    }

    pub(crate) fn own_domains(&self) -> &[Domain] {
        &self.0.own_domains
    }

    pub(crate) fn courier(&self) -> Option<&Arc<dyn Courier>> {
        self.0.courier.get()
    }

    pub(crate) fn provenance(&self) -> Option<&Arc<dyn Provenance>> {
        self.0.provenance.get()
    }

    pub(crate) async fn reloading(&self) -> MutexGuard<'_, ()> {
        self.0.reloading.lock().await
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.0.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put_engine(&self, engine: Arc<Engine>) {
        *self.0.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.0.redactor.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put_redactor(&self, redactor: Arc<Redactor>) {
        *self.0.redactor.write().unwrap_or_else(PoisonError::into_inner) = redactor;
    }
}
