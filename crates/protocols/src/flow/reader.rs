//! From bytes in order to messages: recognition, messages that span segments, bytes passed over.

use super::conversation::{Conversation, Direction, State};
use super::recognition::{Answer, RECOGNITION_BYTES, mask};
use super::stats::Stats;
use super::{End, Sighting};
use crate::app::{self, Carrier, PROTOCOLS, Parser, Protocol, Recognition, Step};

/// The packet at hand, and who is told of messages.
pub(super) struct Now<'c> {
    pub(super) ts_ns: i64,
    /// Hardware addresses of the low and the high end.
    pub(super) macs: [Option<[u8; 6]>; 2],
    pub(super) each: &'c mut dyn FnMut(&Sighting<'_>),
}

/// What was left of bytes that were read.
enum Left {
    /// Nothing waits.
    Nothing,
    /// From here on bytes wait until there are `need` of them.
    Keep { from: usize, need: usize },
    /// The parser was the wrong one: the others are asked from here on.
    Again { from: usize },
    /// From here on nothing can be made of the bytes.
    Lost { from: usize },
}

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) parsers: &'static [&'static dyn Parser; PROTOCOLS],
    pub(super) tcp: u32,
    pub(super) udp: u32,
    pub(super) links: Vec<(u16, u32)>,
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) buffered: usize,
    pub(super) buffer_limit: usize,
    /// Directions with segments behind a hole.
    pub(super) holes: usize,
    pub(super) stats: Stats,
}

impl Reader {
    pub(super) fn new(buffer_limit: usize) -> Self {
        Self {
            parsers: app::all(),
            tcp: mask(Carrier::Tcp),
            udp: mask(Carrier::Udp),
            links: Vec::new(),
            spare: Vec::new(),
            buffered: 0,
            buffer_limit,
            holes: 0,
            stats: Stats::default(),
        }
    }

    /// Takes the next bytes of a stream; behind them `cut` are missing.
    pub(super) fn stream(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        bytes: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        let asking = flow.state == State::Asking;
        self.pieces(flow, dir, bytes, cut, now);
        if cut > 0 {
            self.stats.cut += 1;
            self.gap(flow, dir, u64::from(cut));
        }
        let other = 1 - dir;
        if asking && flow.state != State::Asking && flow.dirs[other].held.is_some() {
            // What the other side said meanwhile can be read now, too.
            self.pieces(flow, other, &[], 0, now);
        }
    }

    fn pieces(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        segment: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        let bytes = self.pass(&mut flow.dirs[dir], segment);
        let mut pending = self.take_pending(&mut flow.dirs[dir]);
        if pending.is_empty() {
            return self.fresh(flow, dir, bytes, cut, now);
        }
        pending.extend_from_slice(bytes);
        if flow.state != State::Asking && pending.len() < flow.dirs[dir].need as usize {
            return self.put_pending(flow, dir, pending);
        }
        let mut from = 0;
        loop {
            if flow.quiet(dir) {
                self.stats.dropped_bytes += (pending.len() - from) as u64;
                return self.recycle(pending);
            }
            match self.piece(flow, dir, cut, &pending[from..], now) {
                Left::Nothing => return self.recycle(pending),
                Left::Keep { from: behind, need } => {
                    pending.drain(..from + behind);
                    flow.dirs[dir].need = u32::try_from(need).unwrap_or(u32::MAX);
                    return self.put_pending(flow, dir, pending);
                }
                Left::Again { from: behind } => from += behind,
                Left::Lost { from: behind } => {
                    let lost = pending.len() - from - behind;
                    self.recycle(pending);
                    if flow.state == State::Asking && !bytes.is_empty() {
                        // This segment may be the start of a message all the same.
                        self.stats.dropped_bytes += lost.saturating_sub(bytes.len()) as u64;
                        return self.fresh(flow, dir, bytes, cut, now);
                    }
                    self.stats.dropped_bytes += lost as u64;
                    return;
                }
            }
        }
    }

