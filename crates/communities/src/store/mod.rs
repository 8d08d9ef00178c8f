//! The room's SQL and nothing else.

pub(crate) mod circles;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod organisations;
pub(crate) mod policies;
pub(crate) mod redactions;

use std::str::FromStr;

use platform::db::DbError;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A text column as what it names.
pub(crate) fn parsed<T: FromStr>(
    row: &AnyRow,
    column: &str,
    place: &'static str,
) -> Result<T, DbError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.try_get(column)?;
    text.parse().map_err(|cause| DbError::corrupt(place, cause))
}
