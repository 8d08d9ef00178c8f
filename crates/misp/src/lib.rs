//! MISP: the core format, the values of its attribute types, object templates, feeds, and the mapping to
//! STIX 2.1 and back. No I/O, no clock, no randomness.
//!
//! Entry points: [`document::read`] for bytes from outside, [`value::normalise`] for one value,
//! [`to_stix::convert`] and [`from_stix::convert`] for the mapping, [`feed`] for feeds, [`template::check`] for objects.
//!
//! Invariants
//! - A record is its JSON ([`document::Event`], [`document::Attribute`] …): unknown fields are kept.
//! - The mapping takes fields out of a record; what nobody took is either kept under `x_misp_other` or returned as
//!   [`carry::NotCarried`]. Nothing is dropped silently.
//! - The mapping writes what misp-stix writes, so that either program reads what the other wrote; ids are derived from
//!   the UUIDs of MISP.

pub mod carry;
pub mod describe;
pub mod document;
pub mod feed;
pub mod from_stix;
#[doc(hidden)]
pub mod fuzz;
pub mod level;
mod shape;
mod sound;
pub mod template;
pub mod to_stix;
pub mod value;

pub use carry::{NotCarried, Why};
pub use document::{Attribute, Document, Event, MispObject};
