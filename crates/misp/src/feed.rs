//! Feeds as MISP reads them: the manifest and hash list of a MISP feed, delimited text, free text.

use serde_json::{Map, Value};
use stix::json::{self, JsonError, Limits};

use crate::value::{self, refang};

/// Most lines or words that are read of one feed.
pub const MAX_ENTRIES: usize = 5_000_000;
/// Most columns of a line.
pub const MAX_COLUMNS: usize = 256;

/// One event in `manifest.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestEntry {
    /// UUID of the event; its file is `UUID.json`.
    pub uuid: String,
    /// What the manifest says of it (`info`, `timestamp`, `Orgc`, `Tag` …), whole.
    pub fields: Map<String, Value>,
}

/// Why a feed cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Not JSON within the limits.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON of another shape.
    #[error("not a manifest: {0}")]
    Shape(String),
}

/// Reads `manifest.json`. A name that is no UUID is an error: it would become part of a path.
///
/// # Errors
/// [`FeedError`].
pub fn manifest(bytes: &[u8], limits: Limits) -> Result<Vec<ManifestEntry>, FeedError> {
    let Value::Object(map) = json::read(bytes, limits)? else {
        return Err(FeedError::Shape(
            "an object with a UUID for every event is expected".to_owned(),
        ));
    };
    map.into_iter()
        .map(|(name, value)| match (uuid::Uuid::parse_str(&name), value) {
            (Ok(uuid), Value::Object(fields)) if name.len() == 36 => {
                Ok(ManifestEntry { uuid: uuid.to_string(), fields })
            }
            _ => Err(FeedError::Shape(format!(
                "`{}` is not a UUID with an object",
                name.chars().take(80).collect::<String>()
            ))),
        })
        .collect()
}

/// Reads `hashes.csv`: MD5 of a value and UUID of the event that holds it. Lines of another form come back with their
/// number.
#[must_use]
pub fn hashes(text: &str) -> (Vec<(String, String)>, Vec<Rejected>) {
    let (mut found, mut rejected) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().take(MAX_ENTRIES).enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let pair = line.trim().split_once(',').and_then(|(hash, uuid)| {
            let hash = value::normalise("md5", hash).ok()?;
            Some((hash, uuid::Uuid::parse_str(uuid.trim()).ok()?.to_string()))
        });
        match pair {
            Some(pair) => found.push(pair),
            None => rejected.push(reject(index, line, "a line `MD5,UUID` is expected")),
        }
    }
    (found, rejected)
}

/// A value found in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Attribute type.
    pub kind: &'static str,
    /// Normal form.
    pub value: String,
    /// Line, from 1.
    pub line: usize,
}

/// A line or word that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Line, from 1.
    pub line: usize,
    /// The text, cut to 200 characters.
    pub text: String,
    /// Why.
    pub why: String,
}

fn reject(index: usize, text: &str, why: impl Into<String>) -> Rejected {
    Rejected { line: index + 1, text: text.chars().take(200).collect(), why: why.into() }
}

/// What to exclude: MISP takes a regular expression, which the caller compiles with bounds of its own.
pub type Exclude<'a> = Option<&'a dyn Fn(&str) -> bool>;

/// How to read delimited text.
#[derive(Clone, Copy)]
pub struct Csv<'a> {
    /// Between columns.
    pub delimiter: char,
    /// Columns with values, from 1; empty means all.
    pub columns: &'a [usize],
    /// Lines to pass over.
    pub exclude: Exclude<'a>,
}

impl Default for Csv<'_> {
    fn default() -> Self {
        Self { delimiter: ',', columns: &[], exclude: None }
    }
}

/// How to read free text.
#[derive(Clone, Copy, Default)]
pub struct FreeText<'a> {
    /// Words to pass over.
    pub exclude: Exclude<'a>,
}

