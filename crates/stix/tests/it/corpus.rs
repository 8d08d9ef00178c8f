//! The fuzz corpus, replayed as it is and with damage.

use std::path::Path;

use proptest::prelude::*;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn the_corpus_of_stix_bundle_is_held() {
    let files = corpus("stix_bundle");
    assert!(files.len() >= 6, "the corpus holds {} files", files.len());
    for bytes in files {
        stix::fuzz::bundle(&bytes);
    }
}

#[test]
fn the_corpus_of_stix_pattern_is_held() {
    let files = corpus("stix_pattern");
    assert!(files.len() >= 6, "the corpus holds {} files", files.len());
    for bytes in files {
        stix::fuzz::pattern(&bytes);
    }
}

fn damaged(bytes: &mut Vec<u8>, edits: Vec<(prop::sample::Index, u8, u8)>) {
    for (place, byte, kind) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        match kind {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => {
                bytes.remove(at);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_damaged_corpus_is_held(
        which: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let files = corpus("stix_bundle");
        let mut bytes = which.get(&files).clone();
        damaged(&mut bytes, edits);
        stix::fuzz::bundle(&bytes);
    }

    #[test]
    fn a_damaged_corpus_of_patterns_is_held(
        which: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let files = corpus("stix_pattern");
        let mut bytes = which.get(&files).clone();
        damaged(&mut bytes, edits);
        stix::fuzz::pattern(&bytes);
    }
}
