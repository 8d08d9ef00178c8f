//! What the source says of the configuration: structs with their keys, types and comments; enums with their words.
//! The source is our own and formatted, so a reader of lines is enough.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) meaning: String,
}

/// A struct's keys, or an enum's words.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Table(Vec<Key>),
    Words(Vec<String>),
}

/// All shapes, by crate and name.
pub(crate) struct Source(BTreeMap<(String, String), Vec<(PathBuf, Shape)>>);

impl Source {
    /// Reads every source file of the workspace's crates.
    pub(crate) fn read(root: &Path) -> Self {
        let mut all = Self(BTreeMap::new());
        for folder in std::fs::read_dir(root.join("crates")).unwrap() {
            let folder = folder.unwrap().path();
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            all.folder(&name, &folder.join("src"));
        }
        all
    }

    fn folder(&mut self, owner: &str, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                self.folder(owner, &path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (name, shape) in shapes(&text) {
                    self.0.entry((owner.to_owned(), name)).or_default().push((path.clone(), shape));
                }
            }
        }
    }

    /// A type of a crate; of several with one name that of its `config.rs`. Types of others come from `model`.
    pub(crate) fn find(&self, owner: &str, name: &str) -> Option<&Shape> {
        [owner, "model", "platform"].into_iter().find_map(|owner| {
            let found = self.0.get(&(owner.to_owned(), name.to_owned()))?;
            let first = found.iter().find(|(path, _)| path.ends_with("src/config.rs"));
            let config = || found.iter().find(|(path, _)| path.ends_with("config.rs"));
            first.or_else(config).or(found.first()).map(|(_, shape)| shape)
        })
    }
}

/// Public structs with named fields and public enums without data.
fn shapes(text: &str) -> Vec<(String, Shape)> {
    let mut found = vec![];
    let mut lines = text.lines();
    let mut rename = String::new();
    while let Some(line) = lines.next() {
        if let Some(rule) = line.strip_prefix("#[serde(rename_all = \"") {
            rename = rule.split('"').next().unwrap_or_default().to_owned();
        }
        if line.is_empty() {
            rename.clear();
        }
        let body = |lines: &mut std::str::Lines<'_>| -> Vec<String> {
            lines.take_while(|line| *line != "}").map(str::to_owned).collect()
        };
        let name = |rest: &str| rest.strip_suffix(" {").map(str::to_owned);
        if let Some(name) = line.strip_prefix("pub struct ").and_then(name) {
            found.push((name, Shape::Table(keys(&body(&mut lines)))));
        } else if let Some(name) = line.strip_prefix("pub enum ").and_then(name) {
            found.push((name, Shape::Words(words(&body(&mut lines), &rename))));
        }
    }
    found
}

fn keys(body: &[String]) -> Vec<Key> {
    let mut keys = vec![];
    let mut said: Vec<&str> = vec![];
    for line in body.iter().map(|line| line.trim()) {
        if let Some(text) = line.strip_prefix("///") {
            said.push(text.trim());
        } else if let Some((name, kind)) =
            line.strip_prefix("pub ").and_then(|rest| rest.split_once(": "))
        {
            keys.push(Key {
                name: name.to_owned(),
                kind: kind.trim_end_matches(',').to_owned(),
                meaning: said.join(" "),
            });
            said.clear();
        }
    }
    keys
}

fn words(body: &[String], rename: &str) -> Vec<String> {
    let mut words = vec![];
    let mut own: Option<String> = None;
    for line in body.iter().map(|line| line.trim()) {
        if let Some(name) = line.strip_prefix("#[serde(rename = \"") {
            own = name.split('"').next().map(str::to_owned);
        } else if line.chars().next().is_some_and(char::is_uppercase) {
            let name = line.trim_end_matches(',');
            words.push(own.take().unwrap_or_else(|| renamed(name, rename)));
        }
    }
    words
}

fn renamed(name: &str, rule: &str) -> String {
    let between = match rule {
        "snake_case" => "_",
        "kebab-case" => "-",
        _ => "",
    };
    let mut word = String::new();
    for (at, letter) in name.chars().enumerate() {
        if at > 0 && letter.is_uppercase() {
            word.push_str(between);
        }
        word.extend(letter.to_lowercase());
    }
    word
}