/// Reads delimited text (RFC 4180 quotes, one record a line, `#` comments). The type of every value is found by its
/// form.
#[must_use]
pub fn csv(text: &str, how: &Csv<'_>) -> (Vec<Found>, Vec<Rejected>) {
    let (mut found, mut rejected) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if index >= MAX_ENTRIES {
            rejected.push(reject(
                index,
                line,
                format!("more than {MAX_ENTRIES} lines; split the feed"),
            ));
            break;
        }
        if how.exclude.is_some_and(|exclude| exclude(line)) {
            rejected.push(reject(index, line, "excluded"));
            continue;
        }
        let cells = cells(line, how.delimiter);
        for (at, cell) in cells.iter().enumerate() {
            if !how.columns.is_empty() && !how.columns.contains(&(at + 1)) {
                continue;
            }
            match detect(cell) {
                Some((kind, value)) => found.push(Found { kind, value, line: index + 1 }),
                None => rejected.push(reject(index, cell, "no known form of a value")),
            }
        }
        for column in how.columns.iter().filter(|column| **column == 0 || **column > cells.len()) {
            rejected.push(reject(index, line, format!("there is no column {column}")));
        }
    }
    (found, rejected)
}

fn cells(line: &str, delimiter: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted && cells.len() < MAX_COLUMNS - 1 => {
                cells.push(std::mem::take(&mut cell))
            }
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

/// Finds values in free text, word by word; words of no known form are not values and are not listed.
#[must_use]
pub fn free_text(text: &str, how: &FreeText<'_>) -> (Vec<Found>, Vec<Rejected>) {
    let (mut found, mut rejected) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let between =
            |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '<' | '>' | '|');
        for word in line.split(between).filter(|word| !word.is_empty()) {
            if seen.len() >= MAX_ENTRIES {
                rejected.push(reject(
                    index,
                    word,
                    format!("more than {MAX_ENTRIES} values; split the text"),
                ));
                return (found, rejected);
            }
            let Some((kind, value)) = detect(word.trim_end_matches(['.', ':', ')', ']'])) else {
                continue;
            };
            if how.exclude.is_some_and(|exclude| exclude(word)) {
                rejected.push(reject(index, word, "excluded"));
            } else if seen.insert((kind, value.clone())) {
                found.push(Found { kind, value, line: index + 1 });
            }
        }
    }
    (found, rejected)
}

/// The type and normal form of a value, by its form: hash, address (with port), URL, mail address, CVE, AS number, MAC
/// address, domain. `None` for what could be anything.
#[must_use]
pub fn detect(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    if !(3..=4_096).contains(&text.len()) {
        return None;
    }
    let as_kind = |kind: &'static str, text: &str| Some((kind, value::normalise(kind, text).ok()?));
    if text.bytes().all(|b| b.is_ascii_hexdigit()) {
        for (digits, kind) in [
            (32, "md5"),
            (40, "sha1"),
            (56, "sha224"),
            (64, "sha256"),
            (96, "sha384"),
            (128, "sha512"),
        ] {
            if text.len() == digits {
                return as_kind(kind, text);
            }
        }
    }
    let plain = refang(text);
    if let Some(found) = as_kind("ip-dst", &plain) {
        return Some(found);
    }
    if plain.contains("://") {
        return as_kind("url", &plain);
    }
    if plain.contains('@') {
        return as_kind("email-src", &plain);
    }
    let upper = plain.to_ascii_uppercase();
    if let Some(rest) = upper.strip_prefix("CVE-")
        && let Some((year, number)) = rest.split_once('-')
        && year.len() == 4
        && number.len() >= 4
        && year.bytes().chain(number.bytes()).all(|b| b.is_ascii_digit())
    {
        return Some(("vulnerability", upper));
    }
    if upper.starts_with("AS") && upper.len() > 2 && upper[2..].bytes().all(|b| b.is_ascii_digit())
    {
        return as_kind("AS", &plain);
    }
    if plain.len() == 17 && plain.matches([':', '-']).count() == 5 {
        return as_kind("mac-address", &plain);
    }
    if let Some((host, port)) = plain.rsplit_once(':')
        && port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        if host.parse::<std::net::Ipv4Addr>().is_ok() {
            return as_kind("ip-dst|port", &plain);
        }
        return as_kind("hostname|port", &plain).filter(|_| looks_like_name(host));
    }
    if let Some((host, _)) = plain.split_once('/') {
        return if looks_like_name(host) { as_kind("url", &plain) } else { None };
    }
    if !looks_like_name(&plain) {
        return None;
    }
    as_kind(if plain.matches('.').count() > 1 { "hostname" } else { "domain" }, &plain)
}

/// Whether a name ends like a domain: letters only (or `xn--`), so that file sizes and versions are none.
fn looks_like_name(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    let letters = last.len() >= 2 && last.chars().all(char::is_alphabetic);
    text.contains('.')
        && (letters || last.starts_with("xn--"))
        && value::normalise("hostname", text).is_ok()
}
