//! Aggregators (§7.2.5, §7.2.6): `aggregator.json` lists providers, and where the aggregator mirrors them.

use serde::Deserialize;
use serde_json::Value;
use stix::json;

use super::provider::{Provider, from_value};
use super::{CsafError, LIMITS};

/// Providers of an aggregator that are looked at.
pub const MAX_PROVIDERS: usize = 500;
/// Mirrors of a provider that are looked at.
const MAX_MIRRORS: usize = 5;

/// What an address turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// `provider-metadata.json`.
    Provider(Box<Provider>),
    /// `aggregator.json`.
    Aggregator(Aggregator),
}

/// `aggregator.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregator {
    /// Its providers and publishers, at most [`MAX_PROVIDERS`].
    pub providers: Vec<Listed>,
    /// How many there are beyond.
    pub left_out: usize,
    /// Entries that could not be read.
    pub rejected: usize,
}

/// A provider as an aggregator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Addresses of its metadata, in the order in which they should be tried: an aggregator's mirrors come first, which
    /// are made to be read; a lister has none.
    pub places: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    metadata: Metadata,
    #[serde(default)]
    mirrors: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    publisher: Publisher,
    url: String,
}

#[derive(Deserialize)]
struct Publisher {
    name: String,
}

/// Reads what a provider or an aggregator publishes about itself.
///
/// # Errors
/// [`CsafError`].
pub fn published(bytes: &[u8]) -> Result<Published, CsafError> {
    let mut value = json::read(bytes, LIMITS)?;
    match value.get("aggregator_version").and_then(Value::as_str) {
        Some("2.0") => {}
        Some(other) => return Err(CsafError::Version(other.chars().take(40).collect())),
        None => return Ok(Published::Provider(Box::new(from_value(value)?))),
    }
    let (mut providers, mut left_out, mut rejected) = (Vec::new(), 0, 0);
    for list in ["csaf_providers", "csaf_publishers"] {
        let Some(Value::Array(entries)) = value.get_mut(list).map(Value::take) else { continue };
        for entry in entries {
            let Ok(entry) = serde_json::from_value::<Entry>(entry) else {
                rejected += 1;
                continue;
            };
            if providers.len() >= MAX_PROVIDERS {
                left_out += 1;
                continue;
            }
            let name = entry.metadata.publisher.name.chars().take(200).collect();
            let mut places: Vec<String> = entry.mirrors.into_iter().take(MAX_MIRRORS).collect();
            places.push(entry.metadata.url);
            providers.push(Listed { name, places });
        }
    }
    if providers.is_empty() && rejected == 0 {
        return Err(CsafError::Shape("no /csaf_providers (§7.2.5)".into()));
    }
    Ok(Published::Aggregator(Aggregator { providers, left_out, rejected }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn mirrors_come_before_the_provider_itself() {
        let text = serde_json::json!({
            "aggregator": {"category": "aggregator", "name": "A", "namespace": "https://a.example"},
            "aggregator_version": "2.0", "canonical_url": "https://a.example/aggregator.json",
            "last_updated": "2026-01-01T00:00:00Z",
            "csaf_providers": [
                {"metadata": {"last_updated": "2026-01-01T00:00:00Z", "publisher": {"category": "vendor",
                    "name": "V", "namespace": "https://v.example"}, "url": "https://v.example/pm.json"},
                 "mirrors": ["https://a.example/v/pm.json"]},
                {"mirrors": []}],
            "csaf_publishers": [
                {"metadata": {"publisher": {"name": "P"}, "url": "https://p.example/pm.json"},
                 "update_interval": "daily"}]});
        let Ok(Published::Aggregator(read)) = published(text.to_string().as_bytes()) else {
            panic!("no aggregator");
        };
        assert_eq!((read.providers.len(), read.rejected, read.left_out), (2, 1, 0));
        assert_eq!(
            read.providers[0].places,
            ["https://a.example/v/pm.json", "https://v.example/pm.json"]
        );
        assert_eq!(read.providers[1].name, "P");
        assert!(published(br#"{"aggregator_version": "3.0"}"#).is_err());
        assert!(published(br#"{"aggregator_version": "2.0"}"#).is_err());
        assert!(published(b"{}").is_err());
    }
}
