//! Bytes to records: capture files, then link, network and transport layers of a frame, then
//! conversations and the messages of application protocols; exported flow records beside them.
//!
//! Invariants
//! - No byte string makes a parser panic; what cannot be read is named ([`capture::CaptureError`],
//!   [`packet::DecodeError`], [`packet::Flaw`]), never guessed and never silently dropped.
//! - Nothing is copied out of the input but what must wait (messages that span packets, segments out
//!   of order, fragments), and nothing grows without a named bound.
//! - No clock, no randomness, no files: callers open and map them.
//!
//! Entry points: [`capture::CaptureReader`] over a byte slice, [`capture::CaptureStream`] over a
//! reader (packed or not: [`capture::Unpacked`]), [`capture::CaptureWriter`], [`packet::decode`], and [`flow::Tracker`], which asks the
//! parsers of [`app::all`].

pub mod app;
pub mod capture;
pub mod flow;
#[doc(hidden)]
pub mod fuzz;
pub mod netflow;
pub mod packet;
