//! Iec104.

use super::Operation;
use super::{Carrier, Parser, Place, Protocol, Recognition, Scratch, Step};

/// One message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Tells each operation.
    pub fn operations(&self, _each: &mut dyn FnMut(Operation<'a>)) {}
}

/// The parser.
pub(super) struct Iec104;

impl Parser for Iec104 {
    fn protocol(&self) -> Protocol {
        Protocol::Iec104
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
