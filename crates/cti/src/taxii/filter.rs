//! Filters and pages of the lists (§3.4, §3.5): `added_after`, `match[…]`, `limit`, `next`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stix::Timestamp;

use super::TaxiiError;

/// Objects on a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 100;
/// Objects on a page at most; a larger wish is cut to it.
pub(crate) const MAX_LIMIT: i64 = 1_000;
/// Values of all filters together.
const MAX_FILTER_VALUES: usize = 200;

/// Which versions of an object are wanted (§3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    All,
    Only { first: bool, last: bool, exact_us: Vec<i64> },
}

/// What is wanted of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only what was added after this, microseconds UTC: the later of `added_after` and `next`.
    pub(crate) after_us: i64,
    pub(crate) ids: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) spec_versions: Vec<String>,
    pub(crate) versions: Versions,
    /// Objects on the page.
    pub(crate) limit: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            after_us: i64::MIN,
            ids: vec![],
            types: vec![],
            spec_versions: vec![],
            versions: Versions::Only { first: false, last: true, exact_us: vec![] },
            limit: DEFAULT_LIMIT,
        }
    }
}

impl Filter {
    /// Reads the query. What TAXII does not define is ignored, as it asks.
    pub(crate) fn from_query(query: &[(String, String)]) -> Result<Self, TaxiiError> {
        let mut filter = Self::default();
        let mut values = 0;
        for (name, value) in query {
            let list = || value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
            match name.as_str() {
                "added_after" => filter.after_us = filter.after_us.max(time(name, value)?),
                "next" => filter.after_us = filter.after_us.max(cursor(value)?),
                "limit" => filter.limit = limit(value)?,
                "match[id]" => filter.ids = list(),
                "match[type]" => filter.types = list(),
                "match[spec_version]" => filter.spec_versions = list(),
                "match[version]" => filter.versions = versions(&list())?,
                _ => continue,
            }
            values += value.split(',').count();
            if values > MAX_FILTER_VALUES {
                let text = format!("more than {MAX_FILTER_VALUES} filter values; ask in parts");
                return Err(TaxiiError::bad_request(text));
            }
        }
        Ok(filter)
    }
}

fn time(name: &str, value: &str) -> Result<i64, TaxiiError> {
    Timestamp::parse(value).map(Timestamp::unix_us).map_err(|error| {
        let clip: String = value.chars().take(60).collect();
        TaxiiError::bad_request(format!("{name}='{clip}' is no timestamp: {error}"))
    })
}

fn limit(value: &str) -> Result<i64, TaxiiError> {
    match value.parse::<i64>() {
        Ok(wanted) if wanted > 0 => Ok(wanted.min(MAX_LIMIT)),
        _ => Err(TaxiiError::bad_request("limit must be a whole number above 0")),
    }
}

fn versions(words: &[String]) -> Result<Versions, TaxiiError> {
    let (mut first, mut last, mut exact_us) = (false, false, Vec::new());
    for word in words {
        match word.as_str() {
            "all" => return Ok(Versions::All),
            "first" => first = true,
            "last" => last = true,
            other => exact_us.push(time("match[version]", other)?),
        }
    }
    Ok(Versions::Only { first, last, exact_us })
}

/// The opaque cursor behind a position. A position never changes, so a cursor stays good while
/// objects are added.
pub(crate) fn next(added_us: i64) -> String {
    URL_SAFE_NO_PAD.encode(added_us.to_be_bytes())
}

fn cursor(value: &str) -> Result<i64, TaxiiError> {
    URL_SAFE_NO_PAD
        .decode(value)
        .ok()
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
        .map(i64::from_be_bytes)
        .ok_or_else(|| TaxiiError::bad_request("next was not made by this server"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Filter, TaxiiError> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Filter::from_query(&pairs)
    }

    #[test]
    fn reads_every_filter_of_the_standard() {
        let filter = read(&[
            ("match[type]", "indicator,sighting"),
            ("match[version]", "first,2016-01-20T12:31:12.123Z"),
            ("match[unheard]", "x"),
            ("limit", "5000"),
            ("added_after", "1970-01-01T00:00:01Z"),
        ])
        .unwrap();
        assert_eq!(filter.types, ["indicator", "sighting"]);
        assert_eq!((filter.limit, filter.after_us), (MAX_LIMIT, 1_000_000));
        let exact_us = vec![1_453_293_072_123_000];
        assert_eq!(filter.versions, Versions::Only { first: true, last: false, exact_us });
        assert_eq!(read(&[("match[version]", "last,all")]).unwrap().versions, Versions::All);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for pair in [("limit", "0"), ("limit", "x"), ("next", "%%"), ("added_after", "yesterday")] {
            assert_eq!(read(&[pair]).unwrap_err().http_status, "400", "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn cursors_round_trip(us: i64) {
            prop_assert_eq!(cursor(&next(us)).unwrap(), us);
        }
    }
}
