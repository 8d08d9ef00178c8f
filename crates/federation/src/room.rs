//! The room itself: what it stands on, and what it offers the binary.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::PeerId;
use platform::Platform;
use platform::courier::Correspondent;
use platform::db::DbError;
use platform::health::Component;
use platform::http::RoomRouter;
use platform::peers::{Peer, PeerDirectory};
use ports::PortError;
use ports::disclosure::Disclosure;
use tokio::sync::{Notify, Semaphore, watch};

use crate::config::Config;
use crate::error::FederationError;
use crate::store::standing;
use crate::{follow, health, http, worker};

/// Questions for letters of one peer that wait at the same time.
const MAX_WAITING: usize = 4;
/// A refusal of one peer's letters is told on the bus at most this often, microseconds.
const TELL_REFUSAL_EVERY_US: i64 = 60_000_000;

/// What is kept in memory of a link.
pub(crate) struct Door {
    /// Changes when there may be something to send.
    pub(crate) wake: watch::Sender<u64>,
    /// Places for questions that wait.
    pub(crate) waiting: Arc<Semaphore>,
    /// Why bringing and fetching do not succeed now.
    failing: Mutex<[Option<String>; 2]>,
    /// When a refusal was last told, microseconds.
    told_us: Mutex<i64>,
}

impl Door {
    fn new() -> Self {
        Self {
            wake: watch::channel(0).0,
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            failing: Mutex::default(),
            told_us: Mutex::new(i64::MIN),
        }
    }

    /// Notes how one way (0 out, 1 in) went; why the link as a whole fails, if it does. One way that works does not hide
    /// the other that does not.
    pub(crate) fn went(&self, way: usize, error: Option<String>) -> Option<String> {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = failing.get_mut(way) {
            *place = error;
        }
        failing.iter().flatten().next().cloned()
    }

    /// Whether a refusal is told now; who lies a thousand times a second does not fill the log.
    pub(crate) fn tells(&self, now_us: i64) -> bool {
        let mut told = self.told_us.lock().unwrap_or_else(PoisonError::into_inner);
        let due = now_us.saturating_sub(*told) >= TELL_REFUSAL_EVERY_US;
        if due {
            *told = now_us;
        }
        due
    }
}

struct Met {
    disclosure: Arc<dyn Disclosure>,
    correspondents: Vec<Arc<dyn Correspondent>>,
}

struct Inner {
    platform: Platform,
    config: Config,
    peers: Arc<dyn PeerDirectory>,
    met: OnceLock<Met>,
    /// Never more than there were peers.
    doors: Mutex<HashMap<PeerId, Arc<Door>>>,
    /// Wakes who looks after updates, standing shares and what goes onward.
    arrived: Notify,
}

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Federation(Arc<Inner>);

impl Federation {
    /// Opens the room.
    ///
    /// # Errors
    /// A setting cannot work, or the database says no.
    pub async fn open(
        platform: &Platform,
        config: Config,
        peers: Arc<dyn PeerDirectory>,
    ) -> Result<Self, FederationError> {
        config.check().map_err(FederationError::Invalid)?;
        // What was known before the room was there is nobody's news.
        let start: Result<(), DbError> = platform
            .db
            .write(|tx| {
                Box::pin(async move {
                    if standing::cursor(tx.sql()).await?.is_none() {
                        let last = intel::objects::last_seq(tx.sql()).await?;
                        let at = tx.now().as_micros();
                        standing::move_cursor(tx.sql(), last, at).await?;
                    }
                    Ok(())
                })
            })
            .await;
        start?;
        Ok(Self(Arc::new(Inner {
            platform: platform.clone(),
            config,
            peers,
            met: OnceLock::new(),
            doors: Mutex::default(),
            arrived: Notify::new(),
        })))
    }

    /// Introduces who decides what may leave and who takes letters; the first introduction counts. Until then nothing
    /// leaves and letters of other rooms are refused.
    pub fn meet(
        &self,
        disclosure: Arc<dyn Disclosure>,
        correspondents: Vec<Arc<dyn Correspondent>>,
    ) {
        let _ = self.0.met.set(Met { disclosure, correspondents });
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Starts calling peers and looking after what was shared.
    pub fn start(&self) {
        let tasks = &self.platform().tasks;
        tasks.spawn("federation", worker::run(self.clone()));
        tasks.spawn("federation-follow", follow::run(self.clone()));
    }

    /// Looks once at what became known, until nothing is left: updates, standing shares, what goes onward.
    ///
    /// # Errors
    /// The database or another room says no.
    pub async fn follow(&self) -> Result<(), FederationError> {
        while follow::step(self).await? | follow::onward(self).await? {}
        follow::labels(self, 0).await?;
        Ok(())
    }

    /// What works and what does not, for the doctor.
    pub async fn health(&self) -> Vec<Component> {
        health::components(self).await
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn peers(&self) -> &dyn PeerDirectory {
        self.0.peers.as_ref()
    }

    pub(crate) async fn peer(&self, id: PeerId) -> Result<Option<Peer>, FederationError> {
        Ok(self.0.peers.peer(id).await?)
    }

    pub(crate) fn disclosure(&self) -> Result<&dyn Disclosure, FederationError> {
        let met = self.0.met.get();
        let met = met.ok_or_else(|| PortError::Unavailable("the node is starting".into()))?;
        Ok(met.disclosure.as_ref())
    }

    /// Who takes letters of a kind.
    pub(crate) fn correspondent(&self, kind: &str) -> Option<Arc<dyn Correspondent>> {
        let all = &self.0.met.get()?.correspondents;
        all.iter().find(|one| one.kinds().contains(&kind)).cloned()
    }

    pub(crate) fn door(&self, peer: PeerId) -> Arc<Door> {
        let mut doors = self.0.doors.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(doors.entry(peer).or_insert_with(|| Arc::new(Door::new())))
    }

    /// There may be something to send. Whoever is woken writes through the one writer, and so after the transaction that
    /// posts: no wake is lost although it comes before the commit.
    pub(crate) fn wake(&self, peer: PeerId) {
        self.door(peer).wake.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn arrived(&self) -> &Notify {
        &self.0.arrived
    }
}
