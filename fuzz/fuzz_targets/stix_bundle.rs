//! Bytes as a STIX bundle: read, judged, printed, read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| stix::fuzz::bundle(data));
