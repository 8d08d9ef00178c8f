//! What is known of one conversation.

use super::key::Key;
use crate::app::{Place, Protocol, Scratch};

/// How far the recognition of a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The parsers are asked.
    Asking,
    /// One of them reads.
    Reading(Protocol),
    /// None reads it, or nothing more is said; never asked again.
    Quiet,
}

/// Bytes of one direction that wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// In order: the front of a message, or of a stream nobody recognised yet.
    pub(super) pending: Vec<u8>,
    /// Out of order: segments behind a hole, by sequence number, without overlaps.
    pub(super) segments: Vec<Segment>,
    /// When the hole opened.
    pub(super) since_ns: i64,
    /// Acknowledgements from the other side for bytes behind the hole.
    pub(super) acknowledged: u8,
}

/// A segment that came before its time.
#[derive(Debug)]
pub(super) struct Segment {
    /// Sequence number of its first byte.
    pub(super) seq: u32,
    /// Length on the wire; behind `bytes` the capture cut it.
    pub(super) len: u32,
    pub(super) bytes: Vec<u8>,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Direction {
    /// Bytes to pass over: the rest of a message that says nothing.
    pub(super) skip: u64,
    pub(super) held: Option<Box<Held>>,
    /// Sequence number of the next byte.
    pub(super) next: u32,
    /// Sequence number behind the last byte.
    pub(super) fin: u32,
    /// Bytes the pending message has in all.
    pub(super) need: u32,
    /// Parsers (a bit each) that have not yet denied the pending bytes.
    pub(super) candidates: u32,
    /// `next` is known.
    pub(super) synced: bool,
    /// Some byte was taken.
    pub(super) started: bool,
    /// The last byte is known.
    pub(super) finished: bool,
    /// Bytes are missing or were not understood: the next message starts with some later segment.
    pub(super) lost: bool,
    /// This sender says nothing more.
    pub(super) done: bool,
    /// Segments in a row that lay far from `next`.
    pub(super) strays: u8,
}

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) key: Key,
    pub(super) last_ns: i64,
    pub(super) scratch: Scratch,
    pub(super) dirs: [Direction; 2],
    /// Hardware addresses of the two ends in the first packet.
    pub(super) macs: [Option<[u8; 6]>; 2],
    pub(super) state: State,
    /// The end that opened the connection.
    pub(super) opener: Option<u8>,
    /// A message was read.
    pub(super) proven: bool,
    /// Segments or datagrams nobody recognised.
    pub(super) asked: u8,
    /// The slot is in use.
    pub(super) live: bool,
}

impl Conversation {
    pub(super) fn new(key: Key, macs: [Option<[u8; 6]>; 2]) -> Self {
        Self {
            key,
            last_ns: 0,
            scratch: Scratch::default(),
            dirs: [Direction::default(), Direction::default()],
            macs,
            state: State::Asking,
            opener: None,
            proven: false,
            asked: 0,
            live: true,
        }
    }

    /// Whether nothing a sender says is read any more.
    #[inline]
    pub(super) fn quiet(&self, dir: usize) -> bool {
        self.state == State::Quiet || self.dirs[dir].done
    }

    /// Whether a sender's last byte has been taken.
    pub(super) fn ended(&self, dir: usize) -> bool {
        let side = &self.dirs[dir];
        side.finished && (self.quiet(dir) || side.next == side.fin)
    }

    pub(super) fn place(&self, dir: usize, cut: u32) -> Place {
        Place {
            carrier: self.key.carrier(),
            src_port: self.key.port(dir),
            dst_port: self.key.port(1 - dir),
            from_opener: self.opener.map(|end| usize::from(end) == dir),
            cut,
        }
    }
}

impl Direction {
    /// Whether segments wait behind a hole.
    #[inline]
    pub(super) fn has_hole(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.segments.is_empty())
    }
}
