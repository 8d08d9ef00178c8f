//! A maker's description of its device (MUD, RFC 8520). The room is not linked, only what reads: no database is fuzzed.
#![no_main]
#![allow(dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/gateway/src/fuzz.rs"]
mod fuzz;
#[path = "../../crates/gateway/src/mud.rs"]
mod mud;
#[path = "../../crates/gateway/src/openc2.rs"]
mod openc2;

fuzz_target!(|data: &[u8]| fuzz::mud(data));
