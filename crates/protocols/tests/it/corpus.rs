//! Replays the fuzz corpus of this crate's targets.

use std::path::Path;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        entry(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 8, "only {count} inputs: the corpus is missing");
}

#[test]
fn the_capture_corpus_is_survived() {
    replay("capture", protocols::fuzz::capture);
}

#[test]
fn the_packet_corpus_is_survived() {
    replay("packet", protocols::fuzz::packet);
}

#[test]
fn the_flow_corpus_is_survived() {
    replay("flow", protocols::fuzz::flow);
}

#[test]
fn the_app_corpus_is_survived() {
    replay("app", protocols::fuzz::app);
}

#[test]
fn the_unpack_corpus_is_survived() {
    replay("unpack", protocols::fuzz::unpack);
}
