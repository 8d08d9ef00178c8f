//! The room's SQL and nothing else.

pub(crate) mod automation;
pub(crate) mod books;
pub(crate) mod counts;
pub(crate) mod delegations;
pub(crate) mod effects;
pub(crate) mod incidents;
pub(crate) mod keys;
pub(crate) mod letters;
pub(crate) mod notices;
pub(crate) mod playbooks;
pub(crate) mod proposals;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod steps;
pub(crate) mod triggers;

use model::{Timestamp, Tlp};
use platform::db::DbError;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A condition on the column `tlp`: none of these labels. They are constants of this program, never input.
pub(crate) fn without(beyond: &[Tlp]) -> String {
    beyond.iter().map(|tlp| format!("AND COALESCE(tlp, '') <> '{tlp}' ")).collect()
}

/// A stored label; one that cannot be read counts as the strictest.
fn label(row: &AnyRow) -> Result<Option<Tlp>, DbError> {
    let text: Option<String> = row.try_get("tlp")?;
    Ok(text.map(|text| text.parse().unwrap_or(Tlp::Red)))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &AnyRow,
    column: &str,
    place: &'static str,
) -> Result<T, DbError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|cause| DbError::corrupt(place, cause))
}

fn id_option<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &AnyRow,
    column: &str,
    place: &'static str,
) -> Result<Option<T>, DbError> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|cause| DbError::corrupt(place, cause))).transpose()
}

fn json<T: DeserializeOwned>(text: &str, place: &'static str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}

fn json_option<T: DeserializeOwned>(
    row: &AnyRow,
    column: &str,
    place: &'static str,
) -> Result<Option<T>, DbError> {
    row.try_get::<Option<String>, _>(column)?.map(|text| json(&text, place)).transpose()
}

fn to_json<T: serde::Serialize>(value: &T, place: &'static str) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|cause| DbError::corrupt(place, cause))
}

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, DbError> {
    Ok(Timestamp::from_micros(row.try_get(column)?))
}

fn time_option(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, DbError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
}
