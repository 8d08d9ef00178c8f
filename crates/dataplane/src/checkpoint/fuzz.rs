//! Entry point of the fuzz target `checkpoint`; its corpus is replayed by `tests/it`.

use super::chunk::{self, MAX_CHUNK_BYTES};
use super::manifest::{self, Entry};

/// Bytes of a store, as a manifest, as a list of entries, as a chunk and as what is to be cut into chunks: nothing may
/// panic, what is read is bounded and goes out as it came in, a signature that does not fit lets nothing in.
pub fn stored(bytes: &[u8]) {
    assert!(manifest::read(bytes, |_| false).is_err(), "unsigned");
    if let Ok((read, text)) = manifest::read(bytes, |_| true) {
        let again = serde_json::to_string(&read).unwrap_or_default();
        assert_eq!(serde_json::from_str(&again).ok(), Some(read), "{text}");
    }
    if let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(bytes) {
        for entry in &entries {
            let _ = entry.bytes();
        }
        let again = serde_json::to_string(&entries).unwrap_or_default();
        assert_eq!(serde_json::from_str(&again).ok(), Some(entries));
    }
    if let Ok(plain) = chunk::unpacked(bytes) {
        // A plain one is no longer than its file, which is read within its own bound.
        assert!(plain.len() <= bytes.len().max(MAX_CHUNK_BYTES + 1), "{} bytes", plain.len());
    }
    let mut whole = Vec::new();
    let cut = chunk::each::<std::io::Error>(bytes, |piece| {
        assert!(!piece.is_empty() && piece.len() <= MAX_CHUNK_BYTES, "{} bytes", piece.len());
        whole.extend_from_slice(piece);
        Ok(())
    });
    assert!(cut.is_ok() && whole == bytes, "what is cut is put together again");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_corpus_is_read_without_a_panic_and_within_the_laws() {
        let folder = format!("{}/../../fuzz/corpus/checkpoint", env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            super::stored(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 6, "the corpus is there");
    }
}
