//! Webhooks: receivers outside that are told what becomes known here, as the Standard Webhooks specification writes it.
//!
//! Entry points: [`Webhooks::open`], [`Webhooks::start`], [`Webhooks::consumers`], [`Webhooks::router`].
//!
//! Invariants
//! - **Nothing above the hook's label leaves.** Objects are read within it; facts that carry no label count as
//!   TLP:AMBER+STRICT, the label of what stays in this organisation.
//! - **In order, and at least once.** The deliveries of a hook go one after the other by their number; one is told again
//!   after a crash or a lost answer, with the same `webhook-id`. What cannot be told after `deliver::MAX_TRIES` tries is
//!   set aside as dead and the next one goes.
//! - **The secret is shown once and stands nowhere**: it is derived from the node's key and a salt. When
//!   it is changed, both sign until the overlap is over.
//! - Only public addresses over https are called, unless the configuration says otherwise; redirects are not followed.
//! - Bounded everywhere: what waits per hook, what is dead per hook, tries, pauses, bodies. A hook whose queue is full
//!   reads no further; it goes on where it was.

mod config;
mod deliver;
mod error;
mod gather;
mod http;
mod room;
mod send;
mod sign;
mod store;

use platform::db::{Migration, RoomMigrations};

pub use config::Config;
pub use error::WebhookError;
pub use room::Webhooks;
pub use sign::signature;

/// The tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "webhooks",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_webhooks.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_rotation.sql") },
    ],
};
