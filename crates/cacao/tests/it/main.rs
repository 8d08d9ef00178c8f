//! Playbooks against the standard's schemas and published examples, and against what a schema cannot say; signatures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build;
mod corpus;
mod examples;
mod kit;
mod model;
mod schema;
mod shipped;
mod signature;
mod stix_form;
mod types;
mod validate;
mod words;
mod workflow;
