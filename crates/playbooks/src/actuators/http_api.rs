//! Actuator `http-api`: CACAO commands of the type http-api (§5.5).
//!
//! HTTPS, or plain HTTP to this machine only; redirects are not followed; time and body are bounded.
//! The request carries the command's key as `Idempotency-Key`, so that a server that honours it
//! does nothing twice when an attempt is repeated. Header values and credentials never reach a log,
//! a record or a page.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, PortError};
use serde_json::{Value, json};

use crate::cacao::variables::{Values, fill};
use crate::cacao::{AgentTarget, Command, Playbook};

/// The actuator's name.
pub const NAME: &str = "http-api";
/// Largest answer read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 32 * 1024;
/// Longest exchange, seconds.
pub const EXCHANGE_TIMEOUT_S: u64 = 20;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The request of a command, variables filled in.
///
/// # Errors
/// The command or its target cannot be asked; the text says why.
pub(crate) fn request(
    playbook: &Playbook,
    command: &Command,
    party: &AgentTarget,
    body: Option<&str>,
    values: &Values,
) -> Result<BTreeMap<String, Value>, String> {
    let filled = |text: &str| fill(text, values).map_err(|cause| cause.to_string());
    let line = filled(command.command.as_deref().unwrap_or_default())?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        return Err(format!("an http-api command begins with a method, not '{method}'"));
    }
    let path = words.next().unwrap_or("/");
    let url = join(&filled(&base(party)?)?, path);
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, all) in &command.headers {
        for value in all {
            headers.push((name.clone(), filled(value)?));
        }
    }
    if let Some(info) = party.authentication_info.as_ref() {
        let info = playbook
            .authentication_info_definitions
            .get(info)
            .ok_or_else(|| format!("{info} is not defined"))?;
        headers.push(("authorization".to_owned(), authorization(info, values)?));
    }
    let body = body.map(filled).transpose()?;
    Ok([
        ("method".to_owned(), method.into()),
        ("url".to_owned(), url.into()),
        ("headers".to_owned(), json!(headers)),
        ("body".to_owned(), body.into()),
    ]
    .into())
}

/// The same without secrets: header names only, the body's length only.
pub(crate) fn shown(request: &BTreeMap<String, Value>) -> Value {
    let names: Vec<&Value> = request
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|header| header.get(0))
        .collect();
    let size = request.get("body").and_then(Value::as_str).map(str::len);
    json!({ "method": request.get("method"), "url": request.get("url"), "headers": names,
        "body_size_bytes": size })
}

/// Where the party is reached, without a path's end.
fn base(party: &AgentTarget) -> Result<String, String> {
    let first =
        |kind: &str| party.address.get(kind).and_then(|all| all.first()).and_then(Value::as_str);
    if let Some(url) = first("url") {
        return Ok(url.to_owned());
    }
    let host = first("dname")
        .map(str::to_owned)
        .or_else(|| first("ipv4").map(str::to_owned))
        .or_else(|| first("ipv6").map(|address| format!("[{address}]")))
        .ok_or_else(|| format!("'{}' has no url, dname, ipv4 or ipv6 address", party.name))?;
    let port = party.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
    let local = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let scheme = if local || host == "localhost" { "http" } else { "https" };
    Ok(format!("{scheme}://{host}{port}"))
}

fn join(base: &str, path: &str) -> String {
    if path.starts_with("https://") || path.starts_with("http://") {
        return path.to_owned();
    }
    format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
}

fn authorization(info: &Value, values: &Values) -> Result<String, String> {
    use base64::Engine as _;
    let text = |name: &str| {
        let text = info.get(name).and_then(Value::as_str).unwrap_or_default();
        fill(text, values).map_err(|cause| cause.to_string())
    };
    match info.get("type").and_then(Value::as_str) {
        Some("http-basic") => {
            let pair = format!("{}:{}", text("user_id")?, text("password")?);
            Ok(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
        }
        Some("oauth2") => {
            let header = text("oauth_header")?;
            let token = text("token")?;
            let scheme = if header.is_empty() { "Bearer".to_owned() } else { header };
            Ok(format!("{scheme} {token}"))
        }
        other => Err(format!("credentials of the type {} are not used here", other.unwrap_or("?"))),
    }
}

/// Sends requests.
#[derive(Default)]
pub struct HttpApi {
    client: OnceLock<Option<reqwest::Client>>,
}

#[async_trait]
impl Actuator for HttpApi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("request", "sends one HTTP request (method, url, headers, body)")]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "request" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let request = self.prepare(command)?;
        let host = request.url().host_str().unwrap_or("?").to_owned();
        let away = |cause: reqwest::Error| {
            let cause = cause.without_url();
            if cause.is_builder() {
                PortError::Invalid(format!("the request cannot be sent: {cause}"))
            } else {
                PortError::Unavailable(format!("{host} does not answer: {cause}"))
            }
        };
        let mut response = self.client()?.execute(request).await.map_err(away)?;
        let status = response.status();
        let mut body: Vec<u8> = Vec::new();
        let mut cut = false;
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            let room = MAX_ANSWER_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        let text = String::from_utf8_lossy(&body);
        let data = json!({ "status": status.as_u16(), "body": text, "cut": cut });
        if status.is_success() {
            return Ok(Outcome::Done { summary: format!("{host} answered {status}"), data });
        }
        let retry = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        let said: String = text.chars().take(200).collect();
        Ok(Outcome::Failed { reason: format!("{host} answered {status}: {said}"), retry })
    }
}

impl HttpApi {
    fn client(&self) -> Result<&reqwest::Client, PortError> {
        let build = || {
            // Whoever starts the node has chosen the provider already; then this changes nothing.
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(Duration::from_secs(EXCHANGE_TIMEOUT_S))
                .user_agent(concat!("sereno/", env!("CARGO_PKG_VERSION")))
                .build()
                .inspect_err(|cause| tracing::error!(%cause, "no HTTP client"))
                .ok()
        };
        let client = self.client.get_or_init(build).as_ref();
        client.ok_or_else(|| {
            PortError::Internal("the HTTP client cannot be made; see the log".into())
        })
    }

    fn prepare(&self, command: &ActuatorCommand) -> Result<reqwest::Request, PortError> {
        let invalid = |text: String| PortError::Invalid(text);
        let text =
            |name: &str| command.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let url: reqwest::Url = text("url")
            .parse()
            .map_err(|cause| invalid(format!("the address is no URL: {cause}")))?;
        let host = url.host_str().unwrap_or_default();
        let local = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(invalid(format!(
                "{host}: only https is spoken with other machines; use an https URL"
            )));
        }
        let method = text("method")
            .parse::<reqwest::Method>()
            .map_err(|_| invalid(format!("'{}' is no HTTP method", text("method"))))?;
        let mut builder =
            self.client()?.request(method, url).header("idempotency-key", &command.key);
        let headers = command.arguments.get("headers").and_then(Value::as_array);
        for header in headers.into_iter().flatten() {
            if let (Some(name), Some(value)) =
                (header.get(0).and_then(Value::as_str), header.get(1).and_then(Value::as_str))
            {
                builder = builder.header(name, value);
            }
        }
        if let Some(body) = command.arguments.get("body").and_then(Value::as_str) {
            builder = builder.body(body.to_owned());
        }
        builder.build().map_err(|cause| invalid(format!("the request cannot be made: {cause}")))
    }
}
