//! The sections `[server]`, `[node]`, `[log]` and `[demo]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use platform::observe::LogForm;
use serde::{Deserialize, Serialize};

/// Where the node listens, section `[server]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Console and API without TLS: loopback only.
    pub listen: SocketAddr,
    /// Console, API and peers with TLS; needed for any other address than loopback.
    pub tls_listen: Option<SocketAddr>,
    /// The address people type; `http://localhost:PORT` when absent.
    pub public_url: Option<String>,
    /// More names and addresses for the node's certificate.
    pub names: Vec<String>,
    /// Largest request body, bytes.
    pub max_body_bytes: usize,
    /// How long requests may go on after a stop was asked for, seconds.
    pub drain_s: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8642)),
            tls_listen: None,
            public_url: None,
            names: vec![],
            max_body_bytes: 10 << 20,
            drain_s: 5,
        }
    }
}

/// Why a listening address is refused.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Plain HTTP beyond this machine.
    #[error(
        "refusing to listen on {0} without TLS: plain HTTP is for loopback only; use --tls-listen {0} (the console then needs an account), or --listen 127.0.0.1:PORT"
    )]
    PlainBeyondLoopback(SocketAddr),
    /// TLS beyond this machine before anybody has an account.
    #[error(
        "refusing to listen on {0} while this node has no account: start it on loopback once and create the administrator, then listen there"
    )]
    NoAccount(SocketAddr),
    /// Somebody else has the port.
    #[error(
        "{address}: {cause}{holder}; choose another with {flag} ADDRESS:PORT (port 0 takes a free one)"
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        cause: std::io::Error,
        /// Who holds it, where that can be seen.
        holder: String,
        /// The flag to change.
        flag: &'static str,
    },
}

impl ServerConfig {
    /// Checks what can be checked before a port opens.
    ///
    /// # Errors
    /// Plain HTTP on anything but loopback.
    pub fn check(&self) -> Result<(), ListenError> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(ListenError::PlainBeyondLoopback(self.listen))
    }
}

/// Who this node is, section `[node]`; first-run may change the name and kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// The organisation's name.
    pub name: Option<String>,
    /// `operator`, `cert`, `developer`, `assessor`, `trainer` or `other`.
    pub kind: Option<String>,
}

/// Logging, section `[log]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `human` or `json`.
    pub form: LogForm,
    /// An `EnvFilter` directive.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { form: LogForm::Human, filter: "info".into() }
    }
}

/// Present only on nodes that a demonstration supervises, section `[demo]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemoConfig {
    /// Credit line of the capture that is replayed.
    pub credit: Option<String>,
    /// The other node's console.
    pub peer_console_url: Option<String>,
    /// The supervisor's control socket.
    pub supervisor: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_loopback() {
        let mut config = ServerConfig::default();
        assert!(config.check().is_ok());
        config.listen = SocketAddr::from(([0, 0, 0, 0], 8642));
        let refused = config.check().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("without TLS") && refused.contains("--tls-listen"), "{refused}");
    }
}
