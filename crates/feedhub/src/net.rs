//! Requests to the servers of others: bounded in time and size, credentials only to the server they are for, errors in
//! words that hold neither keys nor queries.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use tokio::sync::Mutex;

use crate::config::Config;
use crate::fetch::{self, MAX_REDIRECTS, address, shown};
use crate::secret::Auth;

/// Servers spoken to in one run.
const MAX_SERVERS: usize = 8;
/// Pause before a request that failed is tried once more.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause a server may ask for, seconds.
const MAX_RETRY_AFTER_S: i64 = 86_400;
/// The pause taken when a server asks for one that is not understood, seconds.
const USUAL_RETRY_AFTER_S: i64 = 60;
/// Characters of a server's complaint that are told.
const MAX_COMPLAINT_CHARS: usize = 300;
/// Bytes of a complaint that are read.
const MAX_COMPLAINT_BYTES: usize = 64 * 1024;

/// Why a request did not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// For people.
    pub(crate) text: String,
    /// What the server said, if it did.
    pub(crate) status: Option<StatusCode>,
    /// When the server wants to be asked again, seconds from now.
    pub(crate) again_s: Option<i64>,
    /// The answer was larger than is read.
    pub(crate) too_large: bool,
}

impl Fault {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Whether the server refuses this very request.
    pub(crate) fn refuses(&self) -> bool {
        self.status.is_some_and(|status| {
            matches!(status.as_u16(), 400 | 404 | 406 | 410 | 413 | 416 | 422)
        })
    }
}

impl From<crate::error::FeedError> for Fault {
    fn from(error: crate::error::FeedError) -> Self {
        Self::new(error.to_string())
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is sent.
pub(crate) struct Request<'r> {
    pub(crate) method: Method,
    pub(crate) url: &'r Url,
    pub(crate) accept: &'r str,
    /// Type and bytes.
    pub(crate) body: Option<(&'r str, Vec<u8>)>,
    /// Bytes of the answer at most.
    pub(crate) most: usize,
}

impl<'r> Request<'r> {
    /// A request for reading.
    pub(crate) fn get(url: &'r Url, accept: &'r str, most: usize) -> Self {
        Self { method: Method::GET, url, accept, body: None, most }
    }
}

/// The way to one server, and without credentials to those it refers to.
pub(crate) struct Line {
    config: Config,
    home: String,
    auth: Auth,
    secret: Option<String>,
    clients: Mutex<HashMap<String, Client>>,
}

/// Scheme, host and port.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl Line {
    /// The way to the server of an address.
    pub(crate) fn new(config: &Config, home: &Url, auth: Auth, secret: Option<String>) -> Self {
        let clients = Mutex::default();
        Self { config: config.clone(), home: origin(home), auth, secret, clients }
    }

    /// Whether an address belongs to the server this line leads to.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        origin(url) == self.home
    }

    /// Forgets the servers spoken to, so that as many others may be: for the next part of a run.
    pub(crate) async fn forget_servers(&self) {
        self.clients.lock().await.clear();
    }

    /// The whole answer to a request for reading.
    pub(crate) async fn get(&self, url: &Url, accept: &str, most: usize) -> Result<Answer, Fault> {
        let request = Request::get(url, accept, most);
        match self.once(&request).await {
            Err(fault) if passing(&fault) => {
                tokio::time::sleep(PAUSE).await;
                self.once(&request).await
            }
            other => other,
        }
    }

