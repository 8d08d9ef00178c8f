//! The section `[identity]`.

use std::path::PathBuf;

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

/// An authority outside this node whose client certificates open accounts here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientCa {
    /// Its certificate, or several, PEM.
    pub file: PathBuf,
    /// Its revocation lists, PEM; read again every hour.
    pub revoked: Option<PathBuf>,
    /// Which certificate opens which account; the first that fits decides.
    pub accounts: Vec<SubjectAccount>,
}

/// Which certificates of an outside authority open an account. All that is said here must fit, and something must be
/// said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubjectAccount {
    /// The account of this node.
    pub account: String,
    /// The whole subject, e.g. `CN=reader, O=Example ISAC`; the order of its parts does not matter.
    pub subject: Option<String>,
    /// One of the alternative names: `dns:NAME`, `email:ADDRESS`, `uri:URI` or `ip:ADDRESS`.
    pub san: Option<String>,
    /// SHA-256 of the certificate, hex, with or without colons.
    pub fingerprint: Option<String>,
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
    /// After how long without a request a session ends, hours; 0: only by `session_hours`.
    pub session_idle_hours: u32,
    /// How long an invitation can be used, hours.
    pub invitation_hours: u32,
    /// How much may come from where; the smallest network that holds a source decides.
    pub limits: Vec<NetworkLimit>,
    /// An authority outside this node whose client certificates open accounts here.
    pub client_ca: Option<ClientCa>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            names: vec![],
            peer_url: None,
            session_hours: 12,
            session_idle_hours: 4,
            invitation_hours: 48,
            limits: vec![],
            client_ca: None,
        }
    }
}
