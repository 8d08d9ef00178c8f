//! Repository rules as tests (see `tests/rules.rs`) and chores. The floors of the house stand here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which floor a crate stands on. An arrow goes down only.
pub const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("lists", 0),
    ("ports", 0),
    ("protocols", 0),
    ("stix", 0),
    ("misp", 0),
    ("cacao", 0),
    ("analytics", 0),
    ("feeds", 0),
    ("platform", 1),
    ("dataplane", 1),
    ("intel", 1),
    ("rulings", 1),
    ("web", 1),
    ("assets", 2),
    ("detection", 2),
    ("gateway", 2),
    ("cti", 2),
    ("knowledge", 2),
    ("misphub", 2),
    ("feedhub", 2),
    ("federation", 2),
    ("communities", 2),
    ("playbooks", 2),
    ("webhooks", 2),
    ("recovery", 2),
    ("situation", 2),
    ("incidents", 2),
    ("accountability", 2),
    ("identity", 2),
    ("backup", 2),
    ("server", 3),
    ("sereno", 4),
    ("sereno-edge", 4),
];

/// Arrows within floors 0 and 1. Rooms of floor 2 have none among each other.
pub const ARROWS_WITHIN: &[(&str, &str)] = &[
    ("ports", "model"),
    ("analytics", "protocols"),
    ("feeds", "stix"),
    ("intel", "platform"),
    ("intel", "feeds"),
    ("misp", "stix"),
    ("cacao", "stix"),
    ("cacao", "model"),
    ("lists", "model"),
];

/// Crates that only `stix` and its users may speak STIX: others reach it through ports.
pub const STIX_SPEAKERS: &[&str] = &[
    "cacao",
    "misp",
    "intel",
    "cti",
    "feeds",
    "knowledge",
    "misphub",
    "federation",
    "feedhub",
    "playbooks",
    "sereno",
    "webhooks",
    "communities",
];

/// What the edge program must never link: it runs on a lamppost.
pub const NOT_ON_THE_EDGE: &[&str] = &["sqlx", "axum", "cedar-policy", "reqwest", "platform"];

/// The repository.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Every crate of the house with the crates of the house it depends on (tests left out).
///
/// # Errors
/// A manifest cannot be read.
pub fn arrows(root: &Path) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut arrows = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        if !manifest.is_file() {
            continue;
        }
        let table: toml::Table = std::fs::read_to_string(&manifest)?.parse()?;
        let name = table["package"]["name"].as_str().unwrap_or_default().to_owned();
        let ours = |dependency: &&String| FLOORS.iter().any(|(known, _)| known == dependency);
        let dependencies = table
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .map(|table| table.keys().filter(ours).cloned().collect())
            .unwrap_or_default();
        arrows.insert(name, dependencies);
    }
    Ok(arrows)
}

/// The floor of a crate.
pub fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// All files under `folder` with one of the endings, build products left out.
///
/// # Errors
/// A folder cannot be read.
pub fn files(folder: &Path, endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let skipped = ["target", "node_modules", "dist", ".git", "test-results", "corpus"];
            if path.is_dir() && !skipped.contains(&name) {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Functions of a formatted source file: first line (from 1), name, lines from signature to brace.
pub fn functions(source: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let words = text.split(['(', '<']).next().unwrap_or_default();
        let Some((before, name)) = words.split_once("fn ") else { continue };
        let modifiers = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe", "extern"];
        if !before.split_whitespace().all(|word| modifiers.contains(&word)) {
            continue;
        }
        // A signature without body, as traits have them, ends with a semicolon.
        let ends = |line: &&&str| line.contains('{') || line.trim_end().ends_with(';');
        if lines[index..].iter().find(ends).is_none_or(|line| !line.contains('{')) {
            continue;
        }
        // The formatter puts the closing brace under the first letter of the signature.
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[index..].iter().position(|line| *line == closing);
        if let Some(length) = end {
            found.push((index + 1, name.trim().to_owned(), length + 1));
        }
    }
    found
}
