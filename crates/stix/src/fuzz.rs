//! Entry points of the fuzz targets `stix_bundle` and `stix_pattern`; the corpora are replayed by `tests/it`.

use crate::bundle::Bundle;
use crate::json::{self, Limits};
use crate::pattern::index::Index;
use crate::pattern::{Matcher, Observed, Pattern};
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

/// What patterns are evaluated over where the input brings nothing.
const OBSERVED: &str = r#"[{"type":"ipv4-addr","id":"i","value":"10.0.0.1"},
{"type":"file","id":"f","name":"a.exe","size":3,"hashes":{"MD5":"00"},"parent_ref":"i","contains_refs":["f","i"],
"magic_hex":"ffd8","at":"2026-01-01T00:00:01Z","list":[1,"x",{"k":0.5}]},
{"type":"observed-data","id":"1","number_observed":2,"first_observed":"2026-01-01T00:00:00Z",
"last_observed":"2026-01-01T00:00:05Z","object_refs":["i","f"]},
{"type":"observed-data","id":"2","number_observed":1,"first_observed":"2026-01-01T00:00:03Z",
"last_observed":"2026-01-01T00:00:03Z","object_refs":["f"]}]"#;

/// A pattern, and behind a zero byte the data: nothing may panic, what is printed reads back equal, the normal form is
/// one and answers alike, and the index finds what the matcher finds.
pub fn pattern(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let Some(Ok(text)) = parts.next().map(std::str::from_utf8) else { return };
    let _ = (pattern::looks_like_pattern(text), pattern::simple_values(text));
    let Ok(read) = Pattern::parse(text) else { return };
    let printed = read.to_string();
    assert_eq!(Pattern::parse(&printed).as_ref(), Ok(&read), "a pattern must read back as printed");
    let normal = read.normal();
    assert_eq!(normal.normal(), normal, "a normal form must be its own");
    assert_eq!(Pattern::parse(&normal.to_string()).as_ref(), Ok(&normal), "as must a normal form");
    let limits = Limits { max_bytes: 1 << 16, max_depth: 32, max_values: 5_000 };
    let given = parts.next().and_then(|data| json::read(data, limits).ok());
    let data = given.or_else(|| json::read(OBSERVED.as_bytes(), limits).ok()).unwrap_or_default();
    let values = data.as_array().map_or(std::slice::from_ref(&data), Vec::as_slice);
    let Ok(observed) = Observed::read(values) else { return };
    let Ok(matcher) = Matcher::new(&read) else { return };
    let Ok(found) = matcher.matches(&observed) else { return };
    if let Ok(Ok(again)) = Matcher::new(&normal).map(|matcher| matcher.matches(&observed)) {
        assert_eq!(again, found, "a normal form must answer alike: {normal}");
    }
    let index = Index::default();
    if index.insert(7, &read).is_ok()
        && let Ok(all) = index.matching(&observed)
        && all.undecided.is_empty()
    {
        assert_eq!(all.matched.len(), usize::from(found), "the index must find what matches");
    }
}
