//! `GET /api/v1/knowledge/stream`: what becomes known, as server-sent events.
//!
//! Nothing is buffered for a reader but one page: the next is read when the one before is taken. A reader that takes too
//! long for an event is told so and cut; one that comes back with `Last-Event-ID` misses nothing. Each stream ends
//! after a while so that the policies are asked anew.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::{Stream, stream};
use intel::{Sight, changes, objects};
use model::Timestamp;
use platform::db::DbError;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{IntelItem, Names};
use crate::error::KnowledgeError;
use crate::room::Knowledge;
use crate::sight;

/// Changes read at once.
const PAGE: i64 = 100;
/// Pause between two looks when nothing is new.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pause between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A reader that takes longer for one event is cut, microseconds (half a minute).
const MAX_WAIT_US: i64 = 30_000_000;
/// A stream ends after so long, microseconds (a quarter of an hour): the reader comes back and is judged anew.
const MAX_STREAM_US: i64 = 900_000_000;
/// Larger objects are left out of the stream; the reader asks for them.
const MAX_OBJECT_BYTES: usize = 64 << 10;

/// Where to start, and what of.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct StreamQuery {
    /// STIX types, parted by commas; all when absent.
    types: Option<String>,
    /// Start after this place; the newest when absent. `Last-Event-ID` wins.
    after: Option<i64>,
}

/// A change as the stream tells it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelChange {
    /// Its place: what to come back with.
    seq: i64,
    /// `new`, `updated` or `revoked`.
    change: String,
    /// What lists show.
    item: IntelItem,
    /// The object as it came; absent where it is large.
    #[schema(value_type = Option<Object>)]
    object: Option<Value>,
}

/// Streams that are open, by person.
#[derive(Clone, Default)]
pub(crate) struct Open(Arc<Mutex<HashMap<String, usize>>>);

/// One open stream; it is counted until it is dropped.
struct Place {
    open: Open,
    who: String,
}

impl Open {
    fn take(&self, who: &str, most: usize) -> Option<Place> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(who.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { open: self.clone(), who: who.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.who);
            }
        }
    }
}

struct Feed {
    room: Knowledge,
    sight: Sight,
    types: Vec<String>,
    seq: i64,
    began: Timestamp,
    /// When the last event was handed out.
    handed: Option<Timestamp>,
    ready: VecDeque<Event>,
    over: bool,
    _place: Place,
}

/// What becomes known in the caller's sight, as it does: `new`, `updated`, `revoked`, each with its place as id. `cut`
/// ends the stream with a reason and the place to come back with.
#[utoipa::path(get, path = "/api/v1/knowledge/stream", tag = "knowledge", params(StreamQuery), responses(
    (status = 200, description = "Events whose data is an `IntelChange`", content_type = "text/event-stream",
        body = String),
    (status = 400, description = "A place or a type that cannot be", body = Problem),
    (status = 429, description = "Too many streams of this person", body = Problem)))]
pub(crate) async fn stream(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let types = types_of(query.types.as_deref().unwrap_or_default())?;
    let last =
        headers.get("last-event-id").map(|value| {
            value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(|| {
                Problem::bad_request("Last-Event-ID is not a number from this stream")
            })
        });
    let seq = match last.transpose()?.or(query.after) {
        Some(seq) => seq,
        None => objects::last_seq(&mut *room.platform().db.read().await?).await?,
    };
    let most = room.config().max_streams_per_person;
    let place = room.streams().take(&caller.id, most).ok_or_else(|| {
        let text = format!("{} has {most} streams open, the limit", caller.name);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", text)
            .remedy("Close one, or raise knowledge.max_streams_per_person.")
    })?;
    let (began, stop) = (room.platform().now(), room.platform().tasks.stop_token());
    let feed = Feed {
        room,
        sight,
        types,
        seq,
        began,
        handed: None,
        ready: VecDeque::new(),
        over: false,
        _place: place,
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
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

fn types_of(text: &str) -> Result<Vec<String>, Problem> {
    let types: Vec<String> =
        text.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    if types.len() > changes::MAX_TYPES || types.iter().any(|kind| kind.len() > 250) {
        let text = format!("types names at most {} STIX types", changes::MAX_TYPES);
        return Err(Problem::bad_request(text).remedy("Leave it out for all types."));
    }
    Ok(types)
}

impl Feed {
    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        let now = self.room.platform().now();
        if self.handed.take().is_some_and(|at| now.micros_since(at) > MAX_WAIT_US) {
            return self.cut("one event was not taken for 30 seconds");
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.handed = Some(self.room.platform().now());
                return Some(event);
            }
            if self.room.platform().now().micros_since(self.began) > MAX_STREAM_US {
                return self.cut("streams end after 15 minutes; come back");
            }
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "a stream of intelligence cannot be read on");
                return self.cut("the node could not read on; come back");
            }
            if self.ready.is_empty() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    fn cut(&mut self, reason: &str) -> Option<Event> {
        self.over = true;
        Event::default().event("cut").json_data(json!({ "reason": reason })).ok()
    }

    async fn read(&mut self) -> Result<(), KnowledgeError> {
        let mut sql = self.room.platform().db.read().await?;
        let last = objects::last_seq(&mut sql).await?;
        if last <= self.seq {
            return Ok(());
        }
        let found = changes::after(&mut sql, self.seq, &self.types, self.sight, PAGE).await?;
        let names = Names::read(&mut sql).await?;
        let whole = i64::try_from(found.len()).unwrap_or(PAGE) < PAGE;
        for change in found {
            self.seq = change.stored.seq;
            let large = change.stored.body.len() > MAX_OBJECT_BYTES;
            let told = IntelChange {
                seq: change.stored.seq,
                change: change.word().to_owned(),
                item: IntelItem::new(&change.stored, &names),
                object: if large { None } else { serde_json::from_str(&change.stored.body).ok() },
            };
            let event = Event::default().event(change.word()).id(told.seq.to_string());
            let event = event
                .json_data(told)
                .map_err(|cause| DbError::corrupt("intel_objects.body", cause))?;
            self.ready.push_back(event);
        }
        if whole {
            // What lay out of sight up to there is passed by.
            self.seq = self.seq.max(last);
        }
        Ok(())
    }
}
