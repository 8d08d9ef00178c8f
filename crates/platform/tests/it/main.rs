//! Laws of the plumbing, over a real database file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bus;
mod db;
mod jobs;
mod routes;
