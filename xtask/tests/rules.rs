//! The rules of the house. A failure names the place and the rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use xtask::{
    ARROWS_WITHIN, FLOORS, NOT_ON_THE_EDGE, STIX_SPEAKERS, arrows, files, floor, functions, root,
};

/// Hard limit; 400 is the aim.
const MAX_FILE_LINES: usize = 500;

#[test]
fn every_arrow_goes_down_and_rooms_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (from, targets) in arrows(&root()).unwrap() {
        let own =
            floor(&from).unwrap_or_else(|| panic!("{from} stands on no floor: xtask::FLOORS"));
        for to in targets {
            let theirs = floor(&to).unwrap();
            let listed = ARROWS_WITHIN.contains(&(from.as_str(), to.as_str()));
            if !(theirs < own || listed) {
                wrong.push(format!("{from} (floor {own}) → {to} (floor {theirs})"));
            }
            if to == "stix" && !STIX_SPEAKERS.contains(&from.as_str()) {
                wrong.push(format!("{from} → stix: only {STIX_SPEAKERS:?} speak STIX"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that go up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_stands_in_the_architecture_document() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<&str> = FLOORS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !text.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for folder in ["crates", "xtask", "web/src", "web/e2e", "fuzz"] {
        let folder = root().join(folder);
        if !folder.is_dir() {
            continue;
        }
        for file in files(&folder, &[".rs", ".ts", ".tsx", ".mjs"]).unwrap() {
            if file.ends_with("schema.d.ts") {
                continue;
            }
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            if lines > MAX_FILE_LINES {
                long.push(format!("{} has {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "limit {MAX_FILE_LINES}:\n{}", long.join("\n"));
}

/// From signature to closing brace.
const MAX_FUNCTION_LINES: usize = 70;

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    let mut seen = 0;
    let programs = files(&root().join("crates"), &[".rs"]).unwrap();
    for file in programs.into_iter().filter(|file| file.iter().any(|part| part == "src")) {
        for (line, name, length) in functions(&std::fs::read_to_string(&file).unwrap()) {
            seen += 1;
            if length > MAX_FUNCTION_LINES {
                long.push(format!("{}:{line} {name}: {length} lines", file.display()));
            }
        }
    }
    assert!(seen > 1_000, "only {seen} functions were recognised");
    assert!(long.is_empty(), "limit {MAX_FUNCTION_LINES}:\n{}", long.join("\n"));
}

#[test]
fn the_edge_links_nothing_of_the_node() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "-p", "sereno-edge", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("dataplane"), "the tree could not be read:\n{tree}");
    for name in NOT_ON_THE_EDGE {
        let linked = tree.lines().any(|line| line.split(' ').next() == Some(name));
        assert!(!linked, "sereno-edge links {name}");
    }
}

#[test]
fn nothing_names_a_machine_or_a_mirror() {
    let mut wrong = Vec::new();
    let lock = root().join("web/package-lock.json");
    if let Ok(text) = std::fs::read_to_string(&lock) {
        for line in text.lines().filter(|line| line.contains("\"resolved\"")) {
            if !line.contains("https://registry.npmjs.org/") {
                wrong.push(format!("web/package-lock.json: {}", line.trim()));
            }
        }
    }
    let home = ["/home", "/root"].map(|folder| format!("{folder}/"));
    for file in files(&root().join("crates"), &[".rs", ".toml"]).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        if home.iter().any(|path| text.contains(path.as_str())) {
            wrong.push(format!("{} names a home folder", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Evidence that is not there is none.
#[test]
fn files_that_documents_name_as_evidence_exist() {
    let mut missing = Vec::new();
    let mut named = 0;
    for document in ["docs/threat-model.md", "docs/accessibility.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let folders = ["crates/", "packaging/", "xtask/", "fuzz/", "web/"];
            if !folders.iter().any(|folder| name.starts_with(folder)) || name.contains('*') {
                continue;
            }
            named += 1;
            if !root().join(name).exists() {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(named > 30, "only {named} files are named");
    assert!(missing.is_empty(), "{missing:#?}");
}
