//! What waits to be said to the node: batches until acknowledged, answers, the newest readings.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ports::WindowBatch;
use ports::edge::{self, FromEdge, SourceState};

/// Batches kept until the node acknowledges them.
pub const MAX_UNACKED_BATCHES: usize = 256;
/// Bytes of these.
pub const MAX_UNACKED_BYTES: usize = 3 << 20;
/// Answers to orders that wait for the connection; the node repeats an order without an answer.
pub const MAX_ANSWERS: usize = 256;

#[derive(Debug)]
struct Kept {
    epoch: u64,
    seq: u64,
    frame: Vec<u8>,
    packets: u64,
}

#[derive(Debug, Default)]
struct Inner {
    epoch: u64,
    next_seq: u64,
    unacked: VecDeque<Kept>,
    bytes: usize,
    /// Batches at the front already written to this connection; `None` before the welcome.
    written: Option<usize>,
    answers: VecDeque<FromEdge>,
    counters: Option<FromEdge>,
    state: Option<FromEdge>,
    newest_state: Option<SourceState>,
    refused_batches: u64,
    refused_packets: u64,
}

impl Inner {
    fn full(&self) -> bool {
        self.unacked.len() >= MAX_UNACKED_BATCHES || self.bytes >= MAX_UNACKED_BYTES
    }

    fn forget_front(&mut self) {
        if let Some(kept) = self.unacked.pop_front() {
            self.bytes -= kept.frame.len();
            self.written = self.written.map(|written| written.saturating_sub(1));
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Kept.
    Kept,
    /// Not kept: the bound was reached.
    Refused,
    /// Not kept: it cannot be written as a frame.
    TooLong,
}

/// Shared between the engine and the link.
#[derive(Debug, Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new start of the source: batches of the old one are given up, numbers begin again.
    pub fn start_epoch(&self, epoch: u64) {
        let mut inner = self.lock();
        inner.epoch = epoch;
        inner.next_seq = 0;
        inner.unacked.clear();
        inner.bytes = 0;
        inner.written = inner.written.map(|_| 0);
    }

    /// Goes on with a start of the source from before a restart of this process: the next batch has
    /// this number. What the node has of it already, it ignores.
    pub fn resume_epoch(&self, epoch: u64, next_seq: u64) {
        self.start_epoch(epoch);
        self.lock().next_seq = next_seq;
    }

    /// The source's start, and the number of the next batch.
    pub fn position(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.epoch, inner.next_seq)
    }

    /// Whether every batch before this number is acknowledged.
    pub fn is_acked_before(&self, seq: u64) -> bool {
        self.lock().unacked.front().is_none_or(|kept| kept.seq >= seq)
    }

    /// The number of the source's start.
    pub fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    /// True while nothing more should be made: the source must wait, or what it makes is lost.
    pub fn full(&self) -> bool {
        self.lock().full()
    }

    /// Keeps a batch (its epoch and number are set here). Beyond the bound it is refused and
    /// counted, unless `waits` says that the source is being held and this is what was on the way.
    pub fn push(&self, mut batch: WindowBatch, packets: u64, waits: bool) -> Pushed {
        let mut inner = self.lock();
        let hard =
            inner.unacked.len() >= 2 * MAX_UNACKED_BATCHES || inner.bytes >= 2 * MAX_UNACKED_BYTES;
        if hard || (inner.full() && !waits) {
            inner.refused_batches += 1;
            inner.refused_packets += packets;
            return Pushed::Refused;
        }
        let (epoch, seq) = (inner.epoch, inner.next_seq);
        (batch.epoch, batch.seq) = (epoch, seq);
        let mut frame = Vec::new();
        if edge::encode(&FromEdge::Windows(batch), &mut frame).is_err() {
            inner.refused_batches += 1;
            inner.refused_packets += packets;
            return Pushed::TooLong;
        }
        inner.next_seq += 1;
        inner.bytes += frame.len();
        inner.unacked.push_back(Kept { epoch, seq, frame, packets });
        drop(inner);
        self.changed.notify_all();
        Pushed::Kept
    }

    /// Packets whose windows could not be kept.
    pub fn refused_packets(&self) -> u64 {
        self.lock().refused_packets
    }

    /// An answer to an order. Beyond the bound the oldest goes: the node asks again.
    pub fn answer(&self, done: FromEdge) {
        let mut inner = self.lock();
        if inner.answers.len() >= MAX_ANSWERS {
            inner.answers.pop_front();
        }
        inner.answers.push_back(done);
        drop(inner);
        self.changed.notify_all();
    }

    /// The newest counters; older ones not yet said are dropped.
    pub fn counters(&self, counters: FromEdge) {
        self.lock().counters = Some(counters);
        self.changed.notify_all();
    }

    /// The newest state of the source.
    pub fn state(&self, state: SourceState) {
        let mut inner = self.lock();
        inner.newest_state = Some(state.clone());
        inner.state = Some(FromEdge::SourceState(state));
        drop(inner);
        self.changed.notify_all();
    }

    /// The node is away: nothing is written until it says welcome again.
    pub fn disconnected(&self) {
        let mut inner = self.lock();
        inner.written = None;
        inner.answers.clear();
    }

    /// The node says what it has; the rest is written again.
    pub fn welcome(&self, epoch: u64, last_seq: Option<u64>) {
        let mut inner = self.lock();
        inner.written = Some(0);
        if let Some(last_seq) = last_seq {
            acknowledge(&mut inner, epoch, last_seq);
        }
        inner.state = inner.newest_state.clone().map(FromEdge::SourceState);
        drop(inner);
        self.changed.notify_all();
    }

    /// Everything up to `seq` of `epoch` is durable at the node.
    pub fn ack(&self, epoch: u64, seq: u64) {
        acknowledge(&mut self.lock(), epoch, seq);
    }

    /// Batches and packets in them that are not acknowledged.
    pub fn unacked(&self) -> (usize, u64) {
        let inner = self.lock();
        (inner.unacked.len(), inner.unacked.iter().map(|kept| kept.packets).sum())
    }

    /// Waits at most `wait` for something to write: answers go first, then batches in order.
    pub fn next(&self, wait: Duration) -> Option<Vec<u8>> {
        let mut inner = self.lock();
        if let Some(frame) = take(&mut inner) {
            return Some(frame);
        }
        (inner, _) = self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
        take(&mut inner)
    }

    /// Wakes whoever waits in [`Outbox::next`].
    pub fn wake(&self) {
        self.changed.notify_all();
    }
}

fn acknowledge(inner: &mut Inner, epoch: u64, seq: u64) {
    while inner.unacked.front().is_some_and(|kept| kept.epoch == epoch && kept.seq <= seq) {
        inner.forget_front();
    }
}

fn take(inner: &mut Inner) -> Option<Vec<u8>> {
    let written = inner.written?;
    if let Some(answer) = inner.answers.pop_front() {
        return encoded(&answer);
    }
    if let Some(kept) = inner.unacked.get(written) {
        inner.written = Some(written + 1);
        return Some(kept.frame.clone());
    }
    let reading = inner.counters.take().or_else(|| inner.state.take())?;
    encoded(&reading)
}

fn encoded(message: &FromEdge) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    match edge::encode(message, &mut frame) {
        Ok(()) => Some(frame),
        Err(error) => {
            tracing::error!(%error, "a message to the node cannot be written");
            None
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
