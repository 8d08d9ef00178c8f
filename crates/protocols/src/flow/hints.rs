//! Parsers at home on a port. They are asked first; what they say is judged like all others.

use crate::app::Protocol;

const fn bit(protocol: Protocol) -> u32 {
    1 << protocol as u32
}

/// Parsers at home on a port, a bit each.
#[inline]
pub(super) const fn at_home(port: u16) -> u32 {
    use Protocol as P;
    match port {
        53 => bit(P::Dns),
        5353 => bit(P::Mdns),
        67 | 68 => bit(P::Dhcp),
        1900 => bit(P::Ssdp),
        123 => bit(P::Ntp),
        80 | 8000 | 8080 => bit(P::Http),
        443 | 8443 | 8883 => bit(P::Tls),
        22 => bit(P::Ssh),
        23 | 2323 => bit(P::Telnet),
        1883 => bit(P::Mqtt),
        5683 => bit(P::Coap),
        502 => bit(P::Modbus),
        2404 => bit(P::Iec104),
        102 => bit(P::S7comm) | bit(P::Mms),
        20_000 => bit(P::Dnp3),
        44_818 | 2222 => bit(P::Enip),
        47_808 => bit(P::Bacnet),
        4840 => bit(P::OpcUa),
        _ => 0,
    }
}
