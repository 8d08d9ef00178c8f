//! Playbooks against the standard's schemas and examples; the engine over a real database, across
//! deaths and restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actuators;
mod crash;
mod engine;
mod examples;
mod http;
mod people;
mod room;
mod schema;
mod signature;
mod trigger;
mod validate;
