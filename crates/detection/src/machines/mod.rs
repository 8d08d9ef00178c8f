//! Commands judged in operation: one machine model per edge, learned from the reports of operations
//! that come with its windows.
//!
//! A report ([`analytics::commands::Summary`]) holds everything its judging needs: nothing is
//! remembered between reports, so that a restart neither misses a command nor tells one twice. The
//! reports of a batch are learned from or judged in the transaction of its windows.
//!
//! The way of an edge: `learning` (a time span and a least number of operations), `training` (a
//! durable job; reports wait), `draining` (those that waited are judged), `watching`. A person may
//! write the model as text at any time and go back to any version.

pub(crate) mod edit;
pub(crate) mod evidence;
pub(crate) mod finding;
pub(crate) mod intake;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod scope;
pub(crate) mod state;
pub(crate) mod teach;
pub(crate) mod train;
pub(crate) mod versions;
