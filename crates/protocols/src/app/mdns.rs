//! Multicast DNS (RFC 6762): the messages of DNS on a port of their own, which alone tells the two
//! apart.

use super::{Carrier, Parser, Place, Protocol, Recognition, Scratch, Step, dns};

/// The parser.
pub(super) struct Mdns;

impl Parser for Mdns {
    fn protocol(&self) -> Protocol {
        Protocol::Mdns
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Udp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if !place.uses(dns::MDNS_PORT) {
            return Recognition::NotForUs;
        }
        dns::recognise_datagram(place, bytes)
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        dns::read_datagram(place, bytes)
    }
}
