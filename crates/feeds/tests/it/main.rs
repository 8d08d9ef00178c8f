//! Formats, reports, advisories and knowledge over fixtures and, where it is there, the data pack.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod advisories;
mod corpus;
mod data;
mod formats;
mod knowledge;
mod packed;
mod reports;
mod signatures;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use feeds::record::{Item, Reject, Summary};

/// A fixture.
fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of the data pack, unpacked where it ends in `.gz`.
fn data(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(root.join(name)) else {
        println!("skipped: {name} (SERENO_TEST_DATA)");
        return None;
    };
    let mut out = Vec::new();
    let mut reader = feeds::unpack::open(
        bytes.as_slice(),
        None,
        feeds::unpack::PackLimits { max_ratio: 1_000, ..feeds::unpack::DEFAULT_PACK_LIMITS },
    )
    .unwrap();
    std::io::Read::read_to_end(&mut reader, &mut out).unwrap();
    Some(out)
}

/// Everything that a reader tells.
fn all<T>(
    read: impl FnOnce(&mut dyn FnMut(Item<T>) -> ControlFlow<()>) -> Summary,
) -> (Vec<T>, Vec<Reject>, Summary) {
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    let summary = read(&mut |item| {
        match item {
            Item::Record(record) => records.push(record),
            Item::Reject(reject) => rejects.push(reject),
        }
        ControlFlow::Continue(())
    });
    (records, rejects, summary)
}
