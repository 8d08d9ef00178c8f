//! One captured frame as a plain view: addresses, protocol, ports, payload.
//!
//! [`decode`] is the inner loop of every analysis: it allocates nothing, formats nothing and reads
//! each header once. Only a frame whose link layer cannot be read is an error; a deeper problem
//! leaves what was read so far and says so in [`PacketView::flaw`], so that a damaged packet still
//! counts for the device that sent it.

mod ip;
mod link;
mod transport;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use link::decode;

/// VLAN tags read before a frame is given up as [`Flaw::NestingLimit`].
pub const MAX_VLAN_TAGS: usize = 4;
/// IPv6 extension headers read before a packet is given up as [`Flaw::NestingLimit`].
pub const MAX_EXTENSION_HEADERS: usize = 8;

/// EtherType numbers this crate reads (IEEE 802 registry).
pub mod ether_type {
    /// Internet Protocol, version 4.
    pub const IPV4: u16 = 0x0800;
    /// Address Resolution Protocol.
    pub const ARP: u16 = 0x0806;
    /// Internet Protocol, version 6.
    pub const IPV6: u16 = 0x86dd;
    /// Customer VLAN tag (IEEE 802.1Q).
    pub const VLAN: u16 = 0x8100;
    /// Service VLAN tag (IEEE 802.1ad).
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Service VLAN tag as older switches write it.
    pub const OLD_SERVICE_VLAN: u16 = 0x9100;
}

/// Internet protocol numbers this crate reads (IANA registry).
pub mod ip_protocol {
    /// Internet Control Message Protocol.
    pub const ICMP: u8 = 1;
    /// Transmission Control Protocol.
    pub const TCP: u8 = 6;
    /// User Datagram Protocol.
    pub const UDP: u8 = 17;
    /// Internet Control Message Protocol for IPv6.
    pub const ICMPV6: u8 = 58;
    /// Stream Control Transmission Protocol.
    pub const SCTP: u8 = 132;
}

/// Link-layer header type of a capture (the tcpdump.org registry number).
///
/// A number is kept even when [`decode`] cannot read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: four bytes of address family in the order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet, with VLAN tags and LLC.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP as some BSD systems number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, version taken from the first nibble.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: address family in network order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.15.4 with frame check sequence (Zigbee, 6LoWPAN).
    pub const IEEE802154: Self = Self(195);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// IEEE 802.15.4 without frame check sequence.
    pub const IEEE802154_NO_FCS: Self = Self(230);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NULL | Self::LOOP => write!(f, "loopback ({})", self.0),
            Self::ETHERNET => write!(f, "Ethernet (1)"),
            Self::RAW | Self::RAW_BSD | Self::RAW_OPENBSD | Self::IPV4 | Self::IPV6 => {
                write!(f, "raw IP ({})", self.0)
            }
            Self::LINUX_SLL | Self::LINUX_SLL2 => write!(f, "Linux cooked ({})", self.0),
            Self::IEEE802154 | Self::IEEE802154_NO_FCS => write!(f, "IEEE 802.15.4 ({})", self.0),
            Self(number) => write!(f, "link type {number}"),
        }
    }
}

/// A frame taken apart, borrowing the payload from the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketView<'a> {
    /// Sender's hardware address where the link has one of six bytes.
    pub src_mac: Option<[u8; 6]>,
    /// Receiver's hardware address where the link has one of six bytes.
    pub dst_mac: Option<[u8; 6]>,
    /// VLAN identifier of the outermost tag.
    pub vlan: Option<u16>,
    /// VLAN identifier of the second tag (QinQ).
    pub inner_vlan: Option<u16>,
    /// EtherType behind the tags; for raw IP and loopback the one the version implies; for LLC
    /// frames the length field (below 0x0600); 0 where there is none.
    pub ether_type: u16,
    /// Network layer.
    pub net: Net,
    /// Transport layer.
    pub transport: Transport,
    /// What follows the last header that was read, without Ethernet padding; may be shorter than
    /// [`Self::payload_len`] when the capture cut the frame.
    pub payload: &'a [u8],
    /// Bytes of payload on the wire as the headers state them.
    pub payload_len: u32,
    /// Bytes of the whole frame on the wire (the capture's word, or the captured length if the
    /// capture says less than it holds).
    pub wire_len: u32,
    /// The part of a fragmented packet this frame carries, where it carries one.
    pub fragment: Option<Fragment<'a>>,
    /// What went wrong above the link layer; the fields above then hold what was read before it.
    pub flaw: Option<Flaw>,
}

