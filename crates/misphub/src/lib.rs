//! MISP's REST interface under `/misp/`, so far that PyMISP and MISP's own synchronisation can work with it.
//!
//! Entry points: [`Misphub::open`], [`Misphub::router`]. What is covered stands in `api::ROUTES` and docs/misp-api.md.
//!
//! Invariants
//! - **What comes in goes out**: fields that this room does not know are kept in the body of their event, attribute,
//!   object or tag, and returned.
//! - **Nobody sees more than the policy lets them**: an event's TLP tag, else its distribution, gives its label;
//!   events beyond the caller's sight do not exist for it, their attributes, objects, sightings and counts neither.
//! - A write is one transaction: an event is there with all its parts, or not at all.
//! - Errors have MISP's form (`name`, `message`, `url`, `errors`), so that its tools can read them.

mod api;
mod error;
mod fields;
mod outside;
mod room;
mod shipped;
mod store;
mod types;

use platform::db::{Migration, RoomMigrations};

pub use error::MispError;
pub use room::Misphub;

/// The tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "misphub",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_misphub.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_stored.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_said_beside.sql") },
        Migration { number: 4, sql: include_str!("../migrations/0004_galaxies.sql") },
    ],
};
