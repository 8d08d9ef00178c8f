//! Bytes as MISP, as a bundle for MISP, as a feed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| misp::fuzz::misp(data));
