//! Frames of the self-test.

use std::net::{IpAddr, Ipv4Addr};

/// Bytes of a frame: the least of Ethernet, without its check sequence.
const FRAME_BYTES: usize = 60;
/// What tells a frame of the self-test, at the end of its payload.
const MARK: [u8; 8] = *b"sereno-t";
/// Source of the frame that must pass, and of frames of devices without a known address (RFC 5737).
const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
/// Where frames go that may go anywhere (RFC 5737).
const NOWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// MAC address of the frame that must pass: locally administered, of nobody.
const CONTROL_MAC: [u8; 6] = [0xfe, 0x53, 0x45, 0x52, 0x00, 0xff];

/// What a frame of the self-test looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeFrame {
    /// MAC address it comes from.
    pub mac: [u8; 6],
    /// Internet address it comes from.
    pub source: Ipv4Addr,
    /// Where it goes.
    pub destination: Ipv4Addr,
    /// IP protocol.
    pub protocol: u8,
    /// Ports.
    pub source_port: u16,
    /// Port it goes to.
    pub destination_port: u16,
}

impl ProbeFrame {
    /// A frame between two ends, where those are of IPv4 or do not matter.
    pub fn from_to(source: Option<IpAddr>, destination: Option<IpAddr>) -> Option<Self> {
        let v4 = |address: Option<IpAddr>, otherwise| match address {
            None => Some(otherwise),
            Some(IpAddr::V4(v4)) => Some(v4),
            Some(IpAddr::V6(_)) => None,
        };
        let (source, destination) = (v4(source, NOBODY)?, v4(destination, NOWHERE)?);
        let (protocol, source_port, destination_port) = (17, 40_000, 9);
        Some(Self {
            mac: CONTROL_MAC,
            source,
            destination,
            protocol,
            source_port,
            destination_port,
        })
    }

    /// The frame that must pass.
    pub(super) fn control() -> Self {
        let (source, destination) = (NOBODY, Ipv4Addr::new(192, 0, 2, 253));
        Self {
            mac: CONTROL_MAC,
            source,
            destination,
            protocol: 17,
            source_port: 40_001,
            destination_port: 40_001,
        }
    }

    /// Whether a router forwards such a packet at all.
    pub(super) fn is_routable(&self) -> bool {
        let special = |address: Ipv4Addr| {
            address.is_multicast()
                || address.is_broadcast()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        };
        !special(self.source) && !special(self.destination)
    }

    /// The frame in words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let mac = analytics::host::Host::mac(self.mac);
        format!(
            "from {mac} {}:{} to {}:{}, IP protocol {}",
            self.source, self.source_port, self.destination, self.destination_port, self.protocol
        )
    }

    /// The bytes of the frame with this number.
    pub(super) fn bytes(&self, to: [u8; 6], number: u32) -> [u8; FRAME_BYTES] {
        let mut frame = [0; FRAME_BYTES];
        frame[..6].copy_from_slice(&to);
        frame[6..12].copy_from_slice(&self.mac);
        frame[12..26].copy_from_slice(&[
            8,
            0,
            0x45,
            0,
            0,
            46,
            0,
            0,
            0x40,
            0,
            64,
            self.protocol,
            0,
            0,
        ]);
        frame[26..30].copy_from_slice(&self.source.octets());
        frame[30..34].copy_from_slice(&self.destination.octets());
        let sum = checksum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        frame[34..36].copy_from_slice(&self.source_port.to_be_bytes());
        frame[36..38].copy_from_slice(&self.destination_port.to_be_bytes());
        if self.protocol == 17 {
            frame[38..40].copy_from_slice(&26_u16.to_be_bytes());
        } else {
            // A TCP header of five words; other protocols do not look.
            frame[46] = 0x50;
        }
        frame[48..52].copy_from_slice(&number.to_be_bytes());
        frame[52..60].copy_from_slice(&MARK);
        frame
    }
}

/// The number of a frame of the self-test.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    let is_ours = bytes.get(52..60)? == MARK;
    let number: [u8; 4] = bytes.get(48..52)?.try_into().ok()?;
    is_ours.then(|| u32::from_be_bytes(number))
}

/// RFC 1071.
fn checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use protocols::packet::{LinkType, decode};

    use super::*;

    #[test]
    fn a_frame_of_the_self_test_is_what_it_says_and_carries_its_number() {
        let mut frame = ProbeFrame::from_to(Some("10.0.0.7".parse().unwrap()), None).unwrap();
        frame.mac = [2, 0, 0, 0, 0, 1];
        let bytes = frame.bytes([0xfe; 6], 77);
        assert_eq!(number(&bytes), Some(77));
        let view = decode(LinkType::ETHERNET, &bytes, 60).unwrap();
        assert_eq!((view.src_mac, view.flaw), (Some([2, 0, 0, 0, 0, 1]), None));
        // The header's own sum: with it the words add up to nothing.
        assert_eq!(checksum(&bytes[14..34]), 0);
        assert_eq!(number(&bytes[..59]), None);
        assert!(ProbeFrame::from_to(Some("::1".parse().unwrap()), None).is_none());
    }
}
