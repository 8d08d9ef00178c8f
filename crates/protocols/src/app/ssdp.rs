//! Ssdp.

use super::{Carrier, Parser, Place, Protocol, Recognition, Scratch, Step};

/// One message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The parser.
pub(super) struct Ssdp;

impl Parser for Ssdp {
    fn protocol(&self) -> Protocol {
        Protocol::Ssdp
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
