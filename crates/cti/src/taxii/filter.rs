//! Filters and pages of the lists (§3.4, §3.5): `added_after`, `match[…]`, `limit`, `next`.

use ::intel::Sight;
use ::intel::pages::{Versions, Wanted};
use stix::Timestamp;

use super::TaxiiError;
use super::cursor::Cursors;

/// Objects on a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 100;
/// Objects on a page at most; a larger wish is cut to it.
pub(crate) const MAX_LIMIT: i64 = 1_000;
/// Values of all filters together.
const MAX_FILTER_VALUES: usize = 200;
/// Types asked for at once: each is a walk of its own.
const MAX_TYPES: usize = 50;

/// What is wanted of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only what was added after this, microseconds UTC.
    pub(crate) after_us: Option<i64>,
    /// The cursor as it came.
    pub(crate) next: Option<String>,
    pub(crate) ids: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) spec_versions: Vec<String>,
    /// As asked for; `None` when not asked.
    pub(crate) versions: Option<Versions>,
    /// Objects on the page.
    pub(crate) limit: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            after_us: None,
            next: None,
            ids: vec![],
            types: vec![],
            spec_versions: vec![],
            versions: None,
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
            let list = || {
                let mut list: Vec<String> =
                    value.split(',').map(|part| part.trim().to_owned()).collect();
                list.sort_unstable();
                list.dedup();
                list
            };
            match name.as_str() {
                "added_after" => filter.after_us = Some(time(name, value)?),
                "next" => filter.next = Some(value.clone()),
                "limit" => filter.limit = limit(value)?,
                "match[id]" => filter.ids = list(),
                "match[type]" => filter.types = list(),
                "match[spec_version]" => filter.spec_versions = list(),
                "match[version]" => filter.versions = Some(versions(&list())?),
                _ => continue,
            }
            values += value.split(',').count();
            if values > MAX_FILTER_VALUES {
                let text = format!("more than {MAX_FILTER_VALUES} filter values; ask in parts");
                return Err(TaxiiError::bad_request(text));
            }
        }
        if filter.types.len() > MAX_TYPES {
            let text = format!("more than {MAX_TYPES} types in match[type]; ask in parts");
            return Err(TaxiiError::bad_request(text));
        }
        Ok(filter)
    }

    /// What the filter asks of a collection as far as the reader sees; the page begins behind `added_after` or behind
    /// the cursor.
    pub(crate) fn wanted(
        &self,
        cursors: &Cursors,
        collection: &str,
        sight: Sight,
    ) -> Result<Wanted, TaxiiError> {
        let mut after_us = self.after_us.unwrap_or(i64::MIN);
        if let Some(next) = &self.next {
            let place = cursors.open(&self.question(collection), next).ok_or_else(|| {
                TaxiiError::bad_request(
                    "next was not made by this server for this collection and these filters; \
                     begin again without it, or send the filters of the page before unchanged",
                )
            })?;
            after_us = after_us.max(place);
        }
        Ok(Wanted {
            after_us,
            ids: self.ids.clone(),
            types: self.types.clone(),
            spec_versions: self.spec_versions.clone(),
            versions: self.versions.clone().unwrap_or(Versions::LAST),
            limit: self.limit,
            sight,
        })
    }

    /// The cursor behind a place.
    pub(crate) fn next(&self, cursors: &Cursors, collection: &str, place_us: i64) -> String {
        cursors.seal(&self.question(collection), place_us)
    }

    /// All of the question but where to begin by cursor and how much at once.
    fn question(&self, collection: &str) -> String {
        format!(
            "{collection}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
            self.after_us, self.ids, self.types, self.spec_versions, self.versions
        )
    }
}

fn time(name: &str, value: &str) -> Result<i64, TaxiiError> {
    Timestamp::parse(value).map(Timestamp::unix_us).map_err(|error| {
        let clip: String = value.chars().take(60).collect();
        TaxiiError::bad_request(format!("{name}='{clip}' is no timestamp: {error}"))
    })
}

fn limit(value: &str) -> Result<i64, TaxiiError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are still a whole number above the most.
    match value.parse::<i64>() {
        Ok(wanted) if wanted > 0 => Ok(wanted.min(MAX_LIMIT)),
        Err(_) if digits => Ok(MAX_LIMIT),
        _ => Err(TaxiiError::bad_request("limit must be a whole number above 0")),
    }
}

fn versions(words: &[String]) -> Result<Versions, TaxiiError> {
    let (mut first, mut last, mut exact_us, mut all) = (false, false, Vec::new(), false);
    for word in words {
        match word.as_str() {
            "all" => all = true,
            "first" => first = true,
            "last" => last = true,
            other => exact_us.push(time("match[version]", other)?),
        }
    }
    if all && words.len() > 1 {
        let text = "match[version]=all cannot be combined with other versions (§3.4.1)";
        return Err(TaxiiError::bad_request(text));
    }
    Ok(if all { Versions::All } else { Versions::Only { first, last, exact_us } })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Filter, TaxiiError> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Filter::from_query(&pairs)
    }

    #[test]
    fn reads_every_filter_of_the_standard() {
        let filter = read(&[
            ("match[type]", "sighting,indicator,indicator"),
            ("match[version]", "first,2016-01-20T12:31:12.123Z"),
            ("match[unheard]", "x"),
            ("limit", "5000"),
            ("added_after", "1970-01-01T00:00:01Z"),
        ])
        .unwrap();
        assert_eq!(filter.types, ["indicator", "sighting"]);
        assert_eq!((filter.limit, filter.after_us), (MAX_LIMIT, Some(1_000_000)));
        let exact_us = vec![1_453_293_072_123_000];
        assert_eq!(filter.versions, Some(Versions::Only { first: true, last: false, exact_us }));
        assert_eq!(read(&[("limit", &"9".repeat(40))]).unwrap().limit, MAX_LIMIT);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let many = vec!["x"; 300].join(",");
        for pair in [
            ("limit", "0"),
            ("limit", "-1"),
            ("limit", ""),
            ("limit", "1e3"),
            ("added_after", "yesterday"),
            ("match[version]", "last,all"),
            ("match[version]", "newest"),
            ("match[version]", ""),
            ("match[id]", many.as_str()),
        ] {
            assert_eq!(read(&[pair]).unwrap_err().http_status, "400", "{pair:?}");
        }
    }

    #[test]
    fn a_cursor_holds_for_the_same_question_with_another_limit() {
        let cursors = Cursors::new("s".into());
        let asked = read(&[("match[type]", "tool"), ("limit", "7")]).unwrap();
        let next = asked.next(&cursors, "c", 99);
        let follow = |pairs: &[(&str, &str)], collection: &str| {
            let mut pairs = pairs.to_vec();
            pairs.push(("next", &next));
            read(&pairs)
                .unwrap()
                .wanted(&cursors, collection, Sight::ALL)
                .map(|wanted| wanted.after_us)
        };
        assert_eq!(follow(&[("match[type]", "tool"), ("limit", "9")], "c").unwrap(), 99);
        assert_eq!(follow(&[("match[type]", "tool")], "d").unwrap_err().http_status, "400");
        assert_eq!(follow(&[("match[type]", "malware")], "c").unwrap_err().http_status, "400");
        assert_eq!(follow(&[], "c").unwrap_err().http_status, "400");
    }
}
