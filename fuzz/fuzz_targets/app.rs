//! Bytes as messages of an application protocol. `SERENO_FUZZ_PARSER` names the parser (`modbus`,
//! `tls` …); without it the first byte of each input picks one.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use protocols::app::Protocol;

static PARSER: OnceLock<Option<Protocol>> = OnceLock::new();

/// The parser wanted; a name that is none ends the run at once.
fn wanted() -> Option<Protocol> {
    let name = std::env::var("SERENO_FUZZ_PARSER").ok()?;
    Some(Protocol::from_name(&name).unwrap_or_else(|| panic!("{name} is no parser")))
}

fuzz_target!(|data: &[u8]| match PARSER.get_or_init(wanted) {
    Some(protocol) => protocols::fuzz::parser(*protocol, data),
    None => protocols::fuzz::app(data),
});
