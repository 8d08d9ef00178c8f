//! The room over real databases: several nodes, with a courier that hands letters over when told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod circles;
mod door;
mod kit;
mod laws;
mod lead;
mod letters;
mod organisations;
mod redaction;
mod sharing;
