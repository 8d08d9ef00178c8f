//! The room's SQL and nothing else.

pub(crate) mod attributes;
pub(crate) mod events;
pub(crate) mod objects;
pub(crate) mod others;
pub(crate) mod sightings;
pub(crate) mod tags;

use platform::db::DbError;
use serde_json::Value;

use crate::fields::Fields;

/// A stored body as fields.
pub(crate) fn fields(text: &str, place: &'static str) -> Result<Fields, DbError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(DbError::corrupt(place, "not an object")),
        Err(cause) => Err(DbError::corrupt(place, cause)),
    }
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
