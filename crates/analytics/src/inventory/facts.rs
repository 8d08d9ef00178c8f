//! What is known of one device: dated facts, each with a bound.

use serde::{Deserialize, Serialize};

use crate::host::Host;

/// Version of the serialised form. A reader refuses any other.
pub const FACTS_VERSION: u8 = 1;
/// Addresses kept of a device, the newest.
pub const MAX_ADDRESSES: usize = 16;
/// Names kept of a device, the first of each source before others.
pub const MAX_NAMES: usize = 16;
/// Hints kept of a device.
pub const MAX_HINTS: usize = 48;
/// Services kept of a device, in each direction.
pub const MAX_SERVICES: usize = 64;
/// Names asked for that are kept of a device, the newest.
pub const MAX_ASKED: usize = 32;
/// Characters of a name or hint.
pub const MAX_TEXT: usize = 128;

/// Length of a span of [`Sent`], microseconds of packet time.
pub const SPAN_US: i64 = 10_000_000;
/// Bytes of one span that make it a stream: 300 kbit/s, a small picture at a low rate.
pub const STREAM_BYTES: u64 = 375_000;

/// A fact with the packet times at which it was first and last seen, microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// The fact.
    pub value: T,
    /// First seen.
    pub first_us: i64,
    /// Last seen.
    pub last_us: i64,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// The name the device gave when it asked for an address.
    Dhcp,
    /// The name it answers to on the link (RFC 6762).
    Mdns,
    /// The name under which DNS servers know its address.
    Dns,
}

/// What a hint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HintKind {
    /// DHCP vendor class (option 60).
    DhcpVendor,
    /// DHCP parameter list (option 55): which options it asks for, in its order.
    DhcpParameters,
    /// Kind of service told by multicast DNS.
    MdnsService,
    /// Kind of device or service told by SSDP.
    SsdpTarget,
    /// Operating system and product told by SSDP.
    SsdpServer,
    /// HTTP user agent.
    UserAgent,
    /// SSH software.
    Ssh,
    /// JA4 fingerprint of its TLS client.
    Ja4,
    /// Name it asks TLS servers for, as sensors told it before there was [`DeviceFacts::asked`].
    ServerName,
    /// MQTT client identifier.
    MqttClient,
    /// Model or product it names itself (text records of multicast DNS, RFC 6763, 6).
    Model,
    /// Name of one of its services, as people see it (RFC 6763, 4.1.1).
    ServiceName,
    /// Accessory category of HomeKit (`ci` of `_hap`), a number.
    HomekitCategory,
    /// Device type of Matter (`DT` of `_matterc`), a number.
    MatterType,
    /// Beginning of a path it asks HTTP servers for: whole words only, nothing that could be a key.
    HttpPath,
}

/// How a name was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// In a question to a name server.
    Dns,
    /// As the server wanted at the beginning of TLS (RFC 6066, 3).
    Tls,
    /// As the host of an HTTP request.
    Http,
}

/// A name of the outside world that a device asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How.
    pub by: AskedBy,
    /// The name, in small letters.
    pub name: String,
}

/// What a device sent, in spans of ten seconds of packet time ([`SPAN_US`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Frames.
    pub frames: u64,
    /// Bytes of frames on the wire.
    pub bytes: u64,
    /// Spans in which it sent anything; one per address it used.
    pub spans: u64,
    /// Spans in which it sent as much as a video stream: [`STREAM_BYTES`] or more.
    pub streaming: u64,
}

/// A hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// What it is about.
    pub kind: HintKind,
    /// What it says; other characters than printable ones are replaced.
    pub text: String,
}

/// A service: transport protocol number, port, and the protocol spoken where it was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// 6 TCP, 17 UDP.
    pub transport: u8,
    /// Port.
    pub port: u16,
    /// Name of the recognised protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protocol: Option<String>,
}

