//! TCP segments into order.
//!
//! Of bytes that come twice the first win. A hole is waited for until its bytes come, or until the
//! other side has acknowledged what lies behind it, time passes, or too much waits: then it is a
//! gap, and reading goes on with the segment behind it.

use super::conversation::{Conversation, Direction, Held, Segment};
use super::reader::{Now, Reader};

/// Segments one direction may hold behind a hole.
pub const MAX_SEGMENTS: usize = 128;
/// A segment farther than this from where the stream stands does not belong to it (RFC 7323 lets
/// windows be larger; none is that full on the segments this is for).
pub const MAX_DISTANCE: u32 = 4 << 20;
/// Segments in a row far from where the stream stands that move it there.
const MAX_STRAYS: u8 = 4;
/// Acknowledgements for bytes behind a hole that prove its bytes lost to the capture.
const LOST_AFTER_ACKNOWLEDGEMENTS: u8 = 3;
/// Time after which a hole is given up.
const LOST_AFTER_NS: i64 = 5_000_000_000;
/// Bytes a waiting segment takes beside its payload.
const SEGMENT_OVERHEAD: usize = size_of::<Segment>() + 16;

/// How far `seq` lies behind `base`, negative where it lies before it.
#[inline]
const fn distance(seq: u32, base: u32) -> i32 {
    seq.wrapping_sub(base).cast_signed()
}

impl Reader {
    /// Takes a segment with payload; `cut` bytes of it were not captured.
    #[inline]
    pub(super) fn segment(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        seq: u32,
        payload: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        let side = &mut flow.dirs[dir];
        if !side.synced {
            (side.synced, side.next) = (true, seq);
        }
        self.stats.segments += 1;
        if seq == side.next && !side.has_hole() {
            (side.started, side.strays) = (true, 0);
            side.next = seq.wrapping_add(wire_len(payload, cut));
            self.stream(flow, dir, payload, cut, now);
        } else {
            self.disordered(flow, dir, seq, payload, cut, now);
        }
    }

    #[inline(never)]
    fn disordered(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        seq: u32,
        payload: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        let side = &mut flow.dirs[dir];
        let ahead = distance(seq, side.next);
        let len = wire_len(payload, cut);
        if ahead.unsigned_abs() > MAX_DISTANCE {
            self.stats.strays += 1;
            self.stats.dropped_bytes += payload.len() as u64;
            side.strays += 1;
            // A connection request alone may have been forged.
            if side.started && side.strays < MAX_STRAYS {
                return;
            }
            self.stats.dropped_bytes -= payload.len() as u64;
            self.give_up_holes(flow, dir, now);
            self.gap(flow, dir, 0);
            let side = &mut flow.dirs[dir];
            (side.strays, side.started) = (0, true);
            side.next = seq.wrapping_add(len);
            return self.stream(flow, dir, payload, cut, now);
        }
        side.strays = 0;
        if distance(seq.wrapping_add(len), side.next) <= 0 {
            self.stats.retransmissions += 1;
            return;
        }
        if ahead > 0 {
            self.stats.out_of_order += 1;
        }
        if ahead <= 0 && !side.has_hole() {
            self.stats.overlaps += 1;
            side.next = seq.wrapping_add(len);
            let known = (ahead.unsigned_abs() as usize).min(payload.len());
            return self.stream(flow, dir, &payload[known..], cut, now);
        }
        let before = u32::from(side.has_hole());
        self.hold(&mut flow.dirs[dir], seq, payload, len, now.ts_ns);
        if before == 0 && flow.dirs[dir].has_hole() {
            self.holes += 1;
        }
        self.drain(flow, dir, now);
        self.judge_hole(flow, dir, now);
    }

    /// Keeps the parts of a segment that are not there yet.
    fn hold(&mut self, side: &mut Direction, seq: u32, payload: &[u8], len: u32, ts_ns: i64) {
        let next = side.next;
        let held = side.held.get_or_insert_default();
        if held.segments.is_empty() {
            (held.since_ns, held.acknowledged) = (ts_ns, 0);
        }
        // Offsets from `next`: all lie within a few megabytes, so they compare as numbers.
        let start = i64::from(distance(seq, next));
        let end = start + i64::from(len);
        let mut from = start.max(0);
        let mut overlapped = start < 0;
        let mut conflict = false;
        let mut at = 0;
        while from < end {
            let (other_start, other_end) = match held.segments.get(at) {
                Some(other) => {
                    let other_start = i64::from(distance(other.seq, next));
                    (other_start, other_start + i64::from(other.len))
                }
                None => (i64::MAX, i64::MAX),
            };
            if other_end <= from {
                at += 1;
                continue;
            }
            let until = end.min(other_start);
            if from < until {
                let piece = piece(payload, seq, start, from, until);
                self.buffered += piece.bytes.capacity() + SEGMENT_OVERHEAD;
                held.segments.insert(at, piece);
                at += 1;
            }
            if other_start < end {
                overlapped = true;
                let both = (from.max(other_start), end.min(other_end));
                conflict |= held
                    .segments
                    .get(at)
                    .is_some_and(|other| differ(payload, start, other, other_start, both));
            }
            from = other_end;
        }
        self.stats.overlaps += u64::from(overlapped);
        self.stats.conflicts += u64::from(conflict);
        self.note_buffered();
    }

