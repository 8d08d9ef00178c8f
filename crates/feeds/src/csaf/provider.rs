//! How providers publish (§7.1): provider metadata, ROLIE feeds, `changes.csv`, `index.txt`.
//! Addresses are returned as they stand; whoever fetches judges them.

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;
use stix::json;

use super::{CsafError, LIMITS, Publisher};
use crate::csv::{Csv, Row, Rows};
use crate::lines::{Line, Lines};
use crate::record::{Emit, End, Limits, Place, Reason, Sink, Summary};

/// `provider-metadata.json` (§7.1.8).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Provider {
    /// Where this document lives.
    pub canonical_url: String,
    /// `csaf_publisher`, `csaf_provider`, `csaf_trusted_provider`.
    pub role: String,
    /// Who.
    pub publisher: Publisher,
    /// When the metadata changed.
    pub last_updated: String,
    /// Where advisories are.
    #[serde(default)]
    pub distributions: Vec<Distributions>,
    /// Fingerprint and address of each key.
    #[serde(default)]
    pub public_openpgp_keys: Vec<Key>,
}

/// An OpenPGP key of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Key {
    /// Fingerprint.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Where it is.
    pub url: String,
}

/// One way to get advisories: a folder with `changes.csv` and `index.txt`, or ROLIE feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Distributions {
    /// Address of the folder.
    pub directory_url: Option<String>,
    /// ROLIE.
    rolie: Rolie,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Rolie {
    feeds: Vec<RolieFeed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct RolieFeed {
    tlp_label: String,
    url: String,
}

impl Distributions {
    /// TLP label and address of every ROLIE feed.
    pub fn feeds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rolie.feeds.iter().map(|feed| (feed.tlp_label.as_str(), feed.url.as_str()))
    }
}

/// Reads provider metadata.
///
/// # Errors
/// [`CsafError`].
pub fn provider(bytes: &[u8]) -> Result<Provider, CsafError> {
    from_value(json::read(bytes, LIMITS)?)
}

pub(super) fn from_value(value: Value) -> Result<Provider, CsafError> {
    match value.get("metadata_version").and_then(Value::as_str) {
        Some("2.0") => {}
        other => {
            return Err(CsafError::Version(other.unwrap_or("none").chars().take(40).collect()));
        }
    }
    serde_json::from_value(value).map_err(|error| CsafError::Shape(error.to_string()))
}

/// A ROLIE feed (RFC 8322 in JSON, §7.1.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: String,
    /// When it changed.
    pub updated: String,
    /// Its entries.
    pub entries: Vec<FeedEntry>,
    /// Entries that could not be read: place in the list, reason.
    pub rejected: Vec<(usize, String)>,
}

/// An entry of a ROLIE feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Identifier of the advisory.
    pub id: String,
    /// Title.
    pub title: String,
    /// First published.
    pub published: String,
    /// Last changed.
    pub updated: String,
    /// Address of the document.
    pub url: String,
    /// Address of the detached signature.
    pub signature: Option<String>,
    /// Address of the digest file; `.sha256` or `.sha512`.
    pub hash: Option<String>,
}

/// Reads a ROLIE feed.
///
/// # Errors
/// [`CsafError`].
pub fn rolie(bytes: &[u8]) -> Result<Feed, CsafError> {
    let mut value = json::read(bytes, LIMITS)?;
    let missing = |name: &str| CsafError::Shape(format!("no /feed/{name} (§7.1.15)"));
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(feed) = value.get_mut("feed") else { return Err(missing("")) };
    let mut entries = Vec::new();
    let mut rejected = Vec::new();
    let Some(Value::Array(list)) = feed.get_mut("entry").map(Value::take) else {
        return Err(missing("entry"));
    };
    for (index, item) in list.iter().enumerate() {
        match entry(item) {
            Ok(entry) => entries.push(entry),
            Err(name) => rejected.push((index, format!("no `{name}`"))),
        }
    }
    Ok(Feed {
        id: text(feed, "id").ok_or_else(|| missing("id"))?,
        title: text(feed, "title").ok_or_else(|| missing("title"))?,
        updated: text(feed, "updated").ok_or_else(|| missing("updated"))?,
        entries,
        rejected,
    })
}

