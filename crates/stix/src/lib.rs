//! STIX 2.1: objects, bundles, identifiers, markings, validation. No I/O, no clock, no randomness.
//!
//! Entry points: [`bundle::Bundle::read`] for bytes from outside, [`validate::bundle`] for what is
//! wrong with them, [`build`] for objects of our own, [`id::deterministic`] for the ids of cyber
//! observables, [`pattern`] for what indicators look for.
//!
//! Invariants
//! - An object is its JSON: [`object::Object`] keeps every property in its order, so that what
//!   comes in goes out, custom properties and unknown types included.
//! - Bytes from outside are bounded before anything is built of them ([`json::Limits`]); no input
//!   makes a function of this crate panic or recurse without bound.
//! - Validation collects every problem up to [`validate::MAX_PROBLEMS`] and never changes what it
//!   judges. A new type is one more entry of the table in `validate::rules`.

pub mod build;
pub mod bundle;
#[doc(hidden)]
pub mod fuzz;
mod hash;
pub mod id;
pub mod jcs;
pub mod json;
pub mod marking;
pub mod object;
pub mod pattern;
mod scan;
pub mod stream;
pub mod time;
pub mod upgrade;
pub mod validate;
pub mod version;
mod vocabulary;

pub use bundle::{Bundle, BundleError};
pub use id::StixId;
pub use marking::Tlp;
pub use object::Object;
pub use time::Timestamp;
