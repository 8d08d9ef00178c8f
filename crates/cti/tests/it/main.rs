//! The room over HTTP: TAXII as a client sees it, and two nodes that exchange.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
// The servers and senders of a test end with it.
#![allow(clippy::disallowed_methods)]

mod abuse;
mod exchange;
mod lookup;
mod outside;
mod python;
mod roots;
mod sharing;
mod support;
mod taxii;
mod taxii_limits;
mod upgrade;
