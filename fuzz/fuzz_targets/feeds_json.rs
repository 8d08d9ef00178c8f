//! Bytes as json for the feeds: see `feeds::fuzz::json`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| feeds::fuzz::json(data));
