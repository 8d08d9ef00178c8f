//! Follows every control block and notes broken laws.

use std::collections::HashMap;
use std::sync::Arc;

use super::lawful::{Found, MAX_TTL_US, allowed, check_header};
use super::publisher::GooseModel;
use super::stream::Stream;
use super::{GooseLaw, GooseMessage};
use crate::laws::{LawWindow, LawWindows};

/// Streams followed at once; messages of further control blocks count as unknown publishers.
const MAX_STREAMS: usize = 8_192;
/// Time a run may take until every publisher speaks.
const START_GRACE_US: i64 = 30_000_000;
/// Time by which a publisher may stop before the end of a run.
const END_GRACE_US: i64 = 5_000_000;

/// Judges messages in the order of time, one run after the other.
#[derive(Debug)]
pub struct GooseJudge {
    model: Arc<GooseModel>,
    windows: LawWindows,
    streams: HashMap<String, Stream>,
    first_us: Option<i64>,
    last_us: i64,
}

impl GooseJudge {
    /// A judge of one run (or of live traffic, without a group).
    #[must_use]
    pub fn new(model: Arc<GooseModel>, window_us: i64, group: Option<Arc<str>>) -> Self {
        Self {
            model,
            windows: LawWindows::new(window_us, group),
            streams: HashMap::new(),
            first_us: None,
            last_us: i64::MIN,
        }
    }

    /// Takes the next message.
    pub fn push(&mut self, message: &GooseMessage<'_>) {
        self.first_us.get_or_insert(message.ts_us);
        self.last_us = self.last_us.max(message.ts_us);
        self.windows.message(message.src, message.ts_us);
        let model = Arc::clone(&self.model);
        let Some(publisher) = model.publishers.get(message.control) else {
            self.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        };
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(message.control) {
            self.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        }
        let mut found = Found::new();
        if !check_header(publisher, message, &mut found) {
            // Another sender or another configuration: told, and never followed.
            self.windows.note(message.src, message.ts_us, GooseLaw::Header as usize);
            return;
        }
        if !self.streams.contains_key(message.control) {
            self.streams.insert(message.control.to_owned(), Stream::default());
        }
        if let Some(stream) = self.streams.get_mut(message.control) {
            if let Some((from, to)) = stream.silence(publisher, message) {
                let law = GooseLaw::Silence as usize;
                self.windows.note_span(publisher.device, from, to, law);
            }
            stream.step(publisher, message, &mut found);
        }
        for (ts_us, law) in found {
            self.windows.note(message.src, ts_us, law as usize);
        }
    }

    /// Windows that nothing later changes, as far as a live judge can wait: those that ended
    /// `grace_us` before the last message. Late evidence then falls into the window of its time and
    /// comes out as a window of its own.
    pub fn ready(&mut self, grace_us: i64) -> Vec<LawWindow> {
        if self.first_us.is_none() {
            return Vec::new();
        }
        self.windows.close_before(self.last_us.saturating_sub(grace_us))
    }

    /// Time passed without any message: publishers that stay away are noted up to it.
    pub fn advance(&mut self, now_us: i64) {
        self.last_us = self.last_us.max(now_us);
    }

    /// Ends the run: publishers that fell silent before its end, or never spoke, are noted.
    pub fn finish(&mut self) -> Vec<LawWindow> {
        let Some(first) = self.first_us else { return Vec::new() };
        for (control, publisher) in &self.model.publishers {
            let spoke = self.streams.get(control).and_then(Stream::last_us);
            let (from, grace) = match spoke {
                Some(last) => (last.saturating_add(allowed(publisher, MAX_TTL_US)), END_GRACE_US),
                None => (first, START_GRACE_US),
            };
            if self.last_us.saturating_sub(spoke.unwrap_or(first)) > grace {
                let law = GooseLaw::Silence as usize;
                self.windows.note_span(publisher.device, from, self.last_us, law);
            }
        }
        self.streams.clear();
        self.first_us = None;
        self.windows.close_all()
    }
}
