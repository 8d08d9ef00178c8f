//! CSAF 2.0: advisories with their products, and how providers publish them.
//!
//! Our own reader; rules are cited by section of the OASIS standard of 18 November 2022. It is as
//! lenient as a receiver may be: what is mandatory and missing is an error, what is inconsistent is
//! told in [`Advisory::problems`] and the rest is used.

mod aggregator;
mod document;
mod products;
mod provider;
mod records;

use serde_json::Value;
use stix::json::{self, JsonError};

use crate::record::Place;

pub use aggregator::{Aggregator, Listed, MAX_PROVIDERS, Published, published};
pub use document::{
    Cwe, Distribution, Document, Flag, Note, ProductStatus, Publisher, Reference, Remediation,
    Revision, Score, Threat, Tlp, Tracking, Vulnerability, VulnerabilityId,
};
pub use products::{Helper, Product, Products};
pub use provider::{
    Change, Distributions, Feed, FeedEntry, Key, Provider, changes, index, provider, rolie,
};
pub use records::{Status, VulnerabilityRecord};

/// Bounds of one document: 64 MiB, 64 levels, four million values. The largest advisories seen have
/// 10 MiB.
pub const LIMITS: json::Limits =
    json::Limits { max_bytes: 64 << 20, max_depth: 64, max_values: 4_000_000 };
/// Most problems that are told of one document; beyond, they are only counted.
pub const MAX_PROBLEMS: usize = 1_000;

/// Why a document cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CsafError {
    /// No JSON, or beyond [`LIMITS`].
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A mandatory part is missing or has the wrong type.
    #[error("not a CSAF document: {0}")]
    Shape(String),
    /// A version that is not read.
    #[error("CSAF version `{0}`; this reader knows 2.0")]
    Version(String),
}

/// Something inconsistent inside a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, with the section of the standard.
    pub text: String,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// Title, publisher, tracking, notes, distribution.
    pub document: Document,
    /// Products, flattened out of the tree.
    pub products: Products,
    /// Vulnerabilities with status, scores, remediations.
    pub vulnerabilities: Vec<Vulnerability>,
    /// What is inconsistent, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Problems beyond.
    pub problems_untold: usize,
}

#[derive(Default)]
struct Problems {
    told: Vec<Problem>,
    untold: usize,
}

impl Problems {
    fn add(&mut self, pointer: String, text: impl Into<String>) {
        if self.told.len() < MAX_PROBLEMS {
            self.told.push(Problem { place: Place::Pointer(pointer), text: text.into() });
        } else {
            self.untold += 1;
        }
    }
}

/// Reads a CSAF 2.0 document.
///
/// # Errors
/// [`CsafError`] where it is no JSON, too large, of another version or without a mandatory part.
pub fn read(bytes: &[u8]) -> Result<Advisory, CsafError> {
    let mut value = json::read(bytes, LIMITS)?;
    let version = value.pointer("/document/csaf_version").and_then(Value::as_str);
    match version {
        Some("2.0") => {}
        Some(other) => return Err(CsafError::Version(other.chars().take(40).collect())),
        None => return Err(CsafError::Shape("no /document/csaf_version (§3.2.1.4)".into())),
    }
    let mut problems = Problems::default();
    let tree = value.get_mut("product_tree").map(Value::take);
    let products = products::flatten(tree.as_ref(), &mut problems);
    let part = |value: &mut Value, name: &str| value.get_mut(name).map(Value::take);
    let document = part(&mut value, "document").unwrap_or_default();
    let document: Document = serde_json::from_value(document)
        .map_err(|error| CsafError::Shape(format!("/document: {error}")))?;
    let mut vulnerabilities = Vec::new();
    if let Some(list) = part(&mut value, "vulnerabilities") {
        let Value::Array(list) = list else {
            return Err(CsafError::Shape("/vulnerabilities is no list".into()));
        };
        for (index, item) in list.into_iter().enumerate() {
            match serde_json::from_value::<Vulnerability>(item) {
                Ok(read) => vulnerabilities.push(read),
                Err(error) => problems.add(format!("/vulnerabilities/{index}"), error.to_string()),
            }
        }
    }
    for (index, vulnerability) in vulnerabilities.iter().enumerate() {
        vulnerability.check(index, &products, &mut problems);
    }
    document.check(&mut problems);
    let Problems { told, untold } = problems;
    Ok(Advisory { document, products, vulnerabilities, problems: told, problems_untold: untold })
}
