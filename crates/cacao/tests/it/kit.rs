//! Small playbooks to spoil, the published ones, and what a node carries out.

use std::path::{Path, PathBuf};

use cacao::Abilities;
use serde_json::Value;

pub(crate) use crate::build::{action, block, end, manual, notify, playbook};

/// A file or folder of the test data that does not come with the program.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(path);
    path.exists().then_some(path)
}

/// The playbooks that come with the program.
pub(crate) fn shipped() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/playbooks");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
        .collect()
}

/// Abilities to judge by: an engine of all steps with a few actuators.
pub(crate) fn abilities() -> Abilities {
    Abilities::default()
        .with_steps(["start", "end", "action", "playbook-action", "parallel", "if-condition"])
        .with_steps(["while-condition", "switch-condition"])
        .with_commands(["manual", "http-api"])
        .with_actuator("console", ["notify"])
        .with_actuator("gateway", ["block", "release"])
}
