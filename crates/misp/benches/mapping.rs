//! Attributes to STIX and back.
#![allow(missing_docs, clippy::unwrap_used)]
fn main() {}
