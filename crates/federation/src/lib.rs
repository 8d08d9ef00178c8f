//! Letters between nodes: shares of intelligence, retractions, and what other rooms have to say to each other's like.
//!
//! Entry points: [`Federation::open`] at start, [`Federation::meet`] once the other rooms are there, then
//! [`Federation::router`] and [`Federation::start`]; [`Federation`] is `platform::courier::Courier`.
//!
//! Invariants
//! - **Each letter takes effect once, in order.** The number of the last letter, its effect and the signed receipt are one
//!   transaction; a letter that comes again gets the same receipt, another letter under the same number is a lie.
//! - **A letter is sealed when it is first about to leave.** Only then does it get its number and its signature, and only
//!   then is it judged for the last time; what is cancelled before leaves no gap.
//! - **What leaves was judged in the transaction that sealed it.** A member that was expelled and an object whose label
//!   rose get nothing that was queued before.
//! - **Who got an object is written down**, so that updates and retractions reach those and nobody else.
//! - **No echoes**: an object goes neither to who brought it nor to who passed it on before; strangers on its path stay
//!   strangers, they are there as blinded tokens.
//! - **A peer speaks for what it brought.** What it says of others' objects stands beside and replaces nothing.
//! - A peer is who its certificate says, and a letter is its only when its signing key signed it.

mod config;
mod error;
mod follow;
mod health;
mod http;
mod inbox;
mod line;
mod objects;
mod outbox;
mod provenance;
mod retract;
mod room;
mod shares;
mod standing;
mod store;
mod trail;
mod wire;
mod worker;

pub use config::Config;
pub use error::FederationError;
pub use retract::MAX_RETRACTED;
pub use room::Federation;
pub use shares::{MAX_HANDS, MAX_SHARED};
pub use store::MIGRATIONS;
pub use wire::{
    Letter, MAX_BATCH_BYTES, MAX_LETTER_BYTES, MAX_LETTERS, Receipt, RefusedObject, Statement,
};
