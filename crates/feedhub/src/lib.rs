//! Feeds of others: fetched on a schedule or loaded by hand, read as streams, kept exactly once.
//!
//! Entry points: [`Feedhub::open`], [`Feedhub::start`], [`Feedhub::router`], [`Feedhub::load`].
//!
//! Invariants
//! - **Every line is accounted for**: new, updated, known, twice in the feed, well-known (on a warninglist), or
//!   refused with place and reason.
//! - **What was counted is on the disk.** Values are committed batch by batch while the feed is still being read; the
//!   reader waits for the writer. A run that dies is run again, and running again changes nothing that is there.
//! - A feed that lists everything it knows lets go what it no longer lists, and only when it was read to its end.
//! - A source that is asked (TAXII, MISP, CSAF) is read on from where it was read: the place and what came up to it are one
//!   transaction. What the other side acknowledged of a push is noted before more is sent.
//! - Nothing leaves above the highest label that its push names, and nobody makes a push above his own sight.
//! - Secrets lie in `keys/` and nowhere else; they go only to the server they are for.
//! - Only public addresses are fetched, unless the configuration says otherwise; at most three redirects, each
//!   checked anew; bodies are bounded packed and unpacked.

mod config;
mod error;
mod fetch;
mod format;
mod health;
mod http;
mod load;
mod net;
mod push;
mod room;
mod secret;
mod source;
mod store;
mod sweep;

use platform::db::{Migration, RoomMigrations};

pub use config::Config;
pub use error::FeedError;
pub use format::{Csaf2, Format, MispFeed, MispServer, Taxii};
pub use load::Counts;
pub use room::Feedhub;
pub use secret::Auth;
pub use source::discover::Found;
pub use store::pushes::{NewPush, Origin, Push};
pub use store::{Feed, NewFeed};

/// The tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "feedhub",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_feedhub.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_pulled.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_recipients.sql") },
    ],
};