/// A part of a fragmented IP packet; its place is in [`Net`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Number all parts of one packet share (of 16 bits in IPv4, of 32 in IPv6).
    pub id: u32,
    /// Protocol number of the packet's payload.
    pub protocol: u8,
    /// The part as captured, from behind the IP headers (with the transport header in the first).
    pub bytes: &'a [u8],
    /// Bytes of the part on the wire.
    pub wire_len: u32,
}

/// Network layer of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Net {
    /// IPv4 (RFC 791).
    V4 {
        /// Source address.
        src: Ipv4Addr,
        /// Destination address.
        dst: Ipv4Addr,
        /// Protocol number of the payload.
        protocol: u8,
        /// Time to live.
        ttl: u8,
        /// Offset of this fragment in bytes; 0 for a whole packet or a first fragment.
        fragment_offset: u16,
        /// Whether more fragments follow.
        more_fragments: bool,
    },
    /// IPv6 (RFC 8200).
    V6 {
        /// Source address.
        src: Ipv6Addr,
        /// Destination address.
        dst: Ipv6Addr,
        /// Protocol number behind the extension headers that could be read.
        protocol: u8,
        /// Hop limit.
        hop_limit: u8,
        /// Offset of this fragment in bytes; 0 for a whole packet or a first fragment.
        fragment_offset: u16,
        /// Whether more fragments follow.
        more_fragments: bool,
    },
    /// ARP for IPv4 over Ethernet (RFC 826).
    Arp {
        /// 1 request, 2 reply.
        operation: u16,
        /// Sender's hardware address.
        sender_mac: [u8; 6],
        /// Sender's protocol address.
        sender_ip: Ipv4Addr,
        /// Target's hardware address (zero in requests).
        target_mac: [u8; 6],
        /// Target's protocol address.
        target_ip: Ipv4Addr,
    },
    /// IEEE 802.2 logical link control (spanning tree, ISO protocols, Profinet's elder cousins).
    Llc {
        /// Destination service access point.
        dsap: u8,
        /// Source service access point.
        ssap: u8,
    },
    /// IEEE 802.15.4 MAC frame.
    Wpan {
        /// Network identifier of the destination, or of the source where only that is given.
        pan: Option<u16>,
        /// Source address.
        src: WpanAddress,
        /// Destination address.
        dst: WpanAddress,
    },
    /// Anything else, by EtherType (GOOSE, Profinet, LLDP …), or an IP packet whose own header
    /// could not be read (then [`PacketView::flaw`] is set).
    Other(u16),
}

/// Address of an IEEE 802.15.4 frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WpanAddress {
    /// The frame carries none.
    Absent,
    /// Short address, unique within its network.
    Short(u16),
    /// EUI-64.
    Extended(u64),
}

/// Transport layer of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
        /// Sequence number.
        seq: u32,
        /// Acknowledgement number.
        ack: u32,
        /// Control bits.
        flags: TcpFlags,
        /// Window as sent, unscaled.
        window: u16,
    },
    /// UDP (RFC 768).
    Udp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
    },
    /// SCTP (RFC 9260).
    Sctp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
    },
    /// ICMP (RFC 792); the payload starts behind the eight-byte header.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
    },
    /// ICMPv6 (RFC 4443); the payload starts behind the eight-byte header.
    Icmpv6 {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
    },
    /// No transport header: another protocol, a later fragment, not IP, or a flaw.
    None,
}

