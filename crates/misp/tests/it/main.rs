//! The mapping against misp-stix, its laws, and feeds, values and templates.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod corpus;
mod foreign;
mod laws;
mod oracle;
mod values;

use std::io::Read;

use serde_json::Value;

/// A packed fixture.
pub fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}
