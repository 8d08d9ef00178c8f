//! The room's SQL and nothing else.

pub(crate) mod attributes;
pub(crate) mod collections;
pub(crate) mod correlate;
pub(crate) mod counts;
pub(crate) mod events;
pub(crate) mod galaxies;
pub(crate) mod objects;
pub(crate) mod others;
pub(crate) mod proposals;
pub(crate) mod published;
pub(crate) mod reports;
pub(crate) mod sightings;
pub(crate) mod switched;
pub(crate) mod sync;
pub(crate) mod tags;

use platform::db::DbError;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::fields::Fields;

/// The body of a row as fields; `place` names it where it is broken.
fn body_of(row: &AnyRow, place: &'static str) -> Result<Fields, DbError> {
    let text: String = row.try_get("body")?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(DbError::corrupt(place, "not an object")),
        Err(cause) => Err(DbError::corrupt(place, cause)),
    }
}

/// Fields as they are stored.
fn stored(body: &Fields) -> String {
    Value::Object(body.clone()).to_string()
}

/// The number that an insertion returned; `None` where it met a row that stays.
fn number_of(row: Option<AnyRow>) -> Result<Option<i64>, DbError> {
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Sets, releases or returns to a savepoint within the caller's transaction.
pub(crate) async fn savepoint(sql: &mut AnyConnection, text: &'static str) -> Result<(), DbError> {
    sqlx::query(text).execute(sql).await?;
    Ok(())
}

/// The row of a thing in sight: `$1` its number, `$2` its UUID, `$3` the highest rank of TLP.
async fn one_in_sight(
    sql: &mut AnyConnection,
    text: &'static str,
    name: &Name,
    most: i64,
) -> Result<Option<AnyRow>, DbError> {
    let (number, uuid) = name.bound();
    Ok(sqlx::query(text).bind(number).bind(uuid).bind(most).fetch_optional(sql).await?)
}

/// Runs the deletion of a thing in sight, bound as [`one_in_sight`] and returning UUID and event; `None` when there is
/// none.
async fn delete_in_sight(
    sql: &mut AnyConnection,
    text: &'static str,
    name: &Name,
    most: i64,
) -> Result<Option<(String, i64)>, DbError> {
    let row = one_in_sight(sql, text, name, most).await?;
    row.map(|row| Ok((row.try_get("uuid")?, row.try_get("event")?))).transpose()
}

/// Runs deletions that all take the same number, parts before the whole.
async fn delete_all(
    sql: &mut AnyConnection,
    texts: &[&'static str],
    id: i64,
) -> Result<(), DbError> {
    for text in texts {
        sqlx::query(*text).bind(id).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Where a thing is looked up by: its number here or its UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Number(i64),
    Uuid(String),
}

impl Name {
    /// Reads a number or a UUID.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.parse::<i64>() {
            Ok(number) => Some(Self::Number(number)),
            Err(_) => crate::fields::uuid(text).map(Self::Uuid),
        }
    }

    /// As bound twice: number and UUID, one of which fits.
    pub(crate) fn bound(&self) -> (i64, String) {
        match self {
            Self::Number(number) => (*number, String::new()),
            Self::Uuid(uuid) => (0, uuid.clone()),
        }
    }
}
