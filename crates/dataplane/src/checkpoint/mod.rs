//! Checkpoints of services, and the covert restart from the newest one that is older than an infection.
//!
//! Invariants
//! - **A checkpoint is whole or not there.** Its chunks are on the disk before its manifest, its manifest before the
//!   counter moves; what dies in between loses the newest, unfinished one and nothing else.
//! - **Nothing is restored that is not what was taken.** Every chunk is checked by its digest, every manifest by its
//!   signature and by the newest manifest, which names all that are kept; the newest must carry the counter's value.
//! - **The moments are not to be foreseen.** When a service is stopped, and when it runs again, is drawn at random.
//! - **Never pretend.** A back-end that does not work here says why; a counter in a file is called that in every report.
//!
//! Entry points: [`agent::run`], [`Protect::read`], [`backend::all`].

pub mod agent;
pub mod backend;
pub mod chunk;
mod control;
pub mod counter;
pub mod doubt;
mod error;
pub mod files;
#[doc(hidden)]
pub mod fuzz;
pub mod interval;
mod journal;
mod manifest;
mod order;
mod protect;
mod retain;
mod service;
mod sign;
mod store;
mod supervise;
pub mod timing;

pub use error::CheckpointError;
pub use manifest::{Entry, Manifest, What};
pub use protect::{AgentSettings, BackendSettings, CounterSettings, Protect, ServiceSettings};
pub use service::ServiceKeeper;
pub use sign::open_key;
pub use store::{Draft, Store, StoreSettings, Writer};

use model::Timestamp;
use ports::Random;

/// The operating system's randomness, for the edge.
#[derive(Clone, Copy, Debug)]
pub struct EdgeRandom;

impl Random for EdgeRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness neither keys nor moments are safe: ending the process is the only honest answer.
        if let Err(cause) = getrandom::fill(buffer) {
            tracing::error!(%cause, "the operating system gives no randomness; stopping");
            std::process::abort();
        }
    }
}

/// Wall time, UTC.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_nanos(crate::clock::realtime_ns())
}
