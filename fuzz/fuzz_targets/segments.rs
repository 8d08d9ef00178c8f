//! Segments of a stream in order, shuffled and repeated: they must tell the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::segments(data));
