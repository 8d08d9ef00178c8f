//! Endpoints, one a file.

pub(crate) mod devices;
pub(crate) mod finding;
pub(crate) mod findings;
pub(crate) mod relearn;
pub(crate) mod scores;

use model::{DeviceId, Timestamp};
use platform::http::Problem;

/// The device an id in a path or query names; what is no id names nothing here.
pub(crate) fn device_id(text: &str) -> Option<DeviceId> {
    text.parse().ok()
}

/// The answer when a device is not known to detection.
pub(crate) fn no_device(text: &str) -> Problem {
    Problem::not_found(format!("device '{}'", text.chars().take(64).collect::<String>()))
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
