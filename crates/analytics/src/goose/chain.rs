//! A sequence of messages that continue each other.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Entry, GooseLaw, GooseMessage};

/// Times a chain remembers, so that its messages can be found again when it proves false.
const MAX_TIMES: usize = 4_096;

/// One state and how far its repetitions went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chain {
    pub state: u32,
    pub sequence: u32,
    pub t_us: i64,
    pub data: Vec<Entry>,
    /// Capture time of the last message.
    pub last_us: i64,
    pub messages: u64,
    /// Whether its beginning, a change of state, was seen.
    pub from_change: bool,
    /// A law that the state as such breaks: every repetition breaks it again.
    pub suspect: Option<GooseLaw>,
    pub times: VecDeque<i64>,
    /// Breaks of timing: who is false among two that tell one state.
    pub faults: u32,
}

impl Chain {
    pub(super) fn start(message: &GooseMessage<'_>) -> Self {
        Self {
            state: message.state,
            sequence: message.sequence,
            t_us: message.t_us,
            data: message.data.to_vec(),
            last_us: message.ts_us,
            messages: 1,
            from_change: false,
            suspect: None,
            times: VecDeque::from([message.ts_us]),
            faults: 0,
        }
    }

    /// Whether a message tells the same state.
    pub(super) fn is_state_of(&self, message: &GooseMessage<'_>) -> bool {
        self.state == message.state && self.t_us == message.t_us && self.data == message.data
    }

    /// Whether a message is the next repetition.
    pub(super) fn is_followed_by(&self, message: &GooseMessage<'_>) -> bool {
        self.is_state_of(message) && self.sequence.checked_add(1) == Some(message.sequence)
    }

    /// Whether another chain tells the same state from the number on that comes next, or from one
    /// told already: nothing is missing between them.
    pub(super) fn is_continued_by(&self, other: &Self) -> bool {
        let told = u32::try_from(other.messages).unwrap_or(u32::MAX).saturating_sub(1);
        let first = other.sequence.saturating_sub(told);
        self.state == other.state
            && self.t_us == other.t_us
            && self.data == other.data
            && first <= self.sequence.saturating_add(1)
            && other.sequence > self.sequence
    }

    /// Goes on where a chain that continues this one stands.
    pub(super) fn join(&mut self, other: Self) {
        self.sequence = other.sequence;
        self.last_us = other.last_us;
        self.messages += other.messages;
        self.times.extend(other.times);
        self.times.make_contiguous().sort_unstable();
        let beyond = self.times.len().saturating_sub(MAX_TIMES);
        self.times.drain(..beyond);
    }

    /// Forgets the times before one: what they could be found for is told already.
    pub(super) fn compact(&mut self, before_us: i64) {
        self.times.retain(|ts_us| *ts_us >= before_us);
    }

    pub(super) fn extend(&mut self, message: &GooseMessage<'_>) {
        self.sequence = message.sequence;
        self.last_us = message.ts_us;
        self.messages += 1;
        if self.times.len() >= MAX_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(message.ts_us);
    }
}
