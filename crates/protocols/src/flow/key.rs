//! The name of a conversation: its two ends and what carries it, compact and cheap to compare.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::app::Carrier;
use crate::packet::{Net, PacketView, Transport};

/// What is between the two ends; the number goes into the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Tcp4 = 1,
    Udp4,
    Tcp6,
    Udp6,
    Link,
}

/// The two ends in the order of their numbers, so that both directions have one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    low: [u64; 2],
    high: [u64; 2],
    /// Kind, then low port and high port (EtherType for link-layer conversations).
    rest: u64,
}

/// Index of the end with the lower number.
pub(super) const LOW: usize = 0;
/// Index of the other.
pub(super) const HIGH: usize = 1;

impl Key {
    /// The key of a packet and the end that sent it; `None` where no parser could read its carrier.
    #[inline]
    pub(super) fn of(packet: &PacketView<'_>) -> Option<(Self, usize)> {
        let (src_port, dst_port, tcp) = match packet.transport {
            Transport::Tcp { src_port, dst_port, .. } => (src_port, dst_port, true),
            Transport::Udp { src_port, dst_port } => (src_port, dst_port, false),
            Transport::None => return Self::of_link(packet),
            _ => return None,
        };
        match packet.net {
            Net::V4 { src, dst, .. } => {
                let kind = if tcp { Kind::Tcp4 } else { Kind::Udp4 };
                let (src, dst) = (u64::from(src.to_bits()), u64::from(dst.to_bits()));
                Some(Self::ordered(kind, [0, src], src_port, [0, dst], dst_port))
            }
            Net::V6 { src, dst, .. } => {
                let kind = if tcp { Kind::Tcp6 } else { Kind::Udp6 };
                let halves = |ip: Ipv6Addr| [(ip.to_bits() >> 64) as u64, ip.to_bits() as u64];
                Some(Self::ordered(kind, halves(src), src_port, halves(dst), dst_port))
            }
            _ => None,
        }
    }

    fn of_link(packet: &PacketView<'_>) -> Option<(Self, usize)> {
        let Net::Other(ether_type) = packet.net else { return None };
        let number = |mac: Option<[u8; 6]>| {
            mac.map_or(u64::MAX, |mac| mac.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        };
        let (src, dst) = ([0, number(packet.src_mac)], [0, number(packet.dst_mac)]);
        let (mut key, dir) = Self::ordered(Kind::Link, src, 0, dst, 0);
        key.rest |= u64::from(ether_type);
        Some((key, dir))
    }

    #[inline]
    fn ordered(
        kind: Kind,
        src: [u64; 2],
        src_port: u16,
        dst: [u64; 2],
        dst_port: u16,
    ) -> (Self, usize) {
        let kind = u64::from(kind as u8) << 32;
        let (s, d) = (u64::from(src_port), u64::from(dst_port));
        if (src, s) <= (dst, d) {
            (Self { low: src, high: dst, rest: kind | s << 16 | d }, LOW)
        } else {
            (Self { low: dst, high: src, rest: kind | d << 16 | s }, HIGH)
        }
    }

    /// A number that senders cannot steer without knowing the seed.
    #[inline]
    pub(super) fn hash(&self, seed: u64) -> u64 {
        let start = fold(self.rest ^ 0x9e37_79b9_7f4a_7c15, seed | 1);
        let ends = fold(self.low[1] ^ start, self.high[1].rotate_left(32) ^ seed);
        if (self.low[0] | self.high[0]) == 0 {
            return fold(ends ^ start, 0xa076_1d64_78bd_642f);
        }
        fold(self.low[0] ^ ends, self.high[0].rotate_left(32) ^ start)
    }

    /// What carries the conversation.
    pub(super) const fn carrier(&self) -> Carrier {
        match (self.rest >> 32) as u8 {
            kind if kind == Kind::Tcp4 as u8 || kind == Kind::Tcp6 as u8 => Carrier::Tcp,
            kind if kind == Kind::Link as u8 => Carrier::Link(self.rest as u16),
            _ => Carrier::Udp,
        }
    }

    /// Port of an end, 0 without ports.
    pub(super) const fn port(&self, end: usize) -> u16 {
        if matches!(self.carrier(), Carrier::Link(_)) {
            0
        } else if end == LOW {
            (self.rest >> 16) as u16
        } else {
            self.rest as u16
        }
    }

    /// Internet address of an end.
    pub(super) fn ip(&self, end: usize) -> Option<IpAddr> {
        let words = if end == LOW { self.low } else { self.high };
        match (self.rest >> 32) as u8 {
            kind if kind == Kind::Link as u8 => None,
            kind if kind == Kind::Tcp4 as u8 || kind == Kind::Udp4 as u8 => {
                Some(IpAddr::V4(Ipv4Addr::from_bits(words[1] as u32)))
            }
            _ => Some(IpAddr::V6(Ipv6Addr::from_bits(
                u128::from(words[0]) << 64 | u128::from(words[1]),
            ))),
        }
    }
}

/// Multiplies to 128 bits and folds them.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}
