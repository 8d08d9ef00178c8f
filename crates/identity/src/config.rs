//! The section `[identity]`.

use serde::{Deserialize, Serialize};

/// Settings of identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// More names and addresses for the node's certificate.
    pub names: Vec<String>,
    /// The address other nodes reach us by, `https://NAME:PORT`; the TLS listener's when absent.
    pub peer_url: Option<String>,
    /// How long a session lasts, hours.
    pub session_hours: u32,
    /// How long an invitation can be used, hours.
    pub invitation_hours: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { names: vec![], peer_url: None, session_hours: 12, invitation_hours: 48 }
    }
}
