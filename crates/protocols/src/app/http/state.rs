//! What is remembered of a conversation in the 64 bits there are for it.

use crate::app::Scratch;

/// Requests without answer whose method is remembered; answers to more count as ordinary ones.
const MAX_ASKED: u64 = 16;
/// Places of the fields in the number: body left of either side, upgrade, count and queue of methods.
const UPGRADED: u64 = 1 << 8;
const COUNT_AT: u32 = 16;
const COUNT: u64 = 0x1f << COUNT_AT;
const QUEUE_AT: u32 = 32;

/// What of a body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Chunk,
    Trailer,
    UntilClose,
}

/// Methods that change what their answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Other,
    Head,
    Connect,
}

pub(super) struct State(u64);

impl State {
    pub(super) const fn of(scratch: Scratch) -> Self {
        Self(scratch.0)
    }

    pub(super) const fn kept(&self) -> Scratch {
        Scratch(self.0)
    }

    pub(super) const fn body(&self, side: usize) -> Body {
        match self.0 >> (side * 2) & 3 {
            0 => Body::None,
            1 => Body::Chunk,
            2 => Body::Trailer,
            _ => Body::UntilClose,
        }
    }

    pub(super) const fn set_body(&mut self, side: usize, body: Body) {
        self.0 = self.0 & !(3 << (side * 2)) | (body as u64) << (side * 2);
    }

    pub(super) const fn upgraded(&self) -> bool {
        self.0 & UPGRADED != 0
    }

    pub(super) const fn upgrade(&mut self) {
        self.0 |= UPGRADED;
    }

    /// A request: its method joins the queue, two bits each, the oldest lowest.
    pub(super) const fn ask(&mut self, asked: Asked) {
        let count = (self.0 & COUNT) >> COUNT_AT;
        if count < MAX_ASKED {
            self.0 |= (asked as u64) << (QUEUE_AT as u64 + count * 2);
            self.0 += 1 << COUNT_AT;
        }
    }

    /// An answer: what the oldest request without answer was.
    pub(super) const fn answer(&mut self) -> Asked {
        let count = (self.0 & COUNT) >> COUNT_AT;
        if count == 0 {
            return Asked::Other;
        }
        let queue = self.0 >> QUEUE_AT;
        self.0 = self.0 & ((1 << QUEUE_AT) - 1) | (queue >> 2) << QUEUE_AT;
        self.0 -= 1 << COUNT_AT;
        match queue & 3 {
            1 => Asked::Head,
            2 => Asked::Connect,
            _ => Asked::Other,
        }
    }
}
