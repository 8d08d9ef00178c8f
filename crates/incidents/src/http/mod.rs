//! One endpoint, one file.

pub(crate) mod acknowledge;
pub(crate) mod incident;
pub(crate) mod list;
pub(crate) mod list_more;
pub(crate) mod notes;
pub(crate) mod state;
pub(crate) mod view;

use model::IncidentId;

use crate::error::IncidentsError;

/// The incident a path names.
pub(crate) fn id(text: &str) -> Result<IncidentId, IncidentsError> {
    text.parse().map_err(|_| IncidentsError::NotFound(text.chars().take(64).collect()))
}
