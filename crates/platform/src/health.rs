//! What a room says about its own parts, for `sereno doctor` and the health page.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// State of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Works.
    Ok,
    /// Not there, and not needed to work.
    Absent,
    /// Works in part.
    Degraded,
    /// Does not work.
    Failed,
}

/// One part of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Health,
    /// Why, in plain words; what it does when it is fine.
    pub cause: String,
    /// What to do; empty when nothing.
    pub remedy: String,
}

impl Component {
    /// A part that works.
    pub fn ok(name: &str, cause: impl Into<String>) -> Self {
        Self { name: name.into(), state: Health::Ok, cause: cause.into(), remedy: String::new() }
    }

    /// A part that does not, or only in part.
    pub fn not_ok(
        name: &str,
        state: Health,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), state, cause: cause.into(), remedy: remedy.into() }
    }
}
