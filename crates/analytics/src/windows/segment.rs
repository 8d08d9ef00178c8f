//! The facts of one packet that the windows need, flat and copyable.

use protocols::packet::{Net, PacketView, Transport, ip_protocol};

use crate::host::Host;
use crate::record::{PROTOCOL_ARP, PROTOCOL_LINK};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What a packet is, as far as the counts care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// ARP.
    Arp,
    /// Another protocol above IP.
    OtherIp,
    /// A frame without an internet protocol.
    Link,
}

/// One packet, reduced to what the windows count.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Source address: internet address, or ARP sender. `None` on frames without either.
    pub src: Option<Host>,
    /// Destination address: internet address, or ARP target.
    pub dst: Option<Host>,
    /// Source MAC address, where the link has one.
    pub src_mac: Option<[u8; 6]>,
    /// Destination MAC address, where the link has one.
    pub dst_mac: Option<[u8; 6]>,
    /// Length on the wire in bytes (not the captured length).
    pub wire_len: u32,
    /// Kind of packet.
    pub class: Class,
    /// IP protocol number, or the constants of [`crate::record`].
    pub protocol: u8,
    /// Source port, 0 without ports.
    pub src_port: u16,
    /// Destination port, 0 without ports.
    pub dst_port: u16,
    /// TCP flags byte (RFC 9293, section 3.1), 0 otherwise.
    pub tcp_flags: u8,
    /// Sent to a broadcast or multicast address.
    pub group: bool,
}

impl Segment {
    /// A frame of which nothing is known but its length.
    #[must_use]
    pub fn frame(wire_len: u32) -> Self {
        Self {
            src: None,
            dst: None,
            src_mac: None,
            dst_mac: None,
            wire_len,
            class: Class::Link,
            protocol: PROTOCOL_LINK,
            src_port: 0,
            dst_port: 0,
            tcp_flags: 0,
            group: false,
        }
    }

    /// A connection attempt: SYN without ACK.
    #[inline]
    #[must_use]
    pub fn is_syn(&self) -> bool {
        self.tcp_flags & (SYN | ACK) == SYN
    }

    /// The answer to a connection attempt.
    #[inline]
    #[must_use]
    pub fn is_syn_ack(&self) -> bool {
        self.tcp_flags & (SYN | ACK) == SYN | ACK
    }

    /// A reset.
    #[inline]
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.tcp_flags & RST != 0
    }

    /// Destination port of a SYN, otherwise the smaller port.
    #[inline]
    #[must_use]
    pub fn service_port(&self) -> u16 {
        if self.is_syn() { self.dst_port } else { self.src_port.min(self.dst_port) }
    }

    /// The other end as seen from the sender (`outgoing`) or from the receiver.
    #[inline]
    #[must_use]
    pub fn peer(&self, outgoing: bool) -> Host {
        let (address, mac) =
            if outgoing { (self.dst, self.dst_mac) } else { (self.src, self.src_mac) };
        match (address, mac) {
            (Some(host), _) => host,
            (None, Some(mac)) => Host::mac(mac),
            (None, None) => Host::mac([0; 6]),
        }
    }
}

impl From<&PacketView<'_>> for Segment {
    #[inline]
    fn from(view: &PacketView<'_>) -> Self {
        let mut segment =
            Self { src_mac: view.src_mac, dst_mac: view.dst_mac, ..Self::frame(view.wire_len) };
        // The group bit of the receiving MAC address; links without one tell by the address.
        segment.group = view.dst_mac.is_some_and(|mac| mac[0] & 1 != 0);
        match view.net {
            Net::V4 { src, dst, protocol, .. } => {
                segment.src = Some(Host::v4(src));
                segment.dst = Some(Host::v4(dst));
                segment.protocol = protocol;
                segment.group |= dst.is_multicast() || dst.is_broadcast();
            }
            Net::V6 { src, dst, protocol, .. } => {
                segment.src = Some(Host::v6(src));
                segment.dst = Some(Host::v6(dst));
                segment.protocol = protocol;
                segment.group |= dst.is_multicast();
            }
            Net::Arp { sender_ip, target_ip, .. } => {
                segment.src = Some(Host::v4(sender_ip));
                segment.dst = Some(Host::v4(target_ip));
                segment.protocol = PROTOCOL_ARP;
                segment.class = Class::Arp;
                return segment;
            }
            Net::Llc { .. } | Net::Wpan { .. } | Net::Other(_) => return segment,
        }
        // By protocol number, so that later fragments count as what they are part of.
        segment.class = match segment.protocol {
            ip_protocol::TCP => Class::Tcp,
            ip_protocol::UDP => Class::Udp,
            ip_protocol::ICMP | ip_protocol::ICMPV6 => Class::Icmp,
            _ => Class::OtherIp,
        };
        match view.transport {
            Transport::Tcp { src_port, dst_port, flags, .. } => {
                (segment.src_port, segment.dst_port) = (src_port, dst_port);
                segment.tcp_flags = flags.0;
            }
            Transport::Udp { src_port, dst_port } => {
                (segment.src_port, segment.dst_port) = (src_port, dst_port);
            }
            Transport::Sctp { .. }
            | Transport::Icmp { .. }
            | Transport::Icmpv6 { .. }
            | Transport::None => {}
        }
        segment
    }
}
