//! What fuzzing found to be interesting is read again.

#[test]
fn the_corpus_is_judged_without_a_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/cacao");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        cacao::fuzz::playbook(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 8, "the corpus is there");
    for whole in crate::kit::shipped() {
        cacao::fuzz::playbook(whole.to_string().as_bytes());
    }
    cacao::fuzz::playbook(include_bytes!("../fixtures/everything.json"));
}
