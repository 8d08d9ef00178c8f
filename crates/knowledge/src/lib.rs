//! What is known, as people work with it: search, object pages, relations and paths, values that many
//! share, import and export.
//!
//! Entry points: [`Knowledge::open`] at start, [`Knowledge::router`], [`Knowledge::health`].
//!
//! Invariants
//! - **Nobody sees more than the policy lets them.** Each request asks the Cedar policies which TLP labels its
//!   caller may read ([`sight`]); lists, counts, neighbours, paths, exports and errors all keep to that bound,
//!   and what lies beyond it does not exist.
//! - **Every object of an import is accounted for**: new, updated, older, same, in conflict, or refused with
//!   the reason. An import that cannot be read stores nothing. One that a dying node left goes on where it was.
//! - The store itself (`intel`) is shared with the rooms that exchange; this room adds no second copy.

mod catalogue;
mod config;
mod error;
mod find;
mod http;
mod import;
mod import_job;
mod ontology;
mod review;
mod room;
pub mod sight;
mod store;

use platform::db::{Migration, RoomMigrations};

pub use config::Config;
pub use error::KnowledgeError;
pub use room::Knowledge;

/// The tables: what people laid out. The store of what is known is `intel`'s.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "knowledge",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_layouts.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_imports.sql") },
    ],
};
