//! The engine of the edge: sees the packets of a segment, cuts them into windows for the node, and
//! stops a device when the node orders it.
//!
//! Invariants
//! - Links floors 0 and 1 only; no database, no web server.
//! - The host's own network is never touched: the lab lives in namespaces of its own, and in live
//!   use only the table `sereno` is written, and on a bridge two ports for the self-test are added.
//! - "Done" is said only of what was read back; where nothing can be enforced, every order is
//!   answered so with the reason.
//! - A batch of windows is kept until the node says it is durable; what does not fit holds a replay
//!   back, and on a live interface is counted. Every queue has a bound.
//! - Packet time comes from the packets, never from a clock of ours.
//!
//! Entry points: [`gateway::run`] (live or fed by the lab), [`probe::run`] (only listens), [`lab::build`], [`file::run`] (the same
//! loop from the file), [`check::run`].

pub mod capture;
pub mod captures;
pub mod check;
pub mod checkpoint;
mod clock;
mod counters;
pub mod enforce;
mod error;
pub mod file;
pub mod flood;
pub mod flows;
pub mod folder;
pub mod frame_time;
pub mod gateway;
pub mod inline;
pub mod lab;
pub mod lane;
pub mod link;
mod nfqueue;
pub mod nft;
pub mod outbox;
pub mod probe;
pub mod prove;
pub mod replay;
pub mod shaping;
mod sys;
pub mod watch;

pub use error::EdgeError;
pub use link::NodeAddress;
