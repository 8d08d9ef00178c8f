//! Actuators of this room, one file each, in one visible list. Others (the gateway) come from
//! their rooms through [`ports::Actuator`].

pub mod console;
pub mod exchange;
pub mod http_api;
pub mod intel;

use std::sync::Arc;

use platform::Platform;
use platform::peers::PeerDirectory;
use ports::{Actuator, Exchange, IntelLookup};

/// The actuators this room brings.
pub fn all(
    platform: &Platform,
    intel: Arc<dyn IntelLookup>,
    exchange: Arc<dyn Exchange>,
    peers: Arc<dyn PeerDirectory>,
) -> Vec<Arc<dyn Actuator>> {
    vec![
        Arc::new(intel::Intel(intel)),
        Arc::new(exchange::Sharing { exchange, peers }),
        Arc::new(console::Console(platform.clone())),
        Arc::new(http_api::HttpApi::default()),
    ]
}

/// The refusal of a verb an actuator does not know.
fn unknown_verb(actuator: &dyn Actuator, verb: &str) -> ports::PortError {
    ports::actuator::unknown_verb(actuator.name(), actuator.verbs(), verb)
}
