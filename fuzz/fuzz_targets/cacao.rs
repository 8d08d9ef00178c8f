//! A playbook: judged, told, verified, shared as STIX; or a condition.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| cacao::fuzz::playbook(data));