    /// The whole answer to a request that is not repeated.
    pub(crate) async fn once(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(request, &url).await?;
            let status = response.status();
            if status.is_redirection() && request.method == Method::GET {
                url = self.elsewhere(&url, &response)?;
                continue;
            }
            if !status.is_success() {
                return Err(self.complaint(&url, response).await);
            }
            let headers = response.headers().clone();
            let body = self.read(&url, response, request.most).await?;
            return Ok(Answer { headers, body });
        }
        Err(Fault::new(format!("{}: more than {MAX_REDIRECTS} redirects", shown(request.url))))
    }

    fn elsewhere(&self, from: &Url, response: &Response) -> Result<Url, Fault> {
        let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let to = from.join(target.unwrap_or_default());
        let to =
            to.map_err(|_| Fault::new(format!("{} redirects to what is no address", shown(from))))?;
        if from.scheme() == "https" && to.scheme() != "https" {
            let text = format!("redirects from https to {}, which is refused", to.scheme());
            return Err(Fault::new(text));
        }
        address(to.as_str()).map_err(Fault::new)
    }

    async fn ask(&self, request: &Request<'_>, url: &Url) -> Result<Response, Fault> {
        let client = self.client(url).await?;
        let mut asked = client.request(request.method.clone(), url.clone());
        asked = asked.header(ACCEPT, request.accept);
        if self.is_home(url) {
            asked = signed(asked, &self.auth, self.secret.as_deref()).map_err(Fault::new)?;
        }
        if let Some((kind, body)) = &request.body {
            asked = asked.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        asked.send().await.map_err(|cause| {
            Fault::new(format!("{} does not answer: {}", shown(url), in_words(cause)))
        })
    }

    async fn client(&self, url: &Url) -> Result<Client, Fault> {
        let mut clients = self.clients.lock().await;
        let key = origin(url);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        if clients.len() >= MAX_SERVERS {
            let text = format!("it refers to more than {MAX_SERVERS} servers, the limit of a run");
            return Err(Fault::new(text));
        }
        let client = fetch::client(&self.config, url).await.map_err(Fault::new)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    async fn read(&self, url: &Url, mut response: Response, most: usize) -> Result<Vec<u8>, Fault> {
        let too_large = || Fault {
            text: format!("{} answers with more than {most} bytes", shown(url)),
            too_large: true,
            ..Fault::default()
        };
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            let part = response.chunk().await.map_err(|cause| {
                let text = format!("{} broke off after {} bytes", shown(url), body.len());
                Fault::new(format!("{text}: {}", in_words(cause)))
            })?;
            let Some(part) = part else { return Ok(body) };
            if body.len() + part.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
    }

    async fn complaint(&self, url: &Url, response: Response) -> Fault {
        let status = response.status();
        let again_s = response.headers().get("retry-after").map(|value| {
            let said = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
            said.unwrap_or(USUAL_RETRY_AFTER_S).clamp(1, MAX_RETRY_AFTER_S)
        });
        let body = self.read(url, response, MAX_COMPLAINT_BYTES).await.unwrap_or_default();
        let said = self.said(&body).map(|said| format!(": {said}")).unwrap_or_default();
        let text = format!("{} answers {status}{said}", shown(url));
        Fault { text, status: Some(status), again_s, too_large: false }
    }

    /// What the server says went wrong; a key that it repeats is not told.
    fn said(&self, body: &[u8]) -> Option<String> {
        let limits = stix::json::Limits { max_values: 10_000, ..stix::json::DEFAULT_LIMITS };
        let error = stix::json::read(body, limits).ok()?;
        let names = ["description", "detail", "errors", "message", "title", "name"];
        let text = names.iter().find_map(|name| match error.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })?;
        let text = match &self.secret {
            Some(secret) => text.replace(secret.as_str(), "…"),
            None => text,
        };
        let clip = |c: char| if c.is_control() { ' ' } else { c };
        Some(text.chars().map(clip).take(MAX_COMPLAINT_CHARS).collect())
    }
}

/// A request that says who asks.
pub(crate) fn signed(
    request: RequestBuilder,
    auth: &Auth,
    secret: Option<&str>,
) -> Result<RequestBuilder, String> {
    Ok(match (auth, secret) {
        (Auth::Basic { user }, secret) => request.basic_auth(user, secret),
        (Auth::Bearer, Some(secret)) => request.bearer_auth(secret),
        (Auth::Key, Some(secret)) => {
            let value = HeaderValue::from_str(secret);
            let mut value = value.map_err(|_| "the key cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            request.header(AUTHORIZATION, value)
        }
        _ => request,
    })
}

/// Whether the same request may well do in a moment.
fn passing(fault: &Fault) -> bool {
    match fault.status {
        Some(status) => fault.again_s.is_none() && matches!(status.as_u16(), 500 | 502 | 503 | 504),
        None => !fault.too_large && fault.text.contains("broke off"),
    }
}

/// The innermost cause, without the address.
fn in_words(error: reqwest::Error) -> String {
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if timed_out { "no answer in time".to_owned() } else { cause.to_string() }
}
