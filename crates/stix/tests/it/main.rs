//! Laws of the crate over whole bundles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod builders;
mod clauses;
mod corpus;
mod examples;
mod pattern_laws;
mod pattern_oasis;
mod patterns;
mod rules;
mod streams;
mod types;
mod upgrades;
mod versions;
