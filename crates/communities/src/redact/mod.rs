//! What is changed in objects on their way out: rules of this node, applied for one recipient.
//!
//! Invariants
//! - The same recipient and object always give the same result and the same id, whatever else is in the batch.
//! - A required property is never left away: then the object stays, with that reason. What leaves passes the validator.
//! - Where addresses are pseudonymised, no address of an own network, MAC address or name under an own domain leaves in a
//!   text.

pub(crate) mod addresses;
mod desk;
pub(crate) mod edit;
pub(crate) mod ids;
pub(crate) mod macs;
pub(crate) mod names;
mod network;
mod rule;
pub(crate) mod work;

pub use names::Domain;
pub use network::Network;
pub use rule::{Action, Addressees, MAX_RULES, Redactor, Rule};
