//! Feeds: bytes in, records and rejects out. No clock, no SQL, no HTTP; no I/O beyond the `Read` that
//! a caller brings.
//!
//! Entry points: [`plain::read`], [`csv::read`], [`json::read`], [`freetext::read`], [`kev::read`] for
//! feeds ([`unpack::open`] before them for packed ones), [`csaf::read`] for advisories
//! ([`openpgp::Keyring`] for their signatures),
//! [`extract::extract`] for reports, [`value::Observable`] for a single value, [`warninglist::Matcher`],
//! [`decay::score`], [`knowledge::Knowledge`].
//!
//! Invariants
//! - Nothing is dropped silently: a reader gives each record or its reject with place and reason, and
//!   its [`record::Summary`] counts both, and what it skipped; what was read before a feed breaks off
//!   stays read.
//! - Every bound is a named constant or a field of [`record::Limits`] and its kin; no input makes a
//!   function of this crate panic, recurse without bound or take more than linear time.
//! - A value has one normal form, and equality of [`value::Observable`] is equality of things.

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
pub mod openpgp;
pub mod plain;
pub mod record;
pub mod unpack;
pub mod value;
pub mod warninglist;

pub use dedup::{Full, Seen};
