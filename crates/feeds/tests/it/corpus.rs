//! The fuzz corpora, replayed as they are and with damage.

use std::path::Path;

use proptest::prelude::*;

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("feeds_text", feeds::fuzz::text),
    ("feeds_json", feeds::fuzz::json),
    ("feeds_pack", feeds::fuzz::pack),
    ("feeds_turtle", feeds::fuzz::turtle),
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn the_corpora_are_held() {
    for (target, run) in TARGETS {
        let files = corpus(target);
        assert!(files.len() >= 2, "{target}: {} files", files.len());
        for bytes in files {
            run(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn damaged_corpora_are_held(
        target in prop::sample::select(TARGETS),
        which: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let files = corpus(target.0);
        let mut bytes = which.get(&files).clone();
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
        (target.1)(&bytes);
    }
}
