//! The store over a real database.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod collections;
mod finding;
mod pages;
mod standing;
mod support;
mod values;
mod versions;
