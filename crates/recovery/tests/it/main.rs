//! The room over a real database, with a stand-in agent at the real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod healing;
mod http;
mod orders;
mod room;
