//! Entry point of the fuzz target `stix_bundle`; the corpus is replayed by `tests/it`.

use crate::bundle::Bundle;
use crate::json::Limits;
use crate::{pattern, validate};

/// Reads, judges, prints and reads again: nothing may panic, and what is printed reads back equal.
pub fn bundle(bytes: &[u8]) {
    let limits = Limits { max_bytes: 1 << 20, max_depth: 64, max_values: 50_000 };
    let streamed = crate::stream::validate(bytes, limits);
    let Ok(bundle) = Bundle::read(bytes, limits) else {
        let _ = std::str::from_utf8(bytes).map(pattern::simple_values);
        return;
    };
    let report = validate::bundle(&bundle);
    assert!(report.problems.len() <= validate::MAX_PROBLEMS, "more problems than the bound");
    assert!(streamed.is_ok(), "what is read at once must be read object by object");
    let (_, _) = crate::upgrade::bundle(&bundle);
    for object in &bundle.objects {
        let _ = object.text("pattern").map(pattern::simple_values);
        let _ = crate::id::deterministic(object.kind(), object.properties());
        let _ = crate::jcs::to_string(&object.to_value());
    }
    let again = Bundle::read(bundle.to_json().as_bytes(), Limits { max_bytes: 8 << 20, ..limits });
    assert_eq!(again.as_ref(), Ok(&bundle), "a bundle must read back as it was printed");
}
