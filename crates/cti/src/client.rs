//! Requests to a peer's TAXII server: bounded in time and size, errors in words.

use std::time::Duration;

use model::PeerId;
use platform::peers::Peer;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::room::Cti;
use crate::taxii::{API_ROOT, MEDIA_TYPE};

/// A peer answers within this time or is away.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer read.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// A peer's answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `X-TAXII-Date-Added-Last`.
    pub(crate) added_last: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body)
            .map_err(|cause| format!("answer not understood: {cause}"))
    }

    /// What the peer says went wrong, in its own words where it has some.
    pub(crate) fn complaint(&self) -> String {
        let said = self.json::<serde_json::Value>().ok();
        let text = said.as_ref().and_then(|error| {
            error.get("description").or_else(|| error.get("detail")).or_else(|| error.get("title"))
        });
        let text = text.and_then(serde_json::Value::as_str).unwrap_or("no reason given");
        let clip: String = text.chars().take(300).collect();
        format!("HTTP {}: {clip}", self.status.as_u16())
    }
}

/// A peer with the client that reaches it.
pub(crate) struct Line {
    pub(crate) peer: Peer,
    base: String,
    client: reqwest::Client,
}

impl Line {
    /// The line to a peer, or why there is none.
    pub(crate) async fn to(cti: &Cti, id: PeerId) -> Result<Self, String> {
        let peer = cti.deps().peers.peer(id).await.map_err(|error| error.to_string())?;
        let peer = peer.ok_or_else(|| "the peer was removed".to_owned())?;
        let Some(url) = peer.url.clone() else {
            return Err(format!("no address is known for {}", peer.name));
        };
        let client = cti.deps().peers.client(id).await.map_err(|error| error.to_string())?;
        Ok(Self { base: format!("{}{API_ROOT}", url.trim_end_matches('/')), peer, client })
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.prepared(self.client.get(format!("{}{path}", self.base)))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.prepared(self.client.post(format!("{}{path}", self.base)))
            .header(reqwest::header::CONTENT_TYPE, MEDIA_TYPE)
    }

    fn prepared(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(reqwest::header::ACCEPT, MEDIA_TYPE).timeout(TIMEOUT)
    }
}

/// Sends and reads the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, String> {
    let mut response = request.send().await.map_err(|cause| in_words(&cause))?;
    let header = |response: &Response| {
        let value = response.headers().get("x-taxii-date-added-last")?;
        value.to_str().ok().map(str::to_owned)
    };
    let (status, added_last) = (response.status(), header(&response));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| in_words(&cause))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("the answer is larger than {MAX_ANSWER_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, added_last, body })
}

/// The innermost cause of a failed request: "connection refused" rather than "error sending request".
fn in_words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}
