//! Application protocols: is this one, and what does the message say?
//!
//! One protocol is one file and one line in [`all`]. A [`Parser`] is asked two things: whether bytes
//! look like its protocol ([`Parser::recognise`], which never trusts a port alone), and what the next
//! message in them says ([`Parser::next`]). Parsers keep nothing but the [`Scratch`] of their
//! conversation, allocate nothing and never panic; [`crate::flow`] brings them the bytes in order.
//!
//! What commands a machine is told again as an [`Operation`], the same shape for every industrial
//! protocol, so that a model of commands needs to know none of them.

mod bacnet;
mod ber;
mod bytes;
mod coap;
mod data;
mod dhcp;
mod dnp3;
mod dns;
mod enip;
mod goose;
mod head;
mod http;
mod iec104;
mod mdns;
mod mms;
mod modbus;
mod mqtt;
mod ntp;
mod opcua;
mod operation;
mod s7comm;
mod ssdp;
mod ssh;
mod telnet;
mod tls;
mod tpkt;

pub use operation::{Effect, Object, Operation, Role, Values};

/// Messages of each protocol.
pub mod message {
    pub use super::bacnet::Message as Bacnet;
    pub use super::coap::Message as Coap;
    pub use super::dhcp::Message as Dhcp;
    pub use super::dnp3::Message as Dnp3;
    pub use super::dns::Message as Dns;
    pub use super::enip::Message as Enip;
    pub use super::goose::Message as Goose;
    pub use super::http::Message as Http;
    pub use super::iec104::Message as Iec104;
    pub use super::mms::Message as Mms;
    pub use super::modbus::Message as Modbus;
    pub use super::mqtt::Message as Mqtt;
    pub use super::ntp::Message as Ntp;
    pub use super::opcua::Message as OpcUa;
    pub use super::s7comm::Message as S7comm;
    pub use super::ssdp::Message as Ssdp;
    pub use super::ssh::Message as Ssh;
    pub use super::telnet::Message as Telnet;
    pub use super::tls::Message as Tls;

    /// Parts of BACnet messages.
    pub mod bacnet {
        pub use super::super::bacnet::Apdu;
    }

    /// Parts of DNP3 messages.
    pub mod dnp3 {
        pub use super::super::dnp3::Application;
    }

    /// Parts of EtherNet/IP messages.
    pub mod enip {
        pub use super::super::enip::{Cip, Content, Path};
    }

    /// Parts of IEC 104 messages.
    pub mod iec104 {
        pub use super::super::iec104::{Asdu, Frame, Point};
    }

    /// Parts of MMS messages.
    pub mod mms {
        pub use super::super::data::{Data, Datum, Leaves, UtcTime};
        pub use super::super::mms::{Pdu, Service, Variable};
    }

    /// Parts of CoAP messages.
    pub mod coap {
        pub use super::super::coap::Kind;
    }
    /// Parts of DHCP messages.
    pub mod dhcp {
        pub use super::super::dhcp::{V4, V6};
    }
    /// Parts of DNS messages.
    pub mod dns {
        pub use super::super::dns::{Data, Entry, Name, Question, Section};
    }
    /// Parts of HTTP heads.
    pub mod http {
        pub use super::super::http::{Body, MAX_HEAD_BYTES, Start};
    }
    /// Parts of MQTT packets.
    pub mod mqtt {
        pub use super::super::mqtt::{Filters, MAX_PACKET_BYTES, Packet};
    }
    /// Parts of NTP messages.
    pub mod ntp {
        pub use super::super::ntp::Body;
    }
    /// Parts of SSDP messages.
    pub mod ssdp {
        pub use super::super::ssdp::Kind;
    }
    /// Parts of SSH identifications.
    pub mod ssh {
        pub use super::super::ssh::MAX_LINE_BYTES;
    }
    /// Parts of Telnet dialogues.
    pub mod telnet {
        pub use super::super::telnet::{MAX_SUBNEGOTIATION_BYTES, MAX_TEXT_BYTES, Text};
    }
    /// Parts of TLS hellos.
    pub mod tls {
        pub use super::super::tls::{ClientHello, Ja4, OldHello, ServerHello, Text};
    }

    /// Parts of Modbus messages.
    pub mod modbus {
        pub use super::super::modbus::{Body, FileRecord, FileRecords, Objects};
    }

    /// Parts of OPC UA messages.
    pub mod opcua {
        pub use super::super::opcua::Kind;
    }

    /// Parts of S7 messages.
    pub mod s7comm {
        pub use super::super::s7comm::{Body, Item, Kind, Part};
    }
}

