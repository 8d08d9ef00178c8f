//! `GET /api/v1/events`: server-sent events. Facts carry their sequence number as event id, so a
//! browser that reconnects with `Last-Event-ID` misses none; live news carries none.
//!
//! What is ready goes out together, at most [`WRITES_PER_SECOND`] times a second to each page: a thousand facts a second
//! are ten writes. A page that reads slowly is asked for nothing; facts wait in the database, news is replaced by newer.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures::stream;
use model::event::Fact;
use platform::Platform;
use platform::db::Hidden;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use utoipa::{IntoParams, ToSchema};

use super::NodeState;
use super::fanout::Fanout;

/// Larger payloads are left out of the stream; the page asks for the object.
pub const MAX_STREAMED_PAYLOAD_BYTES: usize = 8 << 10;
/// Writes to one page in a second at most.
pub const WRITES_PER_SECOND: u64 = 10;
/// News of one write at most; older ones are left out.
pub const MAX_NEWS_PER_WRITE: usize = 512;
/// Silence after which a line without meaning shows that the stream lives.
const KEEP_ALIVE_S: u64 = 15;
/// Pause before a browser comes back, milliseconds.
const RECONNECT_MS: u64 = 2_000;

/// A fact as pages see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactView {
    /// Position in the sequence.
    pub seq: i64,
    /// Identity.
    id: String,
    /// `room.what_happened`.
    kind: String,
    /// What it is about.
    subject: String,
    /// Who caused it.
    actor: String,
    /// One sentence.
    sentence: String,
    /// The facts, or `{"trimmed":true}` when they are large.
    #[schema(value_type = Object)]
    payload: Value,
    /// Packet time.
    #[schema(value_type = Option<String>)]
    event_at: Option<model::Timestamp>,
    /// When this node recorded it.
    #[schema(value_type = String)]
    recorded_at: model::Timestamp,
}

/// A fact trimmed for a page.
pub fn shown(fact: Fact) -> FactView {
    let large = fact.payload.to_string().len() > MAX_STREAMED_PAYLOAD_BYTES;
    FactView {
        seq: fact.seq,
        id: fact.id.to_string(),
        kind: fact.kind,
        subject: fact.subject,
        actor: fact.actor,
        sentence: fact.sentence,
        payload: if large { json!({ "trimmed": true }) } else { fact.payload },
        event_at: fact.event_at,
        recorded_at: fact.recorded_at,
    }
}

/// Where to start.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct EventsQuery {
    /// Start after this position; the newest when absent. `Last-Event-ID` wins.
    after: Option<i64>,
}

struct Feed {
    platform: Platform,
    fanout: Fanout,
    seq: i64,
    committed: watch::Receiver<i64>,
    live: broadcast::Receiver<Value>,
    /// What is not for this reader.
    hidden: Hidden,
    /// Something was written: the next write has to wait.
    written: bool,
}

/// Facts and live news as they come. Reconnects continue after `Last-Event-ID` without a gap.
#[utoipa::path(get, path = "/api/v1/events", tag = "node", params(EventsQuery),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn events(
    State(state): State<NodeState>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last =
        headers.get("last-event-id").map(|value| {
            value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(|| {
                Problem::bad_request("Last-Event-ID is not a number from this stream")
            })
        });
    let committed = state.platform.db.committed();
    let seq = match last.transpose()?.or(query.after) {
        Some(seq) => seq,
        None => *committed.borrow(),
    };
    let feed = Feed {
        live: state.platform.live.listen(),
        platform: state.platform.clone(),
        fanout: state.fanout,
        seq,
        committed,
        hidden: gate.hidden_facts(&caller),
        written: false,
    };
    let stop = state.platform.tasks.stop_token();
    let stream = stream::unfold(feed, move |mut feed| {
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = stop.cancelled() => None,
                text = feed.next() => text.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), feed)),
            }
        }
    });
    let mut response = Response::new(Body::from_stream(stream));
    let stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, stream);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

impl Feed {
    /// All that is ready now, as one text; `None` ends the stream and the browser reconnects.
    async fn next(&mut self) -> Option<String> {
        if !self.written {
            self.written = true;
            // Facts that were missed come with the first write.
            let facts = self.facts().await?;
            return Some(format!("retry: {RECONNECT_MS}\n\n{facts}"));
        }
        tokio::time::sleep(Duration::from_millis(1_000 / WRITES_PER_SECOND)).await;
        loop {
            let mut news = Vec::new();
            self.committed.mark_unchanged();
            if *self.committed.borrow() <= self.seq {
                tokio::select! {
                    changed = self.committed.changed() => changed.ok()?,
                    heard = self.live.recv() => match heard {
                        Ok(one) => news.push(one),
                        // A slow page misses old news; the next news replaces it anyway.
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        Err(broadcast::error::RecvError::Closed) => return None,
                    },
                    () = tokio::time::sleep(Duration::from_secs(KEEP_ALIVE_S)) => return Some(":\n\n".into()),
                }
            }
            let mut text = self.facts().await?;
            self.news(news, &mut text);
            if !text.is_empty() {
                return Some(text);
            }
        }
    }

    /// Facts that are ready and for this reader.
    async fn facts(&mut self) -> Option<String> {
        let mut text = String::new();
        if *self.committed.borrow() <= self.seq {
            return Some(text);
        }
        for told in self.fanout.after(&self.platform, self.seq).await.ok()? {
            self.seq = told.seq;
            if !self.hidden.hides(&told.kind, told.tlp) {
                text.push_str(&told.text);
            }
        }
        Some(text)
    }

    /// News that is ready: of what is always replaced by the next word, the newest alone.
    fn news(&mut self, mut heard: Vec<Value>, text: &mut String) {
        while heard.len() < MAX_NEWS_PER_WRITE {
            match self.live.try_recv() {
                Ok(one) => heard.push(one),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        heard.retain(|one| !self.hidden.hides(one["topic"].as_str().unwrap_or_default(), None));
        for (at, one) in heard.iter().enumerate() {
            let later = heard.get(at + 1..).unwrap_or_default();
            if replaced(one).is_none_or(|own| !later.iter().any(|two| replaced(two) == Some(own))) {
                let _ = write!(text, "event: live\ndata: {one}\n\n");
            }
        }
    }
}

/// What a piece of news is about when only the newest word on it counts; windows are points, and each one counts.
fn replaced(news: &Value) -> Option<(&str, &str)> {
    let about = match news["topic"].as_str()? {
        "counters" | "source" => news["gateway"].as_str(),
        "training" => news["device"].as_str(),
        _ => None,
    };
    Some((news["topic"].as_str()?, about?))
}
