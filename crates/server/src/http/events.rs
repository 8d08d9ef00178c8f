//! `GET /api/v1/events`: server-sent events. Facts carry their sequence number as event id, so a
//! browser that reconnects with `Last-Event-ID` misses none; live news carries none.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::stream;
use model::event::Fact;
use platform::Platform;
use platform::db::{Hidden, read_facts};
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use utoipa::{IntoParams, ToSchema};

use super::NodeState;

/// Larger payloads are left out of the stream; the page asks for the object.
pub const MAX_STREAMED_PAYLOAD_BYTES: usize = 8 << 10;
/// Facts read at once for one page.
const FACTS_PER_READ: i64 = 100;

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
    seq: i64,
    committed: watch::Receiver<i64>,
    live: broadcast::Receiver<Value>,
    ready: std::collections::VecDeque<Event>,
    /// What is not for this reader.
    hidden: Hidden,
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
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
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
    let live = state.platform.live.listen();
    let stop = state.platform.tasks.stop_token();
    let feed = Feed {
        platform: state.platform,
        seq,
        committed,
        live,
        ready: std::collections::VecDeque::new(),
        hidden: gate.hidden_facts(&caller),
    };
    let stream = stream::unfold(feed, move |mut feed| {
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = stop.cancelled() => None,
                event = feed.next() => event.map(|event| (Ok(event), feed)),
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

impl Feed {
    /// The next event; `None` ends the stream and the browser reconnects.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.committed.mark_unchanged();
            if *self.committed.borrow() > self.seq && !self.read_more().await? {
                return None;
            }
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.committed.changed() => changed.ok()?,
                news = self.live.recv() => match news {
                    Ok(news) if self.hidden.hides(news["topic"].as_str().unwrap_or_default(), None) => {}
                    Ok(news) => return Event::default().event("live").json_data(news).ok(),
                    // A slow page misses old news; the next news replaces it anyway.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
            }
        }
    }

    async fn read_more(&mut self) -> Option<bool> {
        let mut connection = self.platform.db.read().await.ok()?;
        let facts = read_facts(&mut connection, self.seq, &[], FACTS_PER_READ).await.ok()?;
        for fact in facts {
            self.seq = fact.seq;
            if self.hidden.hides(&fact.kind, fact.tlp) {
                continue;
            }
            let event = Event::default().event("fact").id(fact.seq.to_string());
            self.ready.push_back(event.json_data(shown(fact)).ok()?);
        }
        Some(true)
    }
}
