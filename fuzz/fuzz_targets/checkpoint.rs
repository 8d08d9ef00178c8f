//! What lies in a store of checkpoints: manifests, lists of entries, chunks. Only what reads is linked, not the edge.
#![no_main]
#![allow(dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/dataplane/src/checkpoint/chunk.rs"]
mod chunk;
#[path = "../../crates/dataplane/src/checkpoint/fuzz.rs"]
mod fuzz;
#[path = "../../crates/dataplane/src/checkpoint/manifest.rs"]
mod manifest;

fuzz_target!(|data: &[u8]| fuzz::stored(data));
