//! The room itself.

use std::sync::{Arc, OnceLock};

use platform::Platform;
use platform::http::RoomRouter;
use ports::PortError;
use ports::disclosure::Disclosure;

use crate::api;

struct Inner {
    platform: Platform,
    judge: OnceLock<Arc<dyn Disclosure>>,
}

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Misphub(Arc<Inner>);

impl Misphub {
    /// Opens the room.
    pub fn open(platform: &Platform) -> Self {
        Self(Arc::new(Inner { platform: platform.clone(), judge: OnceLock::new() }))
    }

    /// Introduces who decides what may leave; the first one stays.
    pub fn ask(&self, judge: Arc<dyn Disclosure>) {
        let _ = self.0.judge.set(judge);
    }

    /// Who decides what may leave: without anybody nothing does.
    pub(crate) fn judge(&self) -> Result<&dyn Disclosure, PortError> {
        let judge = self.0.judge.get().map(AsRef::as_ref);
        judge.ok_or_else(|| PortError::Unavailable("nobody decides here what may leave".into()))
    }

    /// The HTTP endpoints: everything under `/misp/`.
    pub fn router(&self) -> RoomRouter {
        api::routes().with_state(self.clone())
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// Seconds since 1970, as MISP counts.
    pub(crate) fn now_s(&self) -> i64 {
        self.platform().now().as_micros() / 1_000_000
    }

    /// The UUID of this node's own organisation.
    pub(crate) fn own_uuid(&self) -> String {
        let said = self.platform().node.id.to_string();
        crate::fields::uuid(&said).unwrap_or(said)
    }

    /// A random UUID (version 4) from the platform's source.
    pub(crate) fn new_uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.platform().random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
