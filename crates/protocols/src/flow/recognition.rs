//! Which parser reads a conversation.

use super::conversation::{Conversation, State};
use super::hints;
use super::reader::Reader;
use crate::app::{self, Carrier, Parser, Protocol, Recognition, Scratch};

/// Bytes of one direction the parsers may ask for before they must have made up their minds.
pub const RECOGNITION_BYTES: usize = 2048;
/// Segments or datagrams nobody recognises before a conversation is given up as unknown.
pub const RECOGNITION_TRIES: u8 = 12;
/// EtherTypes whose parsers are remembered.
const REMEMBERED_LINKS: usize = 16;

/// What the parsers say.
pub(super) enum Answer {
    Is(Protocol),
    Perhaps,
    Nobody,
}

impl std::fmt::Debug for dyn Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.protocol().name())
    }
}

/// Parsers that run over a carrier, a bit each.
pub(super) fn mask(carrier: Carrier) -> u32 {
    let all = app::all().iter().enumerate();
    all.filter(|(_, parser)| parser.carried_by(carrier)).fold(0, |mask, (bit, _)| mask | 1 << bit)
}

impl Reader {
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

    /// Asks the parsers that may still be right, those at home on the ports first.
    pub(super) fn ask(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        cut: u32,
        bytes: &[u8],
    ) -> Answer {
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

    pub(super) fn unrecognised(&mut self, flow: &mut Conversation, dir: usize) {
        flow.dirs[dir].candidates = 0;
        flow.asked += 1;
        if flow.asked >= RECOGNITION_TRIES {
            self.stats.unknown += 1;
            self.hush(flow);
        }
    }

    /// The parser that was certain cannot read its first message: the others are asked again, if
    /// there are any (the answer).
    pub(super) fn mistake(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        protocol: Protocol,
    ) -> bool {
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

    /// Whether another parser is certain of bytes its own parser cannot read: connections are
    /// upgraded, and some protocols begin alike. The conversation is that parser's from then on.
    pub(super) fn turned(
        &mut self,
        flow: &mut Conversation,
        dir: usize,
        cut: u32,
        bytes: &[u8],
        protocol: Protocol,
    ) -> bool {
        let others = self.carried(flow.key.carrier()) & !(1 << protocol as u32);
        if flow.asked >= RECOGNITION_TRIES || bytes.is_empty() || others == 0 {
            return false;
        }
        flow.asked += 1;
        flow.dirs[dir].candidates = others;
        let answer = self.ask(flow, dir, cut, bytes);
        flow.dirs[dir].candidates = 0;
        let Answer::Is(other) = answer else { return false };
        flow.state = State::Reading(other);
        flow.scratch = Scratch::default();
        flow.proven = false;
        flow.dirs[dir].skip = 0;
        for side in &mut flow.dirs {
            side.lost = false;
        }
        self.stats.turned += 1;
        true
    }
}
