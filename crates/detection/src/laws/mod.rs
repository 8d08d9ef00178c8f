//! GOOSE and MMS judged in operation: per edge and protocol, what was learned to be lawful, and what
//! breaks it.
//!
//! Unlike commands, a message is judged by the one before it. What the judge remembers
//! ([`memory::LawMemory`]) is therefore stored in the transaction of the batch that changed it: after
//! a crash the judge stands where the last batch left it, and the edge sends the next one again.
//!
//! The way of a protocol behind an edge: `learning` (a time span and a least number of messages),
//! `training` (a durable job; reports wait), `watching`. What waited is judged in the transaction that
//! puts the model in use.

pub(crate) mod finding;
pub(crate) mod judge;
pub(crate) mod learn;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod state;
pub(crate) mod train;
pub(crate) mod versions;
