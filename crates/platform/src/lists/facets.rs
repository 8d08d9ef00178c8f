//! Values of fields with how often they come, kept for a moment so that typing does not count anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lists::{Kind, List};
use serde::Serialize;
use sqlx::AnyConnection;
use utoipa::ToSchema;

use super::run::{Source, Wanted, values};
use super::{FACET_AGE_US, FACET_ROWS, MAX_FACET_VALUES, MAX_FACETS, MAX_KEPT_FACETS};
use crate::db::DbError;
use crate::http::Problem;

/// One value of a field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacetValue {
    /// As it is written behind the field.
    pub value: String,
    /// How often.
    pub count: u64,
}

/// The values of one field, the most frequent first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// Its values.
    pub values: Vec<FacetValue>,
}

/// Values of fields among what a query finds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Facets {
    /// One for each field asked for.
    pub facets: Vec<Facet>,
    /// At most so many rows, the first of the list's usual order, were looked at.
    pub rows: i64,
    /// How old the figures are, milliseconds.
    pub age_ms: i64,
}

type Kept = HashMap<String, (i64, Vec<Facet>)>;

/// Facets counted a moment ago, by what was asked and by whose sight.
#[derive(Clone, Default)]
pub struct FacetCache(Arc<Mutex<Kept>>);

/// The facets of some fields; `key` says what was asked, with the reader's sight.
///
/// # Errors
/// A field that has no values to count, too many of them, or the database says no.
pub async fn facets(
    connection: &mut AnyConnection,
    cache: &FacetCache,
    wanted: &Wanted<'_>,
    names: &[&str],
    (key, now_us): (String, i64),
) -> Result<Facets, Problem> {
    if names.len() > MAX_FACETS {
        let what =
            format!("{} fields asked for, the limit is {MAX_FACETS} (MAX_FACETS)", names.len());
        return Err(Problem::bad_request(what).remedy("Ask for some of them."));
    }
    let sources =
        names.iter().map(|name| source(wanted.list, name)).collect::<Result<Vec<_>, _>>()?;
    let kept = cache.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some((at, facets)) = kept
        && (0..FACET_AGE_US).contains(&(now_us - at))
    {
        return Ok(Facets { facets, rows: FACET_ROWS, age_ms: (now_us - at) / 1_000 });
    }
    let mut found = Vec::with_capacity(names.len());
    for (name, (source, words)) in names.iter().zip(sources) {
        found.push(Facet {
            field: (*name).to_owned(),
            values: one(connection, wanted, source, words).await?,
        });
    }
    let mut all = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_KEPT_FACETS {
        all.clear();
    }
    all.insert(key, (now_us, found.clone()));
    Ok(Facets { facets: found, rows: FACET_ROWS, age_ms: 0 })
}

async fn one(
    connection: &mut AnyConnection,
    wanted: &Wanted<'_>,
    source: Source,
    words: &[&str],
) -> Result<Vec<FacetValue>, DbError> {
    let counted = values(connection, wanted, source, (FACET_ROWS, MAX_FACET_VALUES)).await?;
    let shown = counted.into_iter().map(|(value, count)| {
        let rank = value.parse::<usize>().ok().and_then(|rank| words.get(rank));
        let value = match rank {
            Some(word) => (*word).to_owned(),
            None if value.is_empty() => "none".to_owned(),
            None => value,
        };
        FacetValue { value, count: count.unsigned_abs() }
    });
    Ok(shown.collect())
}

/// Where the values of a field stand, and the words of their ranks.
fn source(list: &'static List, name: &str) -> Result<(Source, &'static [&'static str]), Problem> {
    let found = list.field(name).and_then(|field| match field.kind {
        Kind::Word(_) | Kind::Exact => Some((Source::Column(field.column), &[][..])),
        Kind::Rank(words) => Some((Source::Column(field.column), words)),
        Kind::Mark => Some((Source::Mark(field.column), &[][..])),
        _ => None,
    });
    found.ok_or_else(|| {
        let said: String = name.chars().take(40).collect();
        Problem::bad_request(format!("the values of `{said}` cannot be counted"))
            .remedy("`/fields` of the list says which can.")
    })
}
