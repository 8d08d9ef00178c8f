//! The store of what is known of threats, under the rooms that exchange and show it.
//!
//! STIX objects by version with who said them, the relations between them, the values they name, their
//! full text, and the collections they stand in. Only SQL and what it means; no network, no policy.
//!
//! Entry points: [`Prepared::new`] takes an object apart outside of any transaction, [`write::store`] keeps a
//! batch, [`objects`], [`graph`], [`values`], [`collections`], [`pages`] and [`search`] read.
//!
//! Invariants
//! - **What comes in goes out.** The body is the text of the object as it came; columns are only for finding.
//! - **A version is known once and never changes.** Who said it is a list beside it; what is said again
//!   differently is a conflict, which is counted and shown, and the first word stays; a collection that did not hold
//!   the version has it as it came there.
//! - **Nothing pairs up.** A value has a row for each that names it; a read looks at [`values::MAX_HOLDERS`] of them.
//! - **Reads for people name their [`Sight`]**: counts, neighbours and search see no more than the objects do. The
//!   pages of collections do not: whoever of the house may read a collection reads all of it, and [`entries`] are judged one
//!   by one for others. What the newest version of an object
//!   keeps from somebody, its older versions keep too.
//! - **Nothing fades by a job.** What a value is worth now is computed from who says so, what was reported and the time,
//!   when it is read ([`standing`]); so is whether a list of well-known values excuses it ([`excuse`]).
//! - **Places in a collection rise strictly** and are never used twice.

pub mod beside;
pub mod catch_up;
pub mod changes;
pub mod collections;
pub mod decay;
mod edges;
pub mod entries;
pub mod excuse;
pub mod from_misp;
pub mod graph;
mod index;
pub mod objects;
pub mod outgoing;
pub mod own;
pub mod pages;
mod prepare;
pub mod reports;
pub mod search;

mod sight;
pub mod sources;
mod sql;
pub mod standing;
pub mod terms;
pub mod values;
pub mod withdraw;
pub mod write;

use platform::db::{Migration, RoomMigrations};

pub use prepare::{Edge, Named, Prepared, Reported, version_us};
pub use sight::{Sight, label, rank};
pub use sources::{Source, SourceId};
pub use write::{Batch, Put};

/// The tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "intel",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_intel.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_standing.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_besides.sql") },
    ],
};
