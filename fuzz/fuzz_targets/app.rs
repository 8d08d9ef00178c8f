//! Bytes as messages of any application protocol.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::app(data));
