//! Replays the fuzz corpus of this crate's targets: what fuzzing found to lead somewhere stays.

use std::path::Path;

use protocols::app::Protocol;
use protocols::fuzz;

/// Most bytes of one kept input, and of all of a target: the repository is no store of corpora.
const MAX_INPUT_BYTES: usize = 8 * 1024;
const MAX_TARGET_BYTES: usize = 300 * 1024;

fn replay(target: &str, least: usize, entry: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let (mut count, mut size) = (0, 0);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() <= MAX_INPUT_BYTES, "{} is long", path.display());
        entry(&bytes);
        (count, size) = (count + 1, size + bytes.len());
    }
    assert!(count >= least, "{target}: only {count} inputs: the corpus is missing");
    assert!(size <= MAX_TARGET_BYTES, "{target}: {size} bytes of corpus");
}

#[test]
fn the_corpora_of_captures_and_packets_are_survived() {
    replay("capture", 8, fuzz::capture);
    replay("packet", 8, fuzz::packet);
}

#[test]
fn the_corpora_of_conversations_are_survived() {
    replay("flow", 8, fuzz::flow);
    replay("segments", 8, fuzz::segments);
    replay("fragments", 8, fuzz::fragments);
}

#[test]
fn the_corpora_of_exporters_hellos_and_machines_are_survived() {
    replay("netflow", 8, fuzz::netflow);
    replay("hello", 8, fuzz::hello);
    replay("machines", 8, fuzz::machines);
}

/// The seeds, which name their parser, and what was found from them for each parser.
#[test]
fn the_corpora_of_all_parsers_are_survived() {
    replay("app", 100, fuzz::app);
    for protocol in Protocol::ALL {
        let target = format!("parsers/{}", protocol.name());
        replay(&target, 8, |bytes| fuzz::parser(protocol, bytes));
    }
}

#[test]
fn the_corpus_of_packed_files_is_survived() {
    replay("unpack", 8, fuzz::unpack);
}
