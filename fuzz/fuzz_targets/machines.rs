//! Bytes as a dialogue of an industrial protocol: operations and their values.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::machines(data));
