//! Entry points of the fuzz targets `feeds_*`; their corpora are replayed by `tests/it`.
//! Nothing may panic, and the laws asserted here hold for every input.

use std::ops::ControlFlow;

use crate::csv::{Column, Csv};
use crate::extract::{self, ExtractLimits, Found};
use crate::json::{Field, Json, Layout};
use crate::knowledge::{cwe, d3fend::D3fend, layer::Layer};
use crate::record::{Item, Limits, Record, Summary};
use crate::unpack::{self, PackLimits};
use crate::value::Observable;
use crate::warninglist::{Matcher, Warninglist};
use crate::{csaf, freetext, json, kev, openpgp, plain};

const LIMITS: Limits =
    Limits { max_bytes: 1 << 20, max_record_bytes: 4 << 10, max_fields: 64, max_rejects: 50 };
const PACK: PackLimits =
    PackLimits { max_packed: 1 << 20, max_unpacked: 4 << 20, max_ratio: 100, max_files: 16 };

/// Counts what a reader tells and compares it with its summary.
fn checked<T>(read: impl FnOnce(&mut dyn FnMut(Item<T>) -> ControlFlow<()>) -> Summary) {
    let (mut records, mut rejects) = (0, 0);
    let summary = read(&mut |item| {
        match item {
            Item::Record(_) => records += 1,
            Item::Reject(reject) => {
                rejects += 1;
                assert!(reject.excerpt.len() <= crate::record::MAX_EXCERPT_BYTES);
            }
        }
        ControlFlow::Continue(())
    });
    let counts = &summary.counts;
    assert_eq!(counts.records, records, "every record is told");
    assert_eq!(counts.rejected, rejects + counts.rejects_untold, "every reject is counted");
    assert_eq!(counts.rejected, counts.rejected_by.values().sum::<u64>());
}

fn is_normal(observable: &Observable) {
    let again = Observable::of_kind(observable.kind(), observable.value());
    assert_eq!(again.as_ref(), Ok(observable), "a normal form is its own normal form");
    let _ = (observable.scope(), observable.host(), observable.pattern(), observable.sco());
}

/// Bytes as a plain list, as separated values, as free text and as a report.
pub fn text(bytes: &[u8]) {
    checked::<Record>(|sink| {
        plain::read(bytes, &plain::Plain { refang: true, ..plain::Plain::default() }, LIMITS, sink)
    });
    let by_name = Csv { header: true, value: Column::Named("value".into()), ..Csv::default() };
    for format in [Csv { kind: Some(Column::At(1)), ..Csv::default() }, by_name] {
        checked::<Record>(|sink| crate::csv::read(bytes, &format, LIMITS, sink));
    }
    checked::<Record>(|sink| freetext::read(bytes, &freetext::FreeText::default(), LIMITS, sink));
    checked::<csaf::Change>(|sink| csaf::changes(bytes, LIMITS, sink));
    checked::<String>(|sink| csaf::index(bytes, LIMITS, sink));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(observable) = Observable::classify(text) {
        is_normal(&observable);
    }
    let limits = ExtractLimits { max_candidates: 100, ..extract::LIMITS };
    let Ok(review) = extract::extract(text, None, limits) else { return };
    for candidate in &review.candidates {
        assert!(!candidate.places.is_empty() && candidate.count >= candidate.places.len());
        for place in &candidate.places {
            assert!(review.text.get(place.clone()).is_some(), "places lie on characters");
            assert!(review.context(place).len() <= 2 * extract::CONTEXT_BYTES + place.len() + 8);
        }
        assert_eq!(review.text.get(candidate.places[0].clone()), Some(candidate.spelling.as_str()));
        if let Found::Observable(observable) = &candidate.found {
            is_normal(observable);
        }
    }
}

/// Bytes as every format made of JSON.
pub fn json(bytes: &[u8]) {
    for path in ["/*", "/data/*", "/*/*"] {
        let format = Json {
            layout: Layout::Path(path.into()),
            kind: Some(Field::at("/kind")),
            value: Field::at("/value"),
            ..Json::default()
        };
        checked::<Record>(|sink| json::read(bytes, &format, LIMITS, sink));
    }
    let lines = Json { layout: Layout::Lines, ..Json::default() };
    checked::<Record>(|sink| json::read(bytes, &lines, LIMITS, sink));
    checked::<kev::KnownExploited>(|sink| kev::read(bytes, LIMITS, sink));
    if let Ok(advisory) = csaf::read(bytes) {
        assert!(advisory.problems.len() <= csaf::MAX_PROBLEMS);
        let _ = advisory.records().take(10_000).count();
    }
    let _ = (csaf::provider(bytes), csaf::rolie(bytes));
    if let Ok(list) = Warninglist::read(bytes)
        && let Ok((matcher, _)) = Matcher::new(&[list])
        && let Ok(observable) = Observable::classify("http://10.0.0.1/a.example")
    {
        let _ = matcher.lists(&observable);
    }
    if let Ok(mut layer) = Layer::read(bytes) {
        let again = Layer::read(layer.to_json().as_bytes());
        assert_eq!(again.ok().as_ref(), Some(&layer), "a layer reads back as it was printed");
        for mark in layer.marks().collect::<Vec<_>>() {
            layer.set(&mark);
        }
    }
}

/// Bytes as a packed feed and as OpenPGP keys and signatures: what comes out stays within the limits.
pub fn pack(bytes: &[u8]) {
    let mut ring = openpgp::Keyring::default();
    let _ = (ring.add(bytes, None), ring.verify(bytes, bytes, 0));
    let _ = unpack::files(bytes, PACK);
    let Ok(mut reader) = unpack::open(bytes, None, PACK) else { return };
    let mut out = Vec::new();
    let _ = std::io::Read::read_to_end(&mut reader, &mut out);
    assert!(out.len() as u64 <= PACK.max_unpacked.max(bytes.len() as u64), "more than the limit");
}

/// Bytes as D3FEND's ontology and as CWE.
pub fn turtle(bytes: &[u8]) {
    let _ = (D3fend::read(bytes), cwe::read(bytes));
}
