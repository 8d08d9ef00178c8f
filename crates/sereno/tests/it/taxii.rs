//! A real TAXII client that nobody here wrote looks in from outside: PyPI's taxii2-client.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{Node, output};

/// A Python environment with the client, made once below the build folder; `None` when PyPI or
/// Python cannot be had, which is said.
pub(crate) fn python_with(folder: &str, package: &str, module: &str) -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_BIN_EXE_sereno")).parent()?.join(folder);
    let python = place.join("bin/python");
    let has_client = |python: &Path| {
        Command::new(python)
            .args(["-c", &format!("import {module}")])
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if has_client(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&place).output();
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
        .output();
    if made.is_ok() && installed.is_ok() && has_client(&python) {
        return Some(python);
    }
    None
}

#[test]
fn a_foreign_client_finds_writes_and_reads() {
    let Some(python) = python_with("taxii-client", "taxii2-client==2.3.0", "taxii2client") else {
        eprintln!(
            "skipped: taxii2-client 2.3.0 cannot be installed here (needs python3-venv and PyPI)"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let token = node.token("administrator");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/taxii_client.py");
    let done = output(Command::new(python).arg(script).arg(&node.url).arg(&token));
    assert!(
        done.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
