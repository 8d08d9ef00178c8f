//! Entry points of the fuzz targets `mud` and `openc2`; their corpora are replayed by `tests/it`.

use crate::{mud, openc2};

/// Wall time of the commands read, milliseconds since 1970.
const NOW_MS: i64 = 1_800_000_000_000;
/// Longest order that a command may ask for, milliseconds (30 days).
const MAX_MS: i64 = 30 * 86_400 * 1_000;

/// A maker's file: nothing may panic, what it allows is bounded and can be enforced, and read again it says the same.
pub fn mud(bytes: &[u8]) {
    let mut meanings = mud::Meanings {
        local: "10.0.0.0/8".parse().into_iter().collect(),
        controllers: "10.0.0.5".parse().into_iter().collect(),
        ..mud::Meanings::default()
    };
    let known = ["192.0.2.7", "2001:db8::7"].iter().filter_map(|net| net.parse().ok()).collect();
    meanings.names.insert("test.example.com".to_owned(), known);
    let Ok(read) = mud::read(bytes, &meanings) else { return };
    for entry in &read.entries {
        let with_port = entry.port.is_some() || entry.local_port.is_some();
        assert!(!with_port || entry.protocol.is_some(), "a port needs a protocol: {entry:?}");
    }
    assert_eq!(mud::read(bytes, &meanings), Ok(read), "what is read twice is the same");
    // Without meanings no name and no class stands for anything.
    assert!(mud::read(bytes, &mud::Meanings::default()).is_ok(), "names only leave out");
}

/// A command: nothing may panic, a refusal is one of the standard's, what is carried out has an end that is bounded.
pub fn openc2(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice(bytes) else { return };
    match openc2::read(&value, NOW_MS) {
        Err(refusal) => {
            assert!(matches!(refusal.status, 400 | 404 | 501), "{refusal:?}");
            assert!(!refusal.text.is_empty());
        }
        Ok(command) => {
            let short = command.id.as_ref().is_none_or(|id| id.len() <= openc2::MAX_ID_BYTES);
            assert!(short, "{command:?}");
            if let openc2::Asked::Filter { duration_ms: Some(lasts), .. } = command.asked {
                assert!((1..=MAX_MS).contains(&lasts), "{lasts} ms");
            }
        }
    }
}
