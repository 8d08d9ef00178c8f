//! Requests to a peer: bounded in time and size, errors in words.

use std::time::Duration;

use model::PeerId;
use platform::peers::Peer;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};

use crate::room::Federation;
use crate::wire::{MAX_BATCH_BYTES, Receipt, Receipts, clip, letters_text, read};

/// A peer answers within this time or is away.
const TIMEOUT: Duration = Duration::from_secs(25);
/// How long a peer is asked to wait for letters, seconds.
pub(crate) const WAIT_S: u64 = 20;
/// Largest answer read, bytes: letters and the brackets around them.
const MAX_ANSWER_BYTES: usize = MAX_BATCH_BYTES + 1_024;
/// Characters of a peer's complaint that are kept.
const MAX_COMPLAINT_CHARS: usize = 300;

/// A peer with the client that reaches it.
pub(crate) struct Line {
    pub(crate) peer: Peer,
    base: String,
    client: reqwest::Client,
}

/// Why letters were not taken.
pub(crate) enum Refusal {
    /// The peer has another idea of which letter comes next.
    Place(String),
    /// Anything else.
    Other(String),
}

/// What a peer answered.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Line {
    /// The line to a peer, or why there is none.
    pub(crate) async fn to(room: &Federation, id: PeerId) -> Result<Self, String> {
        let peer = room.peers().peer(id).await.map_err(|error| error.to_string())?;
        let peer = peer.ok_or_else(|| "the peer was removed".to_owned())?;
        let Some(url) = peer.url.clone() else {
            return Err(format!("no address is known for {}", peer.name));
        };
        let client = room.peers().client(id).await.map_err(|error| error.to_string())?;
        let base = format!("{}/api/v1/federation", url.trim_end_matches('/'));
        Ok(Self { peer, base, client })
    }

    /// Brings letters; the peer's receipts.
    pub(crate) async fn bring(&self, wires: &[String]) -> Result<Vec<Receipt>, Refusal> {
        let request = self.client.post(format!("{}/letters", self.base));
        let answer = self.send(json_body(request, letters_text(wires))).await;
        let answer = answer.map_err(Refusal::Other)?;
        match answer.status {
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Refusal::Place(answer.complaint()))
            }
            status if !status.is_success() => Err(Refusal::Other(answer.complaint())),
            _ => match read::<Receipts>(&answer.body) {
                Ok(receipts) => Ok(receipts.receipts),
                Err(reason) => Err(Refusal::Other(reason)),
            },
        }
    }

    /// Asks for letters after a number and waits for some.
    pub(crate) async fn fetch(&self, stream: &str, after: i64) -> Result<Vec<u8>, String> {
        // A stream's name comes from the peer: nothing but what its own kind of node writes goes into an address.
        let stream: String =
            stream.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let url = format!("{}/letters?stream={stream}&after={after}&wait={WAIT_S}", self.base);
        let answer = self.send(self.client.get(url)).await?;
        if !answer.status.is_success() {
            return Err(answer.complaint());
        }
        Ok(answer.body)
    }

    /// Brings the receipts for what was fetched.
    pub(crate) async fn acknowledge(&self, receipts: &[String]) -> Result<(), String> {
        let text = format!("{{\"receipts\":[{}]}}", receipts.join(","));
        let request = self.client.post(format!("{}/receipts", self.base));
        let answer = self.send(json_body(request, text)).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.complaint()) }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let request = request.timeout(TIMEOUT);
        let mut response = request.send().await.map_err(|cause| in_words(&cause))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| in_words(&cause))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(format!("the answer is larger than {MAX_ANSWER_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn json_body(request: RequestBuilder, text: String) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(text)
}

impl Answer {
    /// What the peer says went wrong, in its own words where it has some.
    fn complaint(&self) -> String {
        let said: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let text = said.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        let text = clip(text.unwrap_or("no reason given"), MAX_COMPLAINT_CHARS);
        format!("HTTP {}: {text}", self.status.as_u16())
    }
}

/// The innermost cause of a failed request: "connection refused" rather than "error sending request".
fn in_words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}
