//! What ships with the program: object templates and a selection of taxonomies of the MISP project.

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use serde_json::Value;

/// Object templates: a JSON document a line (MISP/misp-objects, CC0-1.0).
const TEMPLATES: &[u8] = include_bytes!("../data/object-templates.jsonl.gz");
/// A selection of taxonomies in the same form (MISP/misp-taxonomies, CC0-1.0).
const TAXONOMIES: &[u8] = include_bytes!("../data/taxonomies.jsonl.gz");
/// Bytes that either unpacks to at most.
const MAX_UNPACKED_BYTES: u64 = 8 << 20;

/// Something that ships, with a number that is the same in every node and version.
pub(crate) struct Shipped {
    pub(crate) id: i64,
    pub(crate) body: Value,
}

fn read(packed: &[u8], name: &str) -> Vec<Shipped> {
    let mut text = String::new();
    // Damaged data would be a fault of the build; the tests read all of it.
    if GzDecoder::new(packed).take(MAX_UNPACKED_BYTES).read_to_string(&mut text).is_err() {
        return vec![];
    }
    let bodies = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    bodies
        .map(|body| Shipped { id: number(body[name].as_str().unwrap_or_default()), body })
        .collect()
}

/// A number for a name: the first 31 bits of its UUID (version 5).
pub(crate) fn number(name: &str) -> i64 {
    let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes());
    let bytes = hash.as_bytes();
    i64::from(u32::from_be_bytes([bytes[0] & 0x7f, bytes[1], bytes[2], bytes[3]]))
}

/// The object templates, by name.
pub(crate) fn templates() -> &'static [Shipped] {
    static READ: LazyLock<Vec<Shipped>> = LazyLock::new(|| read(TEMPLATES, "name"));
    &READ
}

/// The taxonomies, by namespace.
pub(crate) fn taxonomies() -> &'static [Shipped] {
    static READ: LazyLock<Vec<Shipped>> = LazyLock::new(|| read(TAXONOMIES, "namespace"));
    &READ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_whole_and_has_numbers_of_its_own() {
        for (list, name, least) in [(templates(), "name", 400), (taxonomies(), "namespace", 75)] {
            assert!(list.len() > least, "{name}: {}", list.len());
            let mut ids: Vec<i64> = list.iter().map(|one| one.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), list.len(), "{name}");
            assert!(list.iter().all(|one| one.id > 0 && one.body[name].is_string()));
        }
    }
}
