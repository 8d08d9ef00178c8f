//! Nodes in one process, with a pipe between them that loses, doubles and delays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs
)]

mod bytes;
mod expulsion;
mod house;
mod laws;
mod letters;
mod lies;
mod objects;
mod retractions;
mod through;
