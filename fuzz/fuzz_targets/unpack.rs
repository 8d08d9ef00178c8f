//! Bytes as a file packed with gzip or Zstandard.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::unpack(data));