    /// Takes bytes before which nothing waits: they are read where they lie.
    fn fresh(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        mut bytes: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        while !bytes.is_empty() && !flow.quiet(dir) {
            match self.piece(flow, dir, cut, bytes, now) {
                Left::Nothing => return,
                Left::Keep { from, need } => {
                    let mut pending = self.spare.pop().unwrap_or_default();
                    pending.extend_from_slice(&bytes[from..]);
                    flow.dirs[dir].need = u32::try_from(need).unwrap_or(u32::MAX);
                    return self.put_pending(flow, dir, pending);
                }
                Left::Again { from } => bytes = &bytes[from..],
                Left::Lost { from } => {
                    self.stats.dropped_bytes += (bytes.len() - from) as u64;
                    return;
                }
            }
        }
    }

    /// Asks, if nobody reads the conversation yet, and reads.
    fn piece(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        cut: u32,
        bytes: &[u8],
        now: &mut Now<'_>,
    ) -> Left {
        let protocol = match flow.state {
            State::Reading(protocol) => protocol,
            State::Quiet => return Left::Nothing,
            State::Asking => match self.ask(flow, dir, cut, bytes) {
                Answer::Is(protocol) => {
                    flow.state = State::Reading(protocol);
                    protocol
                }
                Answer::Perhaps if bytes.len() < RECOGNITION_BYTES => {
                    return Left::Keep { from: 0, need: bytes.len() + 1 };
                }
                Answer::Perhaps | Answer::Nobody => {
                    self.unrecognised(flow, dir);
                    return Left::Lost { from: 0 };
                }
            },
        };
        let mut sure = true;
        if flow.dirs[dir].lost {
            let place = flow.place(dir, cut);
            match self.parsers[protocol as usize].recognise(&place, bytes) {
                Recognition::NotForUs if self.turned(flow, dir, cut, bytes, protocol) => {
                    return Left::Again { from: 0 };
                }
                Recognition::NotForUs => return Left::Lost { from: 0 },
                Recognition::Unsure => sure = false,
                Recognition::Certain => {}
            }
        }
        match self.run(flow, dir, protocol, cut, bytes, sure, now) {
            Left::Again { from } if !self.mistake(flow, dir, protocol) => Left::Lost { from },
            Left::Lost { from }
                if flow.dirs[dir].lost
                    && sure
                    && self.turned(flow, dir, cut, &bytes[from..], protocol) =>
            {
                Left::Again { from }
            }
            left => left,
        }
    }

