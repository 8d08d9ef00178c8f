//! The room's SQL, one file per table or two.

pub(crate) mod devices;
pub(crate) mod evaluations;
pub(crate) mod findings;
pub(crate) mod groups;
pub(crate) mod kept;
pub(crate) mod law_models;
pub(crate) mod laws;
pub(crate) mod machine_models;
pub(crate) mod machines;
pub(crate) mod models;
pub(crate) mod scores;
pub(crate) mod suppressions;
pub(crate) mod windows;

use model::DeviceId;
use platform::db::DbError;

fn device_id(text: &str, place: &'static str) -> Result<DeviceId, DbError> {
    text.parse().map_err(|cause| DbError::corrupt(place, cause))
}
