//! Bytes as text for the feeds: see `feeds::fuzz::text`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| feeds::fuzz::text(data));
