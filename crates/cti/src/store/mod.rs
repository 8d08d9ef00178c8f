//! The room's SQL and nothing else. Functions take the connection, so that they run in the
//! transaction of whoever calls them.

pub(crate) mod collections;
pub(crate) mod contacts;
pub(crate) mod lists;
pub(crate) mod received;
pub(crate) mod roots;
pub(crate) mod shares;
pub(crate) mod statuses;

use platform::db::{DbError, Migration, RoomMigrations};

/// The room's tables; those of `intel` come first.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "cti",
    steps: &[
        Migration { number: 1, sql: include_str!("../../migrations/0001_cti.sql") },
        Migration { number: 2, sql: include_str!("../../migrations/0002_intel.sql") },
        Migration { number: 3, sql: include_str!("../../migrations/0003_judged.sql") },
    ],
};

/// Reads a JSON column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    place: &'static str,
) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}

/// Reads a column that parses.
pub(crate) fn parsed<T: std::str::FromStr<Err: ToString>>(
    text: &str,
    place: &'static str,
) -> Result<T, DbError> {
    text.parse().map_err(|cause: T::Err| DbError::corrupt(place, cause.to_string()))
}
