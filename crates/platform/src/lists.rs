//! Lists over a read model: pages by key, bounded counts, facets, and the description of what can be asked.
//!
//! The language is crate `lists`; here it meets the database. Every statement is bounded: a page by its limit, a count by
//! [`MAX_COUNT`], facets by [`FACET_ROWS`], the questions before a query by [`PROBE_ROWS`].

mod export;
mod facets;
mod http;
mod run;

pub use export::{EXPORT_PAGE_ROWS, ExportPage, ExportQuery, MAX_EXPORT_ROWS, export};
pub use facets::{Facet, FacetCache, FacetValue, Facets, facets};
pub use http::{FacetsQuery, FieldView, ListPage, ListQuery, ListView, SortView, read_query, view};
pub use run::{Hit, Wanted, count, page, rarities, snapshot};

/// Rows counted at most: beyond, the answer is "more than".
pub const MAX_COUNT: i64 = 10_000;
/// The newest rows whose values are counted for facets.
pub const FACET_ROWS: i64 = 10_000;
/// Up to so many rows a term counts as rare: reading and sorting them takes a few milliseconds.
pub const PROBE_ROWS: i64 = 10_000;
/// Values of a facet.
pub const MAX_FACET_VALUES: i64 = 20;
/// Facets of one answer.
pub const MAX_FACETS: usize = 8;
/// For how long facets are shown again before they are counted anew, microseconds (5 s).
pub const FACET_AGE_US: i64 = 5_000_000;
/// Answers of facets that are kept.
pub const MAX_KEPT_FACETS: usize = 64;
