//! Feeds: bytes in, records and rejects out. No I/O beyond the `Read` it is given, no SQL, no HTTP.
pub mod csaf;
pub mod csv;
pub mod decay;
mod dedup;
pub mod extract;
pub mod freetext;
#[doc(hidden)]
pub mod fuzz;
pub mod json;
pub mod kev;
pub mod knowledge;
mod lines;
pub mod plain;
pub mod record;
pub mod unpack;
pub mod value;
pub mod warninglist;
pub use dedup::{Full, Seen};
