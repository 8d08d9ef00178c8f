//! The engine over a real database, across deaths and restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr)] // what is skipped is said

mod actuators;
mod crash;
mod engine;
mod hold;
mod http;
mod people;
mod room;
mod shipped;
mod soarca;
mod steps;
mod trigger;
mod upgrade;
