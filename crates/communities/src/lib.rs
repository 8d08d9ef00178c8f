//! Who belongs together, and what may leave: organisations, communities, sharing policies, redaction, preview.
//!
//! Entry points: [`Communities::open`], [`Communities::router`], [`Communities::start`]; [`Communities`] is
//! [`ports::disclosure::Disclosure`], [`ports::disclosure::Organisations`] and [`platform::courier::Correspondent`].
//!
//! Invariants
//! - **Who is a member is said by certificates.** Each is signed by the community's leader, for one node and its key,
//!   with an end; every member verifies them itself, and what has ended or was revoked does not count.
//! - **A leader is named by the one before it**: members follow the signed chain of hand-overs, and nobody else leads.
//! - **A community does not exist for who is not in it.** Letters about it from others are refused with one text.
//! - **Nothing goes unless permitted.** Policies decide, built-in ones forbid what TLP and PAP forbid, and no own policy
//!   overrides that. Preview and sharing ask the same function.
//! - **What was redacted stays consistent**: the same recipient and object give the same result and id every time.

mod certificate;
mod circle;
mod config;
mod disclose;
mod door;
mod error;
mod handover;
mod http;
mod invitation;
mod lead;
mod leader;
mod letters;
mod members;
mod nodeless;
mod organisations;
mod origins;
mod policy;
mod preview;
pub mod redact;
mod room;
mod signed;
mod standing;
mod store;

use platform::db::{Migration, RoomMigrations};

pub use certificate::{Certificate, CertificateError, Role, verify};
pub use circle::{Contribute, Roster, State};
pub use config::Config;
pub use error::CommunityError;
pub use invitation::{Invitation, MAX_INVITATION_BYTES};
pub use policy::engine::{Engine, Wrong};
pub use policy::facts::{Facts, Pap, Recipient};
pub use policy::trial::Trial;
pub use room::{Communities, Deps};

/// The tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "communities",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_communities.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_told.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_asked.sql") },
        Migration { number: 4, sql: include_str!("../migrations/0004_lead.sql") },
        Migration { number: 5, sql: include_str!("../migrations/0005_organisations.sql") },
    ],
};
