//! From bytes in order to messages: recognition, messages that span segments, bytes passed over.

use super::conversation::{Conversation, Direction, State};
use super::hints;
use super::stats::Stats;
use super::{End, Sighting};
use crate::app::{self, Carrier, PROTOCOLS, Parser, Protocol, Recognition, Scratch, Step};

/// Bytes of one direction the parsers may ask for before they must have made up their minds.
pub const RECOGNITION_BYTES: usize = 2048;
/// Segments or datagrams nobody recognises before a conversation is given up as unknown.
pub const RECOGNITION_TRIES: u8 = 12;
/// Longest message that is kept until it is complete; longer ones are passed over and counted.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// Emptied buffers kept for reuse, and the most bytes one of them may hold.
const SPARE_BUFFERS: usize = 64;
const SPARE_BYTES: usize = 16 * 1024;
/// EtherTypes whose parsers are remembered.
const REMEMBERED_LINKS: usize = 16;

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

/// What the parsers say.
enum Answer {
    Is(Protocol),
    Perhaps,
    Nobody,
}

#[derive(Debug)]
pub(super) struct Reader {
    parsers: &'static [&'static dyn Parser; PROTOCOLS],
    tcp: u32,
    udp: u32,
    links: Vec<(u16, u32)>,
    spare: Vec<Vec<u8>>,
    pub(super) buffered: usize,
    pub(super) buffer_limit: usize,
    /// Directions with segments behind a hole.
    pub(super) holes: usize,
    pub(super) stats: Stats,
}

impl std::fmt::Debug for dyn Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.protocol().name())
    }
}