/// Control bits of a TCP segment, lowest bit first: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;

    /// Whether all bits of `mask` are set.
    #[inline]
    #[must_use]
    pub const fn has(self, mask: u8) -> bool {
        self.0 & mask == mask
    }

    /// A connection attempt: SYN without ACK.
    #[inline]
    #[must_use]
    pub const fn is_open(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN
    }

    /// The answer to a connection attempt: SYN with ACK.
    #[inline]
    #[must_use]
    pub const fn is_open_reply(self) -> bool {
        self.has(Self::SYN | Self::ACK)
    }
}

/// Why the link layer of a frame could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    /// Fewer captured bytes than the link header has.
    #[error("frame ends inside its link header")]
    LinkTruncated,
    /// No decoder for this link type.
    #[error("no decoder for {0}")]
    LinkUnsupported(LinkType),
}

/// What was wrong above the link layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The captured bytes end inside the network header (or a VLAN tag, or an extension header).
    NetTruncated,
    /// The version nibble does not match the EtherType.
    NetVersion,
    /// A header length or total length of the network layer contradicts itself, or the frame, which
    /// had fewer bytes on the wire: receivers discard such a packet.
    NetLength,
    /// The captured bytes end inside the transport header.
    TransportTruncated,
    /// A header length of the transport layer contradicts itself.
    TransportLength,
    /// More VLAN tags or extension headers than the bounds allow.
    NestingLimit,
    /// ARP for other than IPv4 over Ethernet.
    ArpFormat,
}

impl<'a> PacketView<'a> {
    /// The packet this is a part of, with the payload its parts made together.
    pub(crate) fn reassembled(&self, protocol: u8, payload: &'a [u8]) -> Self {
        let mut whole = *self;
        match &mut whole.net {
            Net::V4 { fragment_offset, more_fragments, .. }
            | Net::V6 { fragment_offset, more_fragments, .. } => {
                (*fragment_offset, *more_fragments) = (0, false);
            }
            _ => {}
        }
        whole.fragment = None;
        whole.flaw = None;
        whole.payload = payload;
        whole.payload_len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        whole.transport = Transport::None;
        transport::read(&mut whole, protocol);
        whole
    }

    /// Source IP address; for ARP the sender's protocol address.
    #[inline]
    #[must_use]
    pub const fn src_ip(&self) -> Option<IpAddr> {
        match self.net {
            Net::V4 { src, .. } => Some(IpAddr::V4(src)),
            Net::V6 { src, .. } => Some(IpAddr::V6(src)),
            Net::Arp { sender_ip, .. } => Some(IpAddr::V4(sender_ip)),
            _ => None,
        }
    }

    /// Destination IP address; for ARP the target's protocol address.
    #[inline]
    #[must_use]
    pub const fn dst_ip(&self) -> Option<IpAddr> {
        match self.net {
            Net::V4 { dst, .. } => Some(IpAddr::V4(dst)),
            Net::V6 { dst, .. } => Some(IpAddr::V6(dst)),
            Net::Arp { target_ip, .. } => Some(IpAddr::V4(target_ip)),
            _ => None,
        }
    }

    /// Whether the packet is a part of a fragmented one (also the first part).
    #[inline]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        match self.net {
            Net::V4 { fragment_offset, more_fragments, .. }
            | Net::V6 { fragment_offset, more_fragments, .. } => {
                fragment_offset != 0 || more_fragments
            }
            _ => false,
        }
    }

    /// IP protocol number behind all extension headers.
    #[inline]
    #[must_use]
    pub const fn ip_protocol(&self) -> Option<u8> {
        match self.net {
            Net::V4 { protocol, .. } | Net::V6 { protocol, .. } => Some(protocol),
            _ => None,
        }
    }

    /// Source and destination port of TCP, UDP or SCTP.
    #[inline]
    #[must_use]
    pub const fn ports(&self) -> Option<(u16, u16)> {
        match self.transport {
            Transport::Tcp { src_port, dst_port, .. }
            | Transport::Udp { src_port, dst_port }
            | Transport::Sctp { src_port, dst_port } => Some((src_port, dst_port)),
            _ => None,
        }
    }
}