/// An application protocol this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Protocol {
    /// Domain names (RFC 1035).
    Dns,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Address assignment (RFC 2131).
    Dhcp,
    /// Simple service discovery (UPnP Device Architecture).
    Ssdp,
    /// Network time (RFC 5905).
    Ntp,
    /// HTTP/1 (RFC 9112).
    Http,
    /// TLS handshake (RFC 8446).
    Tls,
    /// SSH identification (RFC 4253).
    Ssh,
    /// Telnet (RFC 854).
    Telnet,
    /// MQTT 3.1.1 and 5.
    Mqtt,
    /// CoAP (RFC 7252).
    Coap,
    /// Modbus/TCP.
    Modbus,
    /// IEC 60870-5-104.
    Iec104,
    /// S7 communication (over TPKT and COTP).
    S7comm,
    /// DNP3 (IEEE 1815).
    Dnp3,
    /// EtherNet/IP with CIP.
    Enip,
    /// BACnet/IP (ASHRAE 135, annex J).
    Bacnet,
    /// OPC UA connection protocol (OPC 10000-6).
    OpcUa,
    /// IEC 61850 MMS (ISO 9506).
    Mms,
    /// IEC 61850 GOOSE.
    Goose,
}

/// Number of protocols.
pub const PROTOCOLS: usize = 20;

impl Protocol {
    /// Every protocol, in the order of the numbers.
    pub const ALL: [Self; PROTOCOLS] = [
        Self::Dns,
        Self::Mdns,
        Self::Dhcp,
        Self::Ssdp,
        Self::Ntp,
        Self::Http,
        Self::Tls,
        Self::Ssh,
        Self::Telnet,
        Self::Mqtt,
        Self::Coap,
        Self::Modbus,
        Self::Iec104,
        Self::S7comm,
        Self::Dnp3,
        Self::Enip,
        Self::Bacnet,
        Self::OpcUa,
        Self::Mms,
        Self::Goose,
    ];

    /// Name in output and in stored models.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Dhcp => "dhcp",
            Self::Ssdp => "ssdp",
            Self::Ntp => "ntp",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Ssh => "ssh",
            Self::Telnet => "telnet",
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
            Self::Modbus => "modbus",
            Self::Iec104 => "iec104",
            Self::S7comm => "s7comm",
            Self::Dnp3 => "dnp3",
            Self::Enip => "enip",
            Self::Bacnet => "bacnet",
            Self::OpcUa => "opcua",
            Self::Mms => "mms",
            Self::Goose => "goose",
        }
    }

    /// The protocol of a name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Those that command or report a physical process: the last of the list.
    #[must_use]
    pub fn industrial() -> &'static [Self] {
        &Self::ALL[Self::Modbus as usize..]
    }

    /// Whether the protocol commands or reports a physical process.
    #[must_use]
    pub const fn is_industrial(self) -> bool {
        self as u8 >= Self::Modbus as u8
    }
}

/// How sure a parser is that bytes are its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recognition {
    /// They are not.
    NotForUs,
    /// They may be, or there are too few of them; ask again with more.
    Unsure,
    /// They are: magic numbers, lengths and enumerations agree.
    Certain,
}

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A TCP stream: messages may span segments.
    Tcp,
    /// A UDP datagram: messages end with it.
    Udp,
    /// A frame of this EtherType, without internet protocol.
    Link(u16),
}

/// Where bytes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What carries them.
    pub carrier: Carrier,
    /// Port of the sender, 0 without ports.
    pub src_port: u16,
    /// Port of the receiver, 0 without ports.
    pub dst_port: u16,
    /// Whether the sender opened the conversation; `None` where its start was not seen.
    pub from_opener: Option<bool>,
    /// Bytes the datagram, frame or segment has beyond those captured (cut captures).
    pub cut: u32,
}

impl Place {
    /// Whether either end uses this port.
    #[must_use]
    pub const fn uses(&self, port: u16) -> bool {
        self.src_port == port || self.dst_port == port
    }
}

/// What a parser may remember of a conversation, shared by its two directions: the meaning is the
/// parser's own (the MQTT version, whether a handshake is over …).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scratch(pub u64);

/// What became of the next bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step<'a> {
    /// A message. `consumed` may exceed the bytes given: the rest is body and is passed over as it
    /// comes, without being kept.
    Message {
        /// What it says.
        record: Record<'a>,
        /// Bytes to go on behind.
        consumed: usize,
    },
    /// Bytes that belong to the protocol and say nothing (keep-alives, continued bodies).
    Pass {
        /// Bytes to go on behind; at least 1, may exceed the bytes given.
        consumed: usize,
    },
    /// The message needs this many bytes in all; on datagrams it is cut off.
    NeedMore(usize),
    /// The bytes break the protocol. Where `consumed` is 0 reading goes on at the next segment that
    /// looks like the start of a message, or in another protocol that is certain of the bytes.
    Malformed {
        /// In plain words, for counters and logs.
        why: &'static str,
        /// Bytes to go on behind, where the parser knows.
        consumed: usize,
    },
    /// The rest of what this sender says means nothing to us (it is encrypted now).
    Done,
}

