//! One query language for every list of the console.
//!
//! ```text
//! is:open severity>=high device:"Tram stop" known>-24h -owner:ana state:new,triaged score:2..5 scan*
//! (peer:198.51.100.7 OR technique:T1046) NOT owner:none
//! ```
//!
//! Terms beside each other must all hold; `OR`, `NOT` or `-`, and brackets combine them; a comma between values means
//! any of them. A bare word or phrase is looked for in the texts of the list. What a list can be asked is a visible
//! table of [`Field`]s. The grammar is that of the intelligence search.
//!
//! Invariants
//! - [`print`] of a query reads back as the same query.
//! - No character of a query ever reaches the text of a statement: only [`Value`]s do, as parameters.
//! - Length, terms, values and depth are bounded; every refusal names the place, what is wrong and the remedy.

mod error;
mod field;
mod lex;
mod parse;
mod print;
#[doc(hidden)]
pub mod sample;
mod sql;
mod value;

pub use error::QueryError;
pub use field::{Field, Kind, List, Sort};
pub use parse::{
    Asker, Compare, MAX_DEPTH, MAX_QUERY_BYTES, MAX_TERMS, MAX_VALUES, MAX_WORDS, Place, Query,
    Term, parse,
};
pub use print::{print, quoted};
pub use sql::{Probe, Rarity, Sql, Value, condition, probes};
pub use value::Test;

/// Entry of the fuzz target: reads a text, prints what was read, reads that again, and writes the SQL.
#[doc(hidden)]
pub mod fuzz {
    pub use crate::sql::fuzz_query as query;
}
