//! MISP's interface from outside: PyMISP, and the abuse that it would never send.

use std::path::Path;
use std::process::Command;

use crate::programs::{Node, output};
use crate::taxii::python_with;

#[test]
fn pymisp_adds_changes_searches_and_deletes() {
    let Some(python) = python_with("misp-client", "pymisp", "pymisp") else {
        eprintln!("skipped: pymisp cannot be installed here (needs python3-venv and PyPI)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let (analyst, reader) = (node.token("analyst"), node.token("read-only"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/misp_client.py");
    let url = format!("{}/misp/", node.url.trim_end_matches('/'));
    let done = output(Command::new(python).arg(script).args([&url, &analyst, &reader]));
    assert!(
        done.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
