//! Bytes as a capture file: the slice reader and the stream reader must tell the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::capture(data));
