//! The query language of the store, and what it finds.
//!
//! ```text
//! type:indicator tlp<=green confidence>=70 -is:revoked value:198.51.100.7 "remote access" trojan*
//! (label:phishing OR technique:T1566) known>-7d source:"Harbour CERT"
//! ```
//!
//! Terms beside each other must all hold; `OR`, `NOT` or `-`, and brackets combine them. A bare word or phrase is
//! looked for in the whole text of the newest versions.

mod complete;
mod parse;
mod run;

pub use complete::{Suggestion, complete, completes_type};
pub use parse::{Compare, Field, MAX_QUERY_BYTES, Query, QueryError, parse};
pub use run::{Found, Hit, MAX_COUNT, MAX_LIMIT, Wanted, run};
