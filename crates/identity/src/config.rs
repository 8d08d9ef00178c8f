//! The section `[identity]`.

use serde::{Deserialize, Serialize};

/// What each source in a network may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkLimit {
    /// The network, e.g. `10.0.0.0/8` or `2001:db8::/32`.
    pub network: String,
    /// Requests of one source a second, in the mean; bursts may be ten times as many. 0: no limit.
    pub requests_per_s: f64,
    /// Failed credentials of one source in five minutes before it has to wait.
    pub failures: usize,
}

/// Settings of identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How much may come from where; the smallest network that holds a source decides.
    pub limits: Vec<NetworkLimit>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            names: vec![],
            peer_url: None,
            session_hours: 12,
            invitation_hours: 48,
            limits: vec![],
        }
    }
}
