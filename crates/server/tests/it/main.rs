//! The node as a whole, without doors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod events;
mod measures;
mod node;
mod search;
mod snapshot;
mod viewers;
