//! The engine over a real database, across deaths and restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actuators;
mod crash;
mod engine;
mod hold;
mod http;
mod keys;
mod people;
mod room;
mod shipped;
mod steps;
mod trigger;
