//! Endpoints, one a file.

pub(crate) mod capture;
pub(crate) mod devices;
pub(crate) mod evaluation;
pub(crate) mod evaluation_add;
pub(crate) mod evaluation_page;
pub(crate) mod evaluations;
pub(crate) mod feedback;
pub(crate) mod finding;
pub(crate) mod findings;
pub(crate) mod findings_more;
pub(crate) mod groups;
pub(crate) mod law_change;
pub(crate) mod law_model;
pub(crate) mod laws;
pub(crate) mod learning;
pub(crate) mod machine_change;
pub(crate) mod machine_text;
pub(crate) mod machine_versions;
pub(crate) mod machines;
pub(crate) mod model_activate;
pub(crate) mod model_compare;
pub(crate) mod models;
pub(crate) mod relearn;
pub(crate) mod scores;
pub(crate) mod suppression_add;
pub(crate) mod suppression_revoke;
pub(crate) mod suppressions;

use model::{DeviceId, Timestamp};
use platform::http::Problem;

use crate::error::DetectionError;
use crate::feedback::MAX_REASON_CHARS;

/// A reason people give: something, and not a book.
pub(crate) fn reason(text: &str) -> Result<String, DetectionError> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=MAX_REASON_CHARS).contains(&length) {
        Ok(text.to_owned())
    } else {
        let why = format!("reason: {length} characters, 1 to {MAX_REASON_CHARS} are wanted");
        Err(DetectionError::Invalid(why))
    }
}

/// An end that lies ahead.
pub(crate) fn until(
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, DetectionError> {
    match until {
        Some(until) if until <= now => {
            Err(DetectionError::Invalid(format!("until: {until} is over; give a time to come")))
        }
        other => Ok(other),
    }
}

/// The device an id in a path or query names; what is no id names nothing here.
pub(crate) fn device_id(text: &str) -> Option<DeviceId> {
    text.parse().ok()
}

/// The answer when a device is not known to detection.
pub(crate) fn no_device(text: &str) -> Problem {
    Problem::not_found(format!("device '{}'", text.chars().take(64).collect::<String>()))
}

/// The device that a list is narrowed to, if it is.
pub(crate) fn wanted_device(text: Option<&str>) -> Result<Option<DeviceId>, Problem> {
    text.map(|text| device_id(text).ok_or_else(|| no_device(text))).transpose()
}

/// A time of a query.
pub(crate) fn time(text: Option<&str>) -> Result<Option<Timestamp>, DetectionTimeError> {
    text.map(str::parse).transpose().map_err(DetectionTimeError)
}

/// A time of a query that cannot be read.
#[derive(Debug)]
pub(crate) struct DetectionTimeError(model::time::NotATime);

impl From<DetectionTimeError> for Problem {
    fn from(error: DetectionTimeError) -> Self {
        Self::bad_request(error.0.to_string())
    }
}
