//! Bytes as datagrams of NetFlow 5, NetFlow 9 and IPFIX.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| protocols::fuzz::netflow(data));
