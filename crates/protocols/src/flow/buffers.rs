//! Bytes that wait: messages not yet complete, segments out of order, emptied buffers for reuse.

use super::conversation::{Conversation, Direction, State};
use super::reader::Reader;

/// Longest message that is kept until it is complete; longer ones are passed over and counted.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// Emptied buffers kept for reuse, and the most bytes one of them may hold.
const SPARE_BUFFERS: usize = 64;
const SPARE_BYTES: usize = 16 * 1024;

impl Reader {
    /// Nothing of a conversation is read any more.
    pub(super) fn hush(&mut self, flow: &mut Conversation) {
        flow.state = State::Quiet;
        for dir in 0..2 {
            self.forget(&mut flow.dirs[dir]);
        }
    }

    /// Gives up what waits in a direction.
    pub(super) fn forget(&mut self, side: &mut Direction) {
        let pending = self.take_pending(side);
        self.stats.dropped_bytes += pending.len() as u64;
        self.recycle(pending);
        if side.has_hole() {
            self.holes -= 1;
        }
        if let Some(held) = side.held.take() {
            for segment in held.segments {
                self.stats.dropped_bytes += segment.bytes.len() as u64;
                self.release(&segment);
            }
        }
    }

    pub(super) fn take_pending(&mut self, side: &mut Direction) -> Vec<u8> {
        let Some(held) = &mut side.held else { return Vec::new() };
        let pending = std::mem::take(&mut held.pending);
        self.buffered -= pending.capacity();
        if held.segments.is_empty() {
            side.held = None;
        }
        pending
    }

    /// Keeps bytes until more of them come, or passes over the message where it is too long.
    pub(super) fn put_pending(&mut self, flow: &mut Conversation, dir: usize, pending: Vec<u8>) {
        let need = flow.dirs[dir].need as usize;
        let full = self.buffered + pending.capacity() > self.buffer_limit;
        let mut given_up = full;
        if let State::Reading(protocol) = flow.state {
            given_up |= need > MAX_MESSAGE_BYTES;
            self.stats.oversized += u64::from(need > MAX_MESSAGE_BYTES);
            self.stats.protocols[protocol].truncated += u64::from(given_up);
        }
        if given_up {
            self.stats.budget_exceeded += u64::from(full);
            self.stats.dropped_bytes += pending.len() as u64;
            if flow.state != State::Asking {
                flow.dirs[dir].skip = need.saturating_sub(pending.len()) as u64;
            }
            return self.recycle(pending);
        }
        self.buffered += pending.capacity();
        self.note_buffered();
        if flow.state == State::Asking {
            // Whoever is found, by the other side perhaps, is given what there is.
            flow.dirs[dir].need = 0;
        }
        flow.dirs[dir].held.get_or_insert_default().pending = pending;
    }

    pub(super) fn note_buffered(&mut self) {
        self.stats.most_buffered_bytes = self.stats.most_buffered_bytes.max(self.buffered as u64);
    }

    pub(super) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0
            && buffer.capacity() <= SPARE_BYTES
            && self.spare.len() < SPARE_BUFFERS
        {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}
