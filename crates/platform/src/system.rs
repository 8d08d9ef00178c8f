//! The only real clock and the only real randomness of the node.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use ports::{Clock, Random};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that may ask the machine
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no key or token is safe: ending the process is the only honest answer.
        if let Err(cause) = getrandom::fill(buffer) {
            tracing::error!(%cause, "the operating system gives no randomness; stopping");
            std::process::abort();
        }
    }
}
