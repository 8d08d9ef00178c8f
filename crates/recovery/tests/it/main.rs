//! The room over a real database, with a stand-in agent at the real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods)] // stand-ins outside the node

mod healing;
mod http;
mod orders;
mod room;
