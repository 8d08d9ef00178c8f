//! Follows every control block and notes broken laws.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lawful::{Found, MAX_TTL_US, allowed, check_header};
use super::publisher::GooseModel;
use super::stream::Stream;
use super::{GooseLaw, GooseMessage};
use crate::laws::{BLIND_US, KEPT_US, LawWindow, LawWindows};

/// Streams followed at once; messages of further control blocks count as unknown publishers.
const MAX_STREAMS: usize = 8_192;
/// Time a run may take until every publisher speaks.
const START_GRACE_US: i64 = 30_000_000;
/// Time by which a publisher may stop before the end of a run.
const END_GRACE_US: i64 = 5_000_000;

/// What a judge remembers from message to message. It may be stored and gone on with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GooseMemory {
    windows: LawWindows,
    streams: HashMap<String, Stream>,
    first_us: Option<i64>,
    last_us: i64,
}

impl GooseMemory {
    /// Nothing remembered; windows of this length, of a run where rows name one.
    #[must_use]
    pub fn new(window_us: i64, group: Option<Arc<str>>) -> Self {
        Self {
            windows: LawWindows::new(window_us, group),
            streams: HashMap::new(),
            first_us: None,
            last_us: i64::MIN,
        }
    }
}

/// Judges messages in the order of time, one run after the other.
#[derive(Debug)]
pub struct GooseJudge {
    model: Arc<GooseModel>,
    memory: GooseMemory,
}

impl GooseJudge {
    /// A judge of one run (or of live traffic, without a group).
    #[must_use]
    pub fn new(model: Arc<GooseModel>, window_us: i64, group: Option<Arc<str>>) -> Self {
        Self { model, memory: GooseMemory::new(window_us, group) }
    }

    /// A judge that goes on where another stopped.
    #[must_use]
    pub const fn resume(model: Arc<GooseModel>, memory: GooseMemory) -> Self {
        Self { model, memory }
    }

    /// What it remembers.
    #[must_use]
    pub fn into_memory(self) -> GooseMemory {
        self.memory
    }

    /// Takes the next message.
    pub fn push(&mut self, message: &GooseMessage<'_>) {
        if self.memory.last_us.saturating_sub(message.ts_us) > BLIND_US {
            // The clock was set back: what was followed lies in another time.
            self.forget();
            self.memory.last_us = message.ts_us;
        }
        let own = &mut self.memory;
        own.first_us.get_or_insert(message.ts_us);
        own.last_us = own.last_us.max(message.ts_us);
        own.windows.message(message.src, message.ts_us);
        let Some(publisher) = self.model.publishers.get(message.control) else {
            own.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        };
        if own.streams.len() >= MAX_STREAMS && !own.streams.contains_key(message.control) {
            own.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        }
        let mut found = Found::new();
        if !check_header(publisher, message, &mut found) {
            // Another sender or another configuration: told, and never followed.
            own.windows.note(message.src, message.ts_us, GooseLaw::Header as usize);
            return;
        }
        if !own.streams.contains_key(message.control) {
            own.streams.insert(message.control.to_owned(), Stream::default());
        }
        if let Some(stream) = own.streams.get_mut(message.control) {
            if let Some((from, to)) = stream.silence(publisher, message) {
                let law = GooseLaw::Silence as usize;
                own.windows.note_span(publisher.device, from, to, law);
            }
            stream.step(publisher, message, &mut found);
        }
        for (ts_us, law) in found {
            own.windows.note(message.src, ts_us, law as usize);
        }
    }

    /// Windows that nothing later changes, as far as a live judge can wait: those that ended
    /// `grace_us` before the last message. Late evidence then falls into the window of its time and
    /// comes out as a window of its own.
    pub fn ready(&mut self, grace_us: i64) -> Vec<LawWindow> {
        let own = &mut self.memory;
        if own.last_us == i64::MIN {
            return Vec::new();
        }
        own.windows.close_before(own.last_us.saturating_sub(grace_us))
    }

    /// Time passed, and every message up to it was pushed: publishers that stay away are noted in
    /// every whole window up to it. Of a longer time than [`BLIND_US`] nobody knows who spoke; the
    /// streams begin anew.
    pub fn advance(&mut self, now_us: i64) {
        let own = &mut self.memory;
        let Some(first) = own.first_us else { return };
        if now_us.saturating_sub(own.last_us) > BLIND_US {
            own.last_us = now_us;
            self.forget();
            return;
        }
        own.last_us = own.last_us.max(now_us);
        let to = own.windows.start_of(now_us);
        for (control, publisher) in &self.model.publishers {
            if !own.streams.contains_key(control) && own.streams.len() >= MAX_STREAMS {
                continue;
            }
            let stream = own.streams.entry(control.clone()).or_default();
            let from = match stream.last_us() {
                Some(last) => last.saturating_add(allowed(publisher, MAX_TTL_US)),
                None => first.saturating_add(START_GRACE_US),
            };
            let from = from.max(stream.silent_to);
            if from < to {
                own.windows.note_span(publisher.device, from, to, GooseLaw::Silence as usize);
                stream.silent_to = to;
            }
            stream.compact(now_us.saturating_sub(KEPT_US));
        }
    }

    /// The source began anew, perhaps in another time: gives the windows that are open, and follows
    /// every stream from its next message on.
    pub fn begin_anew(&mut self) -> Vec<LawWindow> {
        self.forget();
        self.memory.last_us = i64::MIN;
        self.memory.windows.close_all()
    }

    fn forget(&mut self) {
        self.memory.streams.clear();
        self.memory.first_us = None;
    }

    /// Ends the run: publishers that fell silent before its end, or never spoke, are noted.
    pub fn finish(&mut self) -> Vec<LawWindow> {
        let own = &mut self.memory;
        let Some(first) = own.first_us else { return own.windows.close_all() };
        for (control, publisher) in &self.model.publishers {
            let stream = own.streams.get(control);
            let spoke = stream.and_then(Stream::last_us);
            let (from, grace) = match spoke {
                Some(last) => (last.saturating_add(allowed(publisher, MAX_TTL_US)), END_GRACE_US),
                None => (first, START_GRACE_US),
            };
            if own.last_us.saturating_sub(spoke.unwrap_or(first)) > grace {
                let law = GooseLaw::Silence as usize;
                // Up to there it was noted while time passed.
                let from = from.max(stream.map_or(i64::MIN, |stream| stream.silent_to));
                own.windows.note_span(publisher.device, from, own.last_us, law);
            }
        }
        own.streams.clear();
        own.first_us = None;
        own.windows.close_all()
    }
}
