//! Cyber threat intelligence: STIX store, lookup, TAXII 2.1 server, sharing with peers and back.
//!
//! Entry points: [`Cti::open`] at start, then [`Cti::router`], [`Cti::consumers`], [`Cti::jobs`]
//! and [`Cti::start`]; [`Cti`] is `ports::IntelLookup` and `ports::Exchange`.
//!
//! Invariants
//! - **What leaves the house was decided.** No envelope exists before the policy said yes; the
//!   decision, its reason and the envelope are one transaction, and the envelope never changes after.
//! - **Delivered means proven.** A share is delivered only when the recipient's signed receipt over
//!   exactly these bytes was verified; until then it waits and is sent again. The recipient stores
//!   the same objects once, so sending again changes nothing.
//! - **A status `complete` is sent after the commit**, and an envelope that cannot be read stores nothing.
//! - **Internal addresses stay inside**: in fields and in sentences, each recipient sees pseudonyms of
//!   its own.
//! - A peer speaks for itself only: who sent comes from its certificate, never from the content.

mod acknowledge;
mod catch_up;
mod client;
mod config;
mod deliver;
mod error;
mod exchange;
mod health;
mod hits;
mod http;
mod intel;
mod mapping;
mod outlet;
mod poll;
mod receipt;
mod room;
mod store;
mod taxii;

pub use config::Config;
pub use error::CtiError;
pub use room::{Cti, Deps};
pub use store::MIGRATIONS;
pub use taxii::{INBOX_ID, MEDIA_TYPE, READ as TAXII_READ, WRITE as TAXII_WRITE, liberal_paths};

/// Namespace of every id that this room derives.
const NAMESPACE: uuid::Uuid = ::intel::own::NAMESPACE;
