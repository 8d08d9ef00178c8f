//! Mdns.

use super::{Carrier, Parser, Place, Protocol, Recognition, Scratch, Step};

/// The parser.
pub(super) struct Mdns;

impl Parser for Mdns {
    fn protocol(&self) -> Protocol {
        Protocol::Mdns
    }

    fn carried_by(&self, _carrier: Carrier) -> bool {
        false
    }

    fn recognise(&self, _place: &Place, _bytes: &[u8]) -> Recognition {
        Recognition::NotForUs
    }

    fn next<'a>(&self, _place: &Place, _scratch: &mut Scratch, _bytes: &'a [u8]) -> Step<'a> {
        Step::Done
    }
}
