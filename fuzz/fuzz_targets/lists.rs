//! A query of a list: read, printed, read again, written as SQL without a character of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| lists::fuzz::query(data));
