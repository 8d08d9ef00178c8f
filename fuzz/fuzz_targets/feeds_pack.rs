//! Bytes as pack for the feeds: see `feeds::fuzz::pack`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| feeds::fuzz::pack(data));