/// One message, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Record<'a> {
    /// DNS or multicast DNS (the [`Protocol`] beside it tells).
    Dns(message::Dns<'a>),
    /// DHCP.
    Dhcp(message::Dhcp<'a>),
    /// SSDP.
    Ssdp(message::Ssdp<'a>),
    /// NTP.
    Ntp(message::Ntp),
    /// HTTP/1 request or status line with the headers of interest.
    Http(message::Http<'a>),
    /// TLS hello.
    Tls(message::Tls<'a>),
    /// SSH identification.
    Ssh(message::Ssh<'a>),
    /// Telnet negotiation or text.
    Telnet(message::Telnet<'a>),
    /// MQTT control packet.
    Mqtt(message::Mqtt<'a>),
    /// CoAP message.
    Coap(message::Coap<'a>),
    /// Modbus application data unit.
    Modbus(message::Modbus<'a>),
    /// IEC 104 APDU.
    Iec104(message::Iec104<'a>),
    /// S7 PDU.
    S7comm(message::S7comm<'a>),
    /// DNP3 link frame with its application fragment.
    Dnp3(message::Dnp3<'a>),
    /// EtherNet/IP encapsulation with CIP.
    Enip(message::Enip<'a>),
    /// BACnet/IP.
    Bacnet(message::Bacnet<'a>),
    /// OPC UA.
    OpcUa(message::OpcUa<'a>),
    /// MMS PDU.
    Mms(message::Mms<'a>),
    /// GOOSE PDU.
    Goose(message::Goose<'a>),
}

impl<'a> Record<'a> {
    /// Tells each operation of the message on a machine; messages of other protocols have none.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        match self {
            Self::Modbus(message) => message.operations(each),
            Self::Iec104(message) => message.operations(each),
            Self::S7comm(message) => message.operations(each),
            Self::Dnp3(message) => message.operations(each),
            Self::Enip(message) => message.operations(each),
            Self::Bacnet(message) => message.operations(each),
            Self::OpcUa(message) => message.operations(each),
            Self::Mms(message) => message.operations(each),
            Self::Goose(message) => message.operations(each),
            Self::Dns(_)
            | Self::Dhcp(_)
            | Self::Ssdp(_)
            | Self::Ntp(_)
            | Self::Http(_)
            | Self::Tls(_)
            | Self::Ssh(_)
            | Self::Telnet(_)
            | Self::Mqtt(_)
            | Self::Coap(_) => {}
        }
    }
}

/// Reads one protocol.
pub trait Parser: Sync {
    /// Which.
    fn protocol(&self) -> Protocol;
    /// Whether it runs over this carrier at all.
    fn carried_by(&self, carrier: Carrier) -> bool;
    /// Whether bytes from the start of a message are this protocol. Ports may turn a doubt
    /// ([`Recognition::Unsure`]) but never make a certainty.
    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition;
    /// The next message of recognised bytes. `bytes` is never empty.
    fn next<'a>(&self, place: &Place, scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a>;
}

/// Every parser, in the order in which they are asked.
#[must_use]
pub fn all() -> &'static [&'static dyn Parser; PROTOCOLS] {
    &[
        &dns::Dns,
        &mdns::Mdns,
        &dhcp::Dhcp,
        &ssdp::Ssdp,
        &ntp::Ntp,
        &http::Http,
        &tls::Tls,
        &ssh::Ssh,
        &telnet::Telnet,
        &mqtt::Mqtt,
        &coap::Coap,
        &modbus::Modbus,
        &iec104::Iec104,
        &s7comm::S7comm,
        &dnp3::Dnp3,
        &enip::Enip,
        &bacnet::Bacnet,
        &opcua::OpcUa,
        &mms::Mms,
        &goose::Goose,
    ]
}

/// The parser of a protocol.
#[must_use]
pub fn parser(protocol: Protocol) -> &'static dyn Parser {
    all()[protocol as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_of_the_numbers() {
        for (place, protocol) in Protocol::ALL.into_iter().enumerate() {
            assert_eq!(protocol as usize, place);
            assert_eq!(parser(protocol).protocol(), protocol);
            assert_eq!(Protocol::from_name(protocol.name()), Some(protocol));
        }
    }
}
