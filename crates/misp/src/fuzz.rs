//! Entry point of the fuzz target `misp`; the corpus is replayed by `tests/it`.

use stix::json::Limits;

use crate::{document, feed, from_stix, to_stix, value};

/// Reads, converts and converts back: nothing may panic, and what was written validates as a bundle that reads back.
pub fn misp(bytes: &[u8]) {
    let limits = Limits { max_bytes: 1 << 20, max_depth: 64, max_values: 50_000 };
    if let Ok(bundle) = stix::Bundle::read(bytes, limits) {
        let _ = from_stix::convert(bundle);
    }
    let Ok(document) = document::read(bytes, limits) else {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let _ = feed::free_text(text, &feed::FreeText::default());
        let _ = feed::csv(text, &feed::Csv::default());
        let _ = feed::hashes(text);
        if let Some((kind, rest)) = text.split_once('\n') {
            let _ = value::normalise(kind, rest);
        }
        return;
    };
    for keep_other in [true, false] {
        let there = to_stix::convert(document.clone(), to_stix::Options { keep_other });
        let again = stix::Bundle::from_value(there.bundle.to_value());
        assert!(again.is_ok() || there.bundle.objects.is_empty(), "a bundle must read back");
        let _ = from_stix::convert(there.bundle);
    }
}
