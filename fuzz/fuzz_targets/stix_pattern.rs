//! A pattern and data: read, printed, brought into normal form, evaluated, found in an index.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| stix::fuzz::pattern(data));
