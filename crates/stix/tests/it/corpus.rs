//! The fuzz corpus, replayed.

use std::path::Path;

#[test]
fn the_corpus_of_stix_bundle_is_held() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/stix_bundle");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        stix::fuzz::bundle(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 6, "the corpus holds {count} files");
}
