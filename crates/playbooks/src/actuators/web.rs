//! One HTTP exchange of an actuator: only where it may go, bounded in time and size, told apart by what is certain:
//! not sent, answered, or nobody knows.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use platform::outward::{self, Reach};
use ports::PortError;
use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use super::config::ActuatorsConfig;

/// Largest answer read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 32 * 1024;
/// Clients kept, one for each host.
const MAX_CLIENTS: usize = 64;
/// The key that allows private addresses.
pub(crate) const KEY: &str = "playbooks.actuators.allow_private";

/// What the other side said.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// There was more than [`MAX_ANSWER_BYTES`].
    pub cut: bool,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The beginning of the body, for a sentence.
    pub(crate) fn said(&self) -> String {
        self.text().chars().take(200).collect()
    }

    /// True when trying again later may help.
    pub(crate) fn is_passing(&self) -> bool {
        self.status.is_server_error() || matches!(self.status.as_u16(), 408 | 425 | 429)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// It may not or cannot be sent.
    Refused(String),
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, and what came of it is not known.
    Unknown(String),
}

impl NoAnswer {
    /// For a request that may be repeated.
    pub(crate) fn repeatable(self) -> PortError {
        match self {
            Self::Refused(text) => PortError::Invalid(text),
            Self::NotSent(text) | Self::Unknown(text) => PortError::Unavailable(text),
        }
    }
}

/// Clients by host.
pub(crate) struct Web {
    pub config: ActuatorsConfig,
    clients: Mutex<BTreeMap<(String, Vec<SocketAddr>), Client>>,
}

impl Web {
    pub(crate) fn new(config: ActuatorsConfig) -> Self {
        Self { config, clients: Mutex::default() }
    }

    pub(crate) fn reach(&self) -> Reach<'static> {
        Reach {
            allow_private: self.config.allow_private,
            key: KEY,
            timeout_s: self.config.timeout_s,
        }
    }

    /// A request to an address, if that may be called: https, or http to this machine.
    pub(crate) async fn request(
        &self,
        method: Method,
        url: &str,
    ) -> Result<RequestBuilder, NoAnswer> {
        let url = address(url).map_err(NoAnswer::Refused)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let found = match outward::addresses(&host, port, self.reach()).await {
            Ok(found) => found,
            Err(why) if why.contains("is not found") => return Err(NoAnswer::NotSent(why)),
            Err(why) => return Err(NoAnswer::Refused(why)),
        };
        Ok(self.client(host, found)?.request(method, url))
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, NoAnswer> {
        let (client, request) = request.build_split();
        let request = request.map_err(|cause| {
            NoAnswer::Refused(format!("the request cannot be made: {}", cause.without_url()))
        })?;
        let host = request.url().host_str().unwrap_or("?").to_owned();
        let away = |cause: reqwest::Error| {
            let unsent = cause.is_connect() || cause.is_builder();
            let text = format!("{host} does not answer: {}", chain(&cause.without_url()));
            if unsent { NoAnswer::NotSent(text) } else { NoAnswer::Unknown(text) }
        };
        let mut response = client.execute(request).await.map_err(away)?;
        let status = response.status();
        let (mut body, mut cut) = (Vec::new(), false);
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            let room = MAX_ANSWER_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        Ok(Answer { status, body, cut })
    }

    fn client(&self, host: String, mut found: Vec<SocketAddr>) -> Result<Client, NoAnswer> {
        found.sort();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host, found);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        // Whoever starts the node has chosen the provider already; then this changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = outward::builder(&key.0, &key.1, self.reach())
            .tls_certs_merge(authorities(&self.config).map_err(NoAnswer::Refused)?)
            .build()
            .map_err(|cause| NoAnswer::Refused(format!("no HTTP client: {}", chain(&cause))))?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

/// The further authorities of the configuration.
fn authorities(config: &ActuatorsConfig) -> Result<Vec<Certificate>, String> {
    let Some(pem) = authorities_pem(config)? else { return Ok(vec![]) };
    Certificate::from_pem_bundle(&pem)
        .map_err(|cause| format!("playbooks.actuators.ca_file holds no certificates: {cause}"))
}

/// The file of further authorities, where one is configured.
pub(crate) fn authorities_pem(config: &ActuatorsConfig) -> Result<Option<Vec<u8>>, String> {
    let Some(path) = &config.ca_file else { return Ok(None) };
    std::fs::read(path)
        .map(Some)
        .map_err(|cause| format!("playbooks.actuators.ca_file: {path} cannot be read: {cause}"))
}

/// An address that may be called: without a password, https, or http to this machine.
pub(crate) fn address(text: &str) -> Result<Url, String> {
    let url = outward::address(text)?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" && !is_local(host) {
        return Err(format!("{host}: only https is spoken with other machines; use an https URL"));
    }
    Ok(url)
}

/// True for this machine.
pub(crate) fn is_local(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An error with its causes: the outermost alone mostly says "error sending request".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.chars().take(500).collect()
}
