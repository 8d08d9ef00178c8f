//! The section `[accountability]`.

use serde::{Deserialize, Serialize};

/// Nothing can be switched off here: a log that can be configured away proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}