    /// Reads message after message.
    #[expect(
        clippy::too_many_arguments,
        reason = "the inner loop: a bundle would only rename them"
    )]
    fn run(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        protocol: Protocol,
        cut: u32,
        bytes: &[u8],
        sure: bool,
        now: &mut Now<'_>,
    ) -> Left {
        let parser = self.parsers[protocol as usize];
        let place = flow.place(dir, cut);
        let mut at = 0_usize;
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            match parser.next(&place, &mut flow.scratch, rest) {
                Step::Message { record, consumed } => {
                    self.message(flow, protocol);
                    flow.dirs[dir].lost = false;
                    let end = |end: usize| End {
                        ip: flow.key.ip(end),
                        mac: now.macs[end],
                        port: flow.key.port(end),
                    };
                    (now.each)(&Sighting {
                        ts_ns: now.ts_ns,
                        from: end(dir),
                        to: end(1 - dir),
                        carrier: place.carrier,
                        from_opener: place.from_opener,
                        protocol,
                        record,
                    });
                    at = at.saturating_add(consumed.max(1));
                }
                Step::Pass { consumed } => {
                    flow.dirs[dir].lost = false;
                    at = at.saturating_add(consumed.max(1));
                }
                Step::NeedMore(_) if !sure && flow.dirs[dir].lost => {
                    return Left::Lost { from: at };
                }
                Step::NeedMore(need) => {
                    return Left::Keep { from: at, need: need.max(rest.len() + 1) };
                }
                Step::Malformed { .. } if !flow.proven => return Left::Again { from: at },
                Step::Malformed { .. } if flow.dirs[dir].lost => return Left::Lost { from: at },
                Step::Malformed { why, consumed } => {
                    let counts = &mut self.stats.protocols[protocol];
                    counts.malformed += 1;
                    counts.last_malformed = Some(why);
                    if consumed == 0 {
                        flow.dirs[dir].lost = true;
                        return Left::Lost { from: at };
                    }
                    at = at.saturating_add(consumed);
                }
                Step::Done => {
                    flow.dirs[dir].done = true;
                    if flow.dirs[1 - dir].done {
                        self.hush(flow);
                    }
                    return Left::Nothing;
                }
            }
        }
        flow.dirs[dir].skip = at.saturating_sub(bytes.len()) as u64;
        Left::Nothing
    }

    #[inline]
    fn message(&mut self, flow: &mut Conversation, protocol: Protocol) {
        let counts = &mut self.stats.protocols[protocol];
        counts.messages += 1;
        if !flow.proven {
            flow.proven = true;
            counts.conversations += 1;
        }
    }

    /// Takes a datagram or a frame: messages end with it.
    pub(super) fn datagram(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        bytes: &[u8],
        cut: u32,
        now: &mut Now<'_>,
    ) {
        self.stats.cut += u64::from(cut > 0);
        let mut bytes = bytes;
        while !bytes.is_empty() && !flow.quiet(dir) {
            let left = self.piece(flow, dir, cut, bytes, now);
            let side = &mut flow.dirs[dir];
            (side.skip, side.lost) = (0, false);
            match (left, flow.state) {
                (Left::Again { from }, _) => {
                    bytes = &bytes[from..];
                    continue;
                }
                (Left::Keep { from, .. }, State::Reading(protocol)) => {
                    self.stats.dropped_bytes += (bytes.len() - from) as u64;
                    if flow.proven || cut > 0 {
                        self.stats.protocols[protocol].truncated += 1;
                    } else if self.mistake(flow, dir, protocol) {
                        bytes = &bytes[from..];
                        continue;
                    }
                }
                (Left::Keep { .. }, _) => {
                    self.stats.dropped_bytes += bytes.len() as u64;
                    self.unrecognised(flow, dir);
                }
                (Left::Lost { from }, _) => {
                    self.stats.dropped_bytes += (bytes.len() - from) as u64;
                }
                (Left::Nothing, _) => {}
            }
            break;
        }
        flow.dirs[dir].candidates = 0;
    }

    /// Bytes of a stream that will not come.
    pub(super) fn gap(&mut self, flow: &mut Conversation, dir: usize, missing: u64) {
        self.stats.gaps += 1;
        self.stats.gap_bytes += missing;
        let skip = flow.dirs[dir].skip;
        if skip > 0 && missing <= skip {
            // Only bytes that say nothing are missing.
            flow.dirs[dir].skip = skip - missing;
            return;
        }
        let pending = self.take_pending(&mut flow.dirs[dir]);
        self.stats.dropped_bytes += pending.len() as u64;
        let side = &mut flow.dirs[dir];
        (side.skip, side.candidates) = (0, 0);
        if let State::Reading(protocol) = flow.state {
            side.lost = true;
            self.stats.protocols[protocol].truncated += u64::from(!pending.is_empty());
        }
        self.recycle(pending);
    }

    /// Passes over bytes that say nothing.
    fn pass<'b>(&self, side: &mut Direction, bytes: &'b [u8]) -> &'b [u8] {
        if side.skip == 0 {
            return bytes;
        }
        let over = side.skip.min(bytes.len() as u64);
        side.skip -= over;
        &bytes[over as usize..]
    }
}
