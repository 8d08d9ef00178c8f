//! The engine over a real database, across deaths and restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr)] // what is skipped is said

mod actuators;
mod approvals;
mod automation;
mod bash;
#[path = "../../../cacao/tests/it/build.rs"]
mod build;
mod crash;
mod engine;
mod hold;
mod hooks;
mod http;
mod injection;
mod keys;
mod messages;
mod news;
mod openc2;
mod people;
mod room;
mod secrets;
mod services;
mod shipped;
mod sight;
mod soarca;
mod ssh;
mod starts;
mod steps;
mod trigger;
mod triggers;
mod upgrade;
mod upkeep;
