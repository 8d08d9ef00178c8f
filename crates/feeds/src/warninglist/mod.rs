//! Warninglists in MISP's format: values that are no indicators, or not without a second look.
//!
//! Lists are compiled once into a [`Matcher`]; asking for a value costs less than a microsecond,
//! however many lists there are. Kinds of lists and how they match:
//!
//! | `type` | matches |
//! |---|---|
//! | `string` | the value, case ignored; an entry with a leading dot matches like a `hostname` |
//! | `hostname` | the host of the value and every name under it |
//! | `cidr` | addresses and networks inside; also the address in a URL or endpoint |
//! | `substring` | any place in the value, case ignored |
//! | `regex` | a regular expression of bounded size, in linear time |

mod matcher;
mod ranges;

use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;

pub use matcher::{Hits, LeftOut, Matcher};

/// Longest list file, in bytes.
pub const MAX_LIST_BYTES: usize = 64 << 20;
/// Most entries of all lists of a matcher.
pub const MAX_ENTRIES: usize = 4_000_000;
/// Most lists of a matcher.
pub const MAX_LISTS: usize = 4_096;
/// Bytes that the shipped selection unpacks to at most.
const MAX_SHIPPED_BYTES: u64 = 32 << 20;

/// The shipped selection: a JSON document a line, packed with gzip. Made of MISP/misp-warninglists
/// at 84f0610 (CC0-1.0) by `examples/pack_warninglists.rs`, which says what was taken and why.
const SHIPPED: &[u8] = include_bytes!("../../data/warninglists.jsonl.gz");

/// How a list matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// The whole value.
    String,
    /// A part of it.
    Substring,
    /// A host and what is under it.
    Hostname,
    /// A network.
    Cidr,
    /// A regular expression.
    Regex,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Warninglist {
    /// Name.
    pub name: String,
    /// What it holds and why a hit is worth a look.
    #[serde(default)]
    pub description: String,
    /// Version; a greater one replaces a smaller one.
    pub version: u64,
    /// How it matches.
    #[serde(rename = "type")]
    pub matching: Matching,
    /// MISP attribute types it is meant for; empty: all.
    #[serde(default)]
    pub matching_attributes: Vec<String>,
    /// Entries.
    pub list: Vec<String>,
}

/// Why lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WarninglistError {
    /// A file longer than [`MAX_LIST_BYTES`].
    #[error("the list has {0} bytes, more than {MAX_LIST_BYTES}; split it")]
    TooLarge(usize),
    /// No warninglist.
    #[error("not a warninglist: {0}")]
    Format(#[from] serde_json::Error),
    /// More entries than [`MAX_ENTRIES`].
    #[error("the lists hold more than {MAX_ENTRIES} entries; leave large ones out")]
    TooManyEntries,
    /// More lists than [`MAX_LISTS`].
    #[error("{0} lists, more than {MAX_LISTS}; leave some out")]
    TooManyLists(usize),
    /// Substrings or expressions that cannot be compiled together.
    #[error("the lists cannot be compiled: {0}")]
    Compile(String),
    /// The shipped selection is damaged.
    #[error("the shipped selection cannot be unpacked: {0}")]
    Shipped(#[from] std::io::Error),
}

impl Warninglist {
    /// Reads `list.json`.
    ///
    /// # Errors
    /// [`WarninglistError::TooLarge`], [`WarninglistError::Format`].
    pub fn read(bytes: &[u8]) -> Result<Self, WarninglistError> {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(WarninglistError::TooLarge(bytes.len()));
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// The lists that the product brings.
///
/// # Errors
/// [`WarninglistError`] where the data built in is damaged.
pub fn shipped() -> Result<Vec<Warninglist>, WarninglistError> {
    let mut text = Vec::new();
    GzDecoder::new(SHIPPED).take(MAX_SHIPPED_BYTES).read_to_end(&mut text)?;
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(Warninglist::read)
        .collect()
}

#[cfg(test)]
mod tests;