/// What part a device plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Opens connections.
    Client,
    /// Answers connections.
    Server,
    /// Asks or commands machines in an industrial protocol.
    Controller,
    /// Answers such requests: a PLC, RTU or relay.
    Outstation,
    /// Publishes GOOSE messages.
    GoosePublisher,
    /// Hands on packets of others.
    Router,
    /// Answers names.
    DnsServer,
    /// Gives addresses.
    DhcpServer,
    /// Gives time.
    NtpServer,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::Client,
        Self::Server,
        Self::Controller,
        Self::Outstation,
        Self::GoosePublisher,
        Self::Router,
        Self::DnsServer,
        Self::DhcpServer,
        Self::NtpServer,
    ];
}

/// All that is known of a device. Sent whole: taking it twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// [`FACTS_VERSION`].
    pub version: u8,
    /// MAC address, where the device is on the link itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<Host>,
    /// Internet addresses, newest last.
    pub addresses: Vec<Dated<Host>>,
    /// Names.
    pub names: Vec<Dated<(NameSource, String)>>,
    /// Hints at make and kind.
    pub hints: Vec<Dated<Hint>>,
    /// Services it offers.
    pub offers: Vec<Dated<Service>>,
    /// Services it uses.
    pub uses: Vec<Dated<Service>>,
    /// Names of the outside world it asks for, newest last; older sensors tell none.
    #[serde(default)]
    pub asked: Vec<Dated<Asked>>,
    /// What it sent.
    #[serde(default)]
    pub sent: Sent,
    /// Names of the protocols it speaks.
    pub protocols: Vec<String>,
    /// The parts it plays.
    pub parts: Vec<Part>,
    /// First seen, microseconds of packet time.
    pub first_us: i64,
    /// Last seen, microseconds of packet time.
    pub last_us: i64,
    /// Facts that found no place.
    pub beyond: u64,
}

impl DeviceFacts {
    /// Whether the MAC address was made up by the device (locally administered bit): such addresses
    /// change and name no maker.
    #[must_use]
    pub fn mac_is_private(&self) -> bool {
        self.mac.and_then(Host::as_mac).is_some_and(|mac| mac[0] & 2 != 0)
    }

    /// Whether it plays a part.
    #[must_use]
    pub fn plays(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

/// Text from the wire, printable and short.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).trim().chars().take(MAX_TEXT).collect();
    seen_as_it_is(&text)
}

/// The name of a domain in small letters of ASCII; of an overlong one its end, which says whose it is.
pub(super) fn domain(bytes: &[u8]) -> String {
    let end = &bytes[bytes.len().saturating_sub(MAX_TEXT)..];
    let letter = |byte: &u8| {
        if byte.is_ascii_graphic() { char::from(byte.to_ascii_lowercase()) } else { '?' }
    };
    end.iter().map(letter).collect()
}

/// The text with every letter that deceives the eye replaced by the replacement character.
#[must_use]
pub fn seen_as_it_is(text: &str) -> String {
    text.chars().map(|letter| if deceives(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Letters that are not seen as what they are: control characters, and those that turn the direction
/// of the text around or take no place (Unicode Technical Report 36, 2.6).
fn deceives(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Notes a fact: a known one is seen again, a new one finds a place or not. Answers whether the
/// facts changed.
pub(super) fn note<T: PartialEq>(
    facts: &mut Vec<Dated<T>>,
    value: T,
    at_us: i64,
    (limit, newest): (usize, bool),
    beyond: &mut u64,
) -> bool {
    if let Some(known) = facts.iter_mut().find(|known| known.value == value) {
        known.last_us = known.last_us.max(at_us);
        known.first_us = known.first_us.min(at_us);
        return false;
    }
    if facts.len() >= limit {
        *beyond += 1;
        if !newest {
            return false;
        }
        let oldest = (0..facts.len()).min_by_key(|place| facts[*place].last_us).unwrap_or(0);
        facts.remove(oldest);
    }
    facts.push(Dated { value, first_us: at_us, last_us: at_us });
    true
}
