//! What fuzzing found to be interesting is read again.

fn each(target: &str, read: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 4, "the corpus of {target} is there");
    files.iter().for_each(|file| read(&std::fs::read(file).unwrap()));
}

#[test]
fn the_corpora_are_read_without_a_panic_and_within_the_laws() {
    each("mud", gateway::fuzz::mud);
    each("openc2", gateway::fuzz::openc2);
}