fn entry(value: &Value) -> Result<FeedEntry, &'static str> {
    let text =
        |name: &'static str| value.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(name);
    let link = |rel: &str| {
        let links = value.get("link").and_then(Value::as_array)?;
        let found =
            links.iter().find(|link| link.get("rel").and_then(Value::as_str) == Some(rel))?;
        found.get("href").and_then(Value::as_str).map(str::to_owned)
    };
    let src = value.pointer("/content/src").and_then(Value::as_str).map(str::to_owned);
    Ok(FeedEntry {
        id: text("id")?,
        title: text("title")?,
        published: text("published")?,
        updated: text("updated")?,
        url: src.or_else(|| link("self")).ok_or("content/src")?,
        signature: link("signature"),
        hash: link("hash"),
    })
}

/// A line of `changes.csv` (§7.1.13): newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path relative to the folder, checked to stay inside.
    pub path: String,
    /// `current_release_date`, as written.
    pub date: String,
}

/// Reads `changes.csv`.
pub fn changes(reader: impl Read, limits: Limits, sink: &mut Sink<'_, Change>) -> Summary {
    let mut emit = Emit::new(sink, limits);
    let mut rows = Rows::new(reader, &Csv { comment: None, ..Csv::default() }, limits);
    let end = loop {
        let flow = match rows.next() {
            Err(end) => break end,
            Ok(None) => break End::Complete,
            Ok(Some(Row::Blank)) => {
                emit.counts.skipped += 1;
                continue;
            }
            Ok(Some(Row::Bad(line, reason, raw))) => emit.reject(Place::Line(line), reason, &raw),
            Ok(Some(Row::Fields(line))) => {
                let row = rows.fields();
                let place = Place::Line(line);
                match (row.text(0), row.text(1)) {
                    (Some(path), Some(date)) if row.len() == 2 && is_inside(path) => {
                        emit.record(Change { path: path.to_owned(), date: date.to_owned() })
                    }
                    (path, _) => {
                        let text = "not a relative path to a .json file and a date (§7.1.13)";
                        let raw = path.unwrap_or_default();
                        emit.reject(place, Reason::Format(text.into()), raw.as_bytes())
                    }
                }
            }
        };
        if flow.is_break() {
            break End::Stopped;
        }
    };
    emit.counts.bytes = rows.lines.bytes();
    emit.finish(end)
}

/// Reads `index.txt` (§7.1.12): a relative path a line.
pub fn index(reader: impl Read, limits: Limits, sink: &mut Sink<'_, String>) -> Summary {
    let mut lines = Lines::new(reader, limits);
    let mut emit = Emit::new(sink, limits);
    let end = loop {
        let line = match lines.next() {
            Ok(Line::None) => break End::Complete,
            Ok(line) => line,
            Err(end) => break end,
        };
        let place = Place::Line(lines.number());
        let flow = match (line, std::str::from_utf8(lines.line()).map(str::trim)) {
            (Line::TooLong, _) => {
                emit.reject(place, Reason::TooLong(limits.max_record_bytes), lines.line())
            }
            (_, Err(_)) => emit.reject(place, Reason::NotUtf8, lines.line()),
            (_, Ok("")) => {
                emit.counts.skipped += 1;
                continue;
            }
            (_, Ok(path)) if is_inside(path) => emit.record(path.to_owned()),
            (_, Ok(path)) => {
                let text = "not a relative path to a .json file (§7.1.12)";
                emit.reject(place, Reason::Format(text.into()), path.as_bytes())
            }
        };
        if flow.is_break() {
            break End::Stopped;
        }
    };
    emit.counts.bytes = lines.bytes();
    emit.finish(end)
}

/// Whether a path stays inside the folder it is relative to, and names a document.
fn is_inside(path: &str) -> bool {
    path.ends_with(".json")
        && !path.starts_with('/')
        && !path.contains(['\\', ':', '?', '#', '%'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
