//! The room's SQL.

pub(crate) mod access;
pub(crate) mod certificates;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod sessions;
pub(crate) mod views;

use platform::db::DbError;

/// A list of words as stored.
pub(crate) fn words(list: &[String]) -> String {
    serde_json::json!(list).to_string()
}

fn read_words(text: &str, place: &'static str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}

fn parsed<T: std::str::FromStr<Err: ToString>>(
    text: &str,
    place: &'static str,
) -> Result<T, DbError> {
    text.parse().map_err(|cause: T::Err| DbError::corrupt(place, cause))
}