    /// Reads the segments that have become the next ones.
    fn drain(&mut self, flow: &mut Conversation, dir: usize, now: &mut Now<'_>) {
        loop {
            let side = &mut flow.dirs[dir];
            let next = side.next;
            let Some(held) = side.held.as_mut() else { return };
            let Some(segment) = held.segments.pop_if_first(|first| first.seq == next) else {
                return;
            };
            if held.segments.is_empty() {
                self.holes -= 1;
                if held.pending.is_empty() {
                    side.held = None;
                }
            }
            self.release(&segment);
            side.next = next.wrapping_add(segment.len);
            side.started = true;
            let cut = segment.len - segment.bytes.len() as u32;
            self.stream(flow, dir, &segment.bytes, cut, now);
        }
    }

    /// Gives the hole up when its bytes will not come, or when too much waits behind it.
    fn judge_hole(&mut self, flow: &mut Conversation, dir: usize, now: &mut Now<'_>) {
        loop {
            let Some(held) = &flow.dirs[dir].held else { return };
            if held.segments.is_empty() {
                return;
            }
            let full = self.buffered > self.buffer_limit;
            self.stats.budget_exceeded += u64::from(full);
            let lost = held.acknowledged >= LOST_AFTER_ACKNOWLEDGEMENTS
                || now.ts_ns.saturating_sub(held.since_ns) > LOST_AFTER_NS;
            if !(full || lost || held.segments.len() > MAX_SEGMENTS) {
                return;
            }
            self.give_up_hole(flow, dir, now);
        }
    }

    /// Counts the hole as a gap and reads on behind it.
    fn give_up_hole(&mut self, flow: &mut Conversation, dir: usize, now: &mut Now<'_>) {
        let side = &mut flow.dirs[dir];
        let Some(held) = &mut side.held else { return };
        let Some(first) = held.segments.first() else { return };
        let (seq, missing) = (first.seq, first.seq.wrapping_sub(side.next));
        (held.since_ns, held.acknowledged) = (now.ts_ns, 0);
        self.gap(flow, dir, u64::from(missing));
        flow.dirs[dir].next = seq;
        self.drain(flow, dir, now);
    }

    /// Reads everything that waits behind holes.
    pub(super) fn give_up_holes(&mut self, flow: &mut Conversation, dir: usize, now: &mut Now<'_>) {
        while flow.dirs[dir].has_hole() {
            self.give_up_hole(flow, dir, now);
        }
    }

    /// Notes an acknowledgement by the other side for what `dir` sent.
    pub(super) fn acknowledged(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        ack: u32,
        now: &mut Now<'_>,
    ) {
        let side = &mut flow.dirs[dir];
        let Some(held) = side.held.as_mut().map(Box::as_mut) else { return };
        let Held { segments, acknowledged, .. } = held;
        let Some(first) = segments.first() else { return };
        let behind = distance(ack, first.seq);
        if behind > 0 && behind.unsigned_abs() <= MAX_DISTANCE {
            *acknowledged = acknowledged.saturating_add(1);
            self.judge_hole(flow, dir, now);
        }
    }

    pub(super) fn release(&mut self, segment: &Segment) {
        self.buffered -= segment.bytes.capacity() + SEGMENT_OVERHEAD;
    }
}

/// Length on the wire.
#[inline]
fn wire_len(payload: &[u8], cut: u32) -> u32 {
    (payload.len() as u32).wrapping_add(cut)
}

/// The part from `from` to `until` of a segment that starts at `start`.
fn piece(payload: &[u8], seq: u32, start: i64, from: i64, until: i64) -> Segment {
    let clamp = |offset: i64| ((offset - start) as usize).min(payload.len());
    Segment {
        seq: seq.wrapping_add((from - start) as u32),
        len: (until - from) as u32,
        bytes: payload[clamp(from)..clamp(until)].to_vec(),
    }
}

/// Whether a segment says something else than another in the range both cover.
fn differ(
    payload: &[u8],
    start: i64,
    other: &Segment,
    other_start: i64,
    (from, until): (i64, i64),
) -> bool {
    fn part(bytes: &[u8], from: i64, until: i64) -> &[u8] {
        let clamp = |offset: i64| usize::try_from(offset).unwrap_or(0).min(bytes.len());
        &bytes[clamp(from)..clamp(until)]
    }
    let left = part(payload, from - start, until - start);
    let right = part(&other.bytes, from - other_start, until - other_start);
    let common = left.len().min(right.len());
    left[..common] != right[..common]
}

/// Takes the first segment if it is the one wanted.
trait PopFirst {
    fn pop_if_first(&mut self, wanted: impl Fn(&Segment) -> bool) -> Option<Segment>;
}

impl PopFirst for Vec<Segment> {
    fn pop_if_first(&mut self, wanted: impl Fn(&Segment) -> bool) -> Option<Segment> {
        if wanted(self.first()?) { Some(self.remove(0)) } else { None }
    }
}
