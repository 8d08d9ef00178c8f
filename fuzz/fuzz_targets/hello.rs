//! Bytes as the body of a TLS client hello: extensions, names, JA4.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::hello(data));
