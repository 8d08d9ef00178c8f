//! A datagram whole, in fragments, and in fragments that contradict each other.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::fragments(data));
