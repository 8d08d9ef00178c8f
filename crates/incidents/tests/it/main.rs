//! Facts in, incidents out; people in, facts out. Over a real database, across restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acting;
mod cases;
mod desk;
mod http;
mod lists;
mod milestones;
