//! The room's SQL and nothing else. Functions take the connection, so that they run in the transaction of whoever calls
//! them.

pub(crate) mod hands;
pub(crate) mod letters;
pub(crate) mod links;
pub(crate) mod received;
pub(crate) mod retractions;
pub(crate) mod shares;
pub(crate) mod standing;

use platform::db::{DbError, Migration, RoomMigrations};

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "federation",
    steps: &[Migration { number: 1, sql: include_str!("../../migrations/0001_federation.sql") }],
};

/// Rows that one statement asks for at most.
pub(crate) const ROWS: usize = 256;

/// `?, ?, ?` for `count` parameters.
pub(crate) fn marks(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}

/// Reads a column that parses.
pub(crate) fn parsed<T: std::str::FromStr<Err: ToString>>(
    text: &str,
    place: &'static str,
) -> Result<T, DbError> {
    text.parse().map_err(|cause: T::Err| DbError::corrupt(place, cause.to_string()))
}

/// Reads a JSON column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    place: &'static str,
) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}
