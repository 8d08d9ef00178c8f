//! Bytes as turtle for the feeds: see `feeds::fuzz::turtle`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| feeds::fuzz::turtle(data));