/// Parsers that run over a carrier, a bit each.
fn mask(carrier: Carrier) -> u32 {
    let all = app::all().iter().enumerate();
    all.filter(|(_, parser)| parser.carried_by(carrier)).fold(0, |mask, (bit, _)| mask | 1 << bit)
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

    /// Parsers that run over a carrier, a bit each.
    #[inline]
    pub(super) fn carried(&mut self, carrier: Carrier) -> u32 {
        match carrier {
            Carrier::Tcp => self.tcp,
            Carrier::Udp => self.udp,
            Carrier::Link(ether_type) => {
                if let Some((_, mask)) = self.links.iter().find(|(kind, _)| *kind == ether_type) {
                    return *mask;
                }
                let mask = mask(carrier);
                if self.links.len() < REMEMBERED_LINKS {
                    self.links.push((ether_type, mask));
                }
                mask
            }
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
        let mut bytes = self.pass(&mut flow.dirs[dir], segment);
        let mut again = true;
        while again || !bytes.is_empty() {
            again = false;
            let mut pending = self.take_pending(&mut flow.dirs[dir]);
            if flow.quiet(dir) {
                self.stats.dropped_bytes += pending.len() as u64;
                self.recycle(pending);
                return;
            }
            if pending.is_empty() {
                self.recycle(pending);
                if bytes.is_empty() {
                    return;
                }
                match self.piece(flow, dir, cut, bytes, now) {
                    Left::Nothing => return,
                    Left::Keep { from, need } => {
                        let mut pending = self.spare.pop().unwrap_or_default();
                        pending.extend_from_slice(&bytes[from..]);
                        self.put_pending(flow, dir, pending, need);
                        return;
                    }
                    Left::Again { from } => bytes = &bytes[from..],
                    Left::Lost { from } => {
                        self.stats.dropped_bytes += (bytes.len() - from) as u64;
                        return;
                    }
                }
                continue;
            }
            let need = flow.dirs[dir].need as usize;
            let asking = flow.state == State::Asking;
            let room = if asking { RECOGNITION_BYTES } else { need };
            let (more, rest) = bytes.split_at(room.saturating_sub(pending.len()).min(bytes.len()));
            pending.extend_from_slice(more);
            bytes = rest;
            if !asking && pending.len() < need {
                self.put_pending(flow, dir, pending, need);
                return;
            }
            let behind = if bytes.is_empty() { cut } else { 0 };
            match self.piece(flow, dir, behind, &pending, now) {
                Left::Nothing => {
                    self.recycle(pending);
                    bytes = self.pass(&mut flow.dirs[dir], bytes);
                }
                Left::Keep { from, need } => {
                    pending.drain(..from);
                    self.put_pending(flow, dir, pending, need);
                    bytes = self.pass(&mut flow.dirs[dir], bytes);
                }
                Left::Again { from } => {
                    pending.drain(..from);
                    self.put_pending(flow, dir, pending, 0);
                    again = true;
                }
                Left::Lost { from } => {
                    self.stats.dropped_bytes += (pending.len() - from) as u64;
                    self.recycle(pending);
                    if flow.state == State::Asking {
                        // This segment may be the start of a message all the same.
                        bytes = segment;
                    } else {
                        self.stats.dropped_bytes += bytes.len() as u64;
                        return;
                    }
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
                Recognition::NotForUs => return Left::Lost { from: 0 },
                Recognition::Unsure => sure = false,
                Recognition::Certain => {}
            }
        }
        let left = self.run(flow, dir, protocol, cut, bytes, sure, now);
        match left {
            Left::Again { from } if !self.mistake(flow, dir, protocol) => Left::Lost { from },
            left => left,
        }
    }

    /// Asks the parsers that may still be right, those at home on the ports first.
    fn ask(&mut self, flow: &mut Conversation, dir: usize, cut: u32, bytes: &[u8]) -> Answer {
        let place = flow.place(dir, cut);
        let side = &mut flow.dirs[dir];
        if side.candidates == 0 {
            side.candidates = self.carried(place.carrier);
        }
        let hinted = hints::at_home(place.src_port) | hints::at_home(place.dst_port);
        for group in [side.candidates & hinted, side.candidates & !hinted] {
            let mut left = group;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                let parser = self.parsers[bit as usize];
                match parser.recognise(&place, bytes) {
                    Recognition::Certain => return Answer::Is(parser.protocol()),
                    Recognition::Unsure => {}
                    Recognition::NotForUs => side.candidates &= !(1 << bit),
                }
            }
        }
        if side.candidates == 0 { Answer::Nobody } else { Answer::Perhaps }
    }

    fn unrecognised(&mut self, flow: &mut Conversation, dir: usize) {
        flow.dirs[dir].candidates = 0;
        flow.asked += 1;
        if flow.asked >= RECOGNITION_TRIES {
            self.stats.unknown += 1;
            self.hush(flow);
        }
    }

    /// The parser that was certain cannot read its first message: the others are asked again, if
    /// there are any (the answer).
    fn mistake(&mut self, flow: &mut Conversation, dir: usize, protocol: Protocol) -> bool {
        self.stats.protocols[protocol].mistaken += 1;
        flow.state = State::Asking;
        flow.scratch = Scratch::default();
        let side = &mut flow.dirs[dir];
        side.candidates &= !(1 << protocol as u32);
        side.skip = 0;
        if side.candidates == 0 {
            self.unrecognised(flow, dir);
            return false;
        }
        true
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

    /// Nothing of a conversation is read any more.
    fn hush(&mut self, flow: &mut Conversation) {
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

    /// Passes over bytes that say nothing.
    fn pass<'b>(&self, side: &mut Direction, bytes: &'b [u8]) -> &'b [u8] {
        if side.skip == 0 {
            return bytes;
        }
        let over = side.skip.min(bytes.len() as u64);
        side.skip -= over;
        &bytes[over as usize..]
    }

    fn take_pending(&mut self, side: &mut Direction) -> Vec<u8> {
        let Some(held) = &mut side.held else { return Vec::new() };
        let pending = std::mem::take(&mut held.pending);
        self.buffered -= pending.capacity();
        if held.segments.is_empty() {
            side.held = None;
        }
        pending
    }

    fn put_pending(&mut self, flow: &mut Conversation, dir: usize, pending: Vec<u8>, need: usize) {
        if let State::Reading(protocol) = flow.state {
            let full = self.buffered + pending.capacity() > self.buffer_limit;
            self.stats.budget_exceeded += u64::from(full);
            self.stats.oversized += u64::from(need > MAX_MESSAGE_BYTES);
            if full || need > MAX_MESSAGE_BYTES {
                self.stats.protocols[protocol].truncated += 1;
                self.stats.dropped_bytes += pending.len() as u64;
                flow.dirs[dir].skip = need.saturating_sub(pending.len()) as u64;
                self.recycle(pending);
                return;
            }
        } else if self.buffered + pending.capacity() > self.buffer_limit {
            self.stats.budget_exceeded += 1;
            self.stats.dropped_bytes += pending.len() as u64;
            self.recycle(pending);
            return;
        }
        self.buffered += pending.capacity();
        self.note_buffered();
        let asking = flow.state == State::Asking;
        let side = &mut flow.dirs[dir];
        side.need = if asking { 0 } else { u32::try_from(need).unwrap_or(u32::MAX) };
        side.held.get_or_insert_default().pending = pending;
    }

    pub(super) fn note_buffered(&mut self) {
        self.stats.most_buffered_bytes = self.stats.most_buffered_bytes.max(self.buffered as u64);
    }

    fn recycle(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0
            && buffer.capacity() <= SPARE_BYTES
            && self.spare.len() < SPARE_BUFFERS
        {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}
