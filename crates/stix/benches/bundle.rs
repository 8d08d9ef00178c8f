//! Reading and judging a bundle of ten thousand addresses.
#![allow(missing_docs, clippy::unwrap_used)]

use stix::json::{DEFAULT_LIMITS, Limits};
use stix::{Bundle, StixId, build, validate};

fn main() {
    divan::main();
}

fn text() -> String {
    let objects = (0..10_000_u32).map(|n| build::ipv4_addr(n.into()).build()).collect();
    Bundle::new(&StixId::derived("bundle", uuid::Uuid::from_u128(7), "b"), objects).to_json()
}

#[divan::bench]
fn read_and_validate(bencher: divan::Bencher<'_, '_>) {
    let text = text();
    let limits = Limits { max_bytes: 64 << 20, ..DEFAULT_LIMITS };
    bencher.counter(divan::counter::BytesCount::of_str(&text)).bench(|| {
        let bundle = Bundle::read(text.as_bytes(), limits).unwrap();
        assert!(validate::bundle(&bundle).is_valid());
    });
}
