//! The metrics of a window: nineteen counts, three of novelty, three sums over the last windows, eight
//! of what one conversation did lately, those of the minute so far, and what was said in messages.
//!
//! Some stand in the record for people only ([`Metric::is_judged`]): no developer capture was told
//! apart by them that was not told apart by another metric. Those from [`METRICS`] on have no place in
//! the rows of models, so that they cost nothing where windows are judged.

mod words;

use serde::{Deserialize, Serialize};

/// Number of counts taken from the packets of a window.
pub const COUNTS: usize = 19;
/// Number of metrics with a place in the rows of models: the first so many of [`ALL`].
pub const METRICS: usize = 36;
/// Number of all metrics.
pub const ALL_METRICS: usize = 58;
/// Number of metrics that also have a sum over the context.
pub const CONTEXTS: usize = 3;

/// One metric of a window. The numeric value is its place in every metric vector and never changes
/// its meaning: model files and window records rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Metric {
    /// Packets sent by the device.
    PacketsOut,
    /// Packets received by the device.
    PacketsIn,
    /// Bytes on the wire sent by the device.
    BytesOut,
    /// Bytes on the wire received by the device.
    BytesIn,
    /// Connection attempts (TCP SYN without ACK) sent.
    SynOut,
    /// Connection attempts sent and not answered by SYN-ACK within one second.
    SynFailed,
    /// Connection attempts received.
    SynIn,
    /// TCP resets in either direction.
    Resets,
    /// Distinct other ends.
    Peers,
    /// Distinct (protocol, service port) pairs.
    ServicePorts,
    /// Mean size of the sent packets, bytes on the wire.
    MeanSizeOut,
    /// Mean size of the received packets, bytes on the wire.
    MeanSizeIn,
    /// UDP packets in either direction.
    Udp,
    /// ARP packets in either direction.
    Arp,
    /// ICMP and ICMPv6 packets in either direction.
    Icmp,
    /// Broadcast and multicast packets sent.
    BroadcastOut,
    /// UDP packets sent to single peers and services beyond those that came back in the window.
    UdpUnanswered,
    /// Most service ports of one peer (a scan of ports).
    PortsOfPeer,
    /// Most peers on one service port (a sweep of addresses).
    PeersOfPort,
    /// Peers never seen in training.
    NewPeer,
    /// Packets with a (protocol, service port) never seen in training, of each peer three at most.
    NewService,
    /// Packets with a known peer and a known (protocol, service port) that were never seen together.
    NewPeerService,
    /// [`Metric::SynFailed`] over the context, 0 unless this window has some.
    SynFailedContext,
    /// [`Metric::SynIn`] over the context, 0 unless this window has some.
    SynInContext,
    /// [`Metric::Resets`] over the context, 0 unless this window has some.
    ResetsContext,
    /// Windows of the context with the same unknown conversation, of those in this window the most.
    NewKeyContext,
    /// Minutes of the last hour with it.
    NewKeyHour,
    /// Attempts without answer within one conversation, fading over the context; of those that
    /// fail in this window the most.
    FailedKeyContext,
    /// Minutes of the last hour with an attempt without answer within one conversation, back to the
    /// last pause of more than five minutes.
    FailedKeyHour,
    /// Unanswered UDP packets within one conversation, fading over the context.
    UnansweredKeyContext,
    /// Minutes of the last hour with unanswered UDP packets within one conversation, back to the last
    /// pause of more than five minutes.
    UnansweredKeyHour,
    /// Answered packets of one known conversation, fading over the context: how many times the most
    /// of training beyond it.
    TrafficKeyContext,
    /// Minutes of the last hour with answered packets of one known conversation, back to the last pause
    /// of more than five minutes: how many times the most of training beyond it.
    TrafficKeyHour,
    /// [`Metric::NewPeerService`] of the minute so far.
    MinuteNewPeerService,
    /// Information in the longest label of an asked name, bits; the most of the window.
    DnsNameBits,
    /// Industrial answers, sent or received, that refuse.
    IndustrialRefusals,
    /// Industrial requests, sent or received, that write, operate or configure.
    IndustrialWrites,
    /// Industrial requests, sent or received, that read.
    IndustrialReads,
    /// DNS queries sent.
    DnsQueries,
    /// Distinct names asked of DNS.
    DnsNames,
    /// DNS answers received that say the name does not exist.
    DnsNoSuchName,
    /// Shannon entropy of the longest label of an asked name, hundredths of a bit per character; the
    /// most of the window.
    DnsEntropy,
    /// HTTP requests, sent or received.
    WebRequests,
    /// TLS handshakes begun, by the device or with it.
    TlsHandshakes,
    /// MQTT messages, sent or received.
    MqttMessages,
    /// CoAP messages, sent or received.
    CoapMessages,
    /// Multicast DNS and SSDP messages, sent or received.
    DiscoveryMessages,
    /// Telnet messages and SSH identifications, sent or received.
    ShellMessages,
    /// Mean time between packets sent, milliseconds.
    GapOut,
    /// Standard deviation of the time between packets sent, per cent of its mean.
    GapVariation,
    /// [`Metric::PacketsOut`] of the minute so far.
    MinutePacketsOut,
    /// [`Metric::PacketsIn`] of the minute so far.
    MinutePacketsIn,
    /// [`Metric::BytesOut`] of the minute so far.
    MinuteBytesOut,
    /// [`Metric::BytesIn`] of the minute so far.
    MinuteBytesIn,
    /// [`Metric::SynOut`] of the minute so far.
    MinuteSynOut,
    /// [`Metric::Peers`] of the minute so far.
    MinutePeers,
    /// [`Metric::ServicePorts`] of the minute so far.
    MinuteServicePorts,
    /// [`Metric::DnsNames`] of the minute so far.
    MinuteDnsNames,
}

/// Every metric, in the order of the metric vectors.
pub const ALL: [Metric; ALL_METRICS] = [
    Metric::PacketsOut,
    Metric::PacketsIn,
    Metric::BytesOut,
    Metric::BytesIn,
    Metric::SynOut,
    Metric::SynFailed,
    Metric::SynIn,
    Metric::Resets,
    Metric::Peers,
    Metric::ServicePorts,
    Metric::MeanSizeOut,
    Metric::MeanSizeIn,
    Metric::Udp,
    Metric::Arp,
    Metric::Icmp,
    Metric::BroadcastOut,
    Metric::UdpUnanswered,
    Metric::PortsOfPeer,
    Metric::PeersOfPort,
    Metric::NewPeer,
    Metric::NewService,
    Metric::NewPeerService,
    Metric::SynFailedContext,
    Metric::SynInContext,
    Metric::ResetsContext,
    Metric::NewKeyContext,
    Metric::NewKeyHour,
    Metric::FailedKeyContext,
    Metric::FailedKeyHour,
    Metric::UnansweredKeyContext,
    Metric::UnansweredKeyHour,
    Metric::TrafficKeyContext,
    Metric::TrafficKeyHour,
    Metric::MinuteNewPeerService,
    Metric::DnsNameBits,
    Metric::IndustrialRefusals,
    Metric::IndustrialWrites,
    Metric::IndustrialReads,
    Metric::DnsQueries,
    Metric::DnsNames,
    Metric::DnsNoSuchName,
    Metric::DnsEntropy,
    Metric::WebRequests,
    Metric::TlsHandshakes,
    Metric::MqttMessages,
    Metric::CoapMessages,
    Metric::DiscoveryMessages,
    Metric::ShellMessages,
    Metric::GapOut,
    Metric::GapVariation,
    Metric::MinutePacketsOut,
    Metric::MinutePacketsIn,
    Metric::MinuteBytesOut,
    Metric::MinuteBytesIn,
    Metric::MinuteSynOut,
    Metric::MinutePeers,
    Metric::MinuteServicePorts,
    Metric::MinuteDnsNames,
];

/// The metrics with a sum over the context, in the order of those sums.
pub const GATED: [Metric; CONTEXTS] = [Metric::SynFailed, Metric::SynIn, Metric::Resets];

/// The counts of messages with a place in the rows of models.
pub const SAID: [Metric; 2] = [Metric::DnsNameBits, Metric::IndustrialRefusals];

/// The metrics that have no place in the rows of models: only people are told.
#[must_use]
pub fn told() -> &'static [Metric] {
    &ALL[METRICS..]
}

/// Place of the first metric that looks back in a metric vector.
pub const FIRST_CONTEXT: usize = Metric::SynFailedContext as usize;

impl Metric {
    /// Place in the metric vectors.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The metric at a place, if there is one.
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        ALL.get(index).copied()
    }

    /// Whether the metric compares with the keys known from training (directly or as context).
    #[must_use]
    pub const fn is_novelty(self) -> bool {
        matches!(
            self,
            Self::NewPeer
                | Self::NewService
                | Self::NewPeerService
                | Self::NewKeyContext
                | Self::NewKeyHour
                | Self::TrafficKeyContext
                | Self::TrafficKeyHour
                | Self::MinuteNewPeerService
        )
    }

    /// Whether models judge the metric; the others are told to people.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        self.index() < METRICS && !matches!(self, Self::PortsOfPeer | Self::PeersOfPort)
    }

    /// Whether the metric needs a training of many hours: it looks back an hour, or compares with the
    /// most that one conversation ever did.
    #[must_use]
    pub const fn is_long(self) -> bool {
        matches!(
            self,
            Self::NewKeyHour
                | Self::FailedKeyHour
                | Self::UnansweredKeyHour
                | Self::TrafficKeyContext
                | Self::TrafficKeyHour
        )
    }

    /// Whether few of it are harmless even if training saw none: the housekeeping of networks, which
    /// is rare; known peers on known services, only not with each other; and the length of a
    /// conversation with somebody new, whose novelty was judged before.
    #[must_use]
    pub const fn is_harmless_in_small(self) -> bool {
        matches!(
            self,
            Self::Arp
                | Self::Icmp
                | Self::BroadcastOut
                | Self::NewPeerService
                | Self::NewKeyContext
                | Self::NewKeyHour
                | Self::MinuteNewPeerService
        )
    }

    /// Whether the metric looks back further than its window.
    #[must_use]
    pub const fn is_context(self) -> bool {
        self as usize >= FIRST_CONTEXT
            && (self as usize <= Self::TrafficKeyHour as usize || self.is_minute())
    }

    /// Whether the metric says how large something is, not how much of it there was.
    #[must_use]
    pub const fn is_level(self) -> bool {
        matches!(
            self,
            Self::MeanSizeOut
                | Self::MeanSizeIn
                | Self::DnsNameBits
                | Self::DnsEntropy
                | Self::GapOut
                | Self::GapVariation
        )
    }

    /// Whether the metric looks back to the beginning of its minute.
    #[must_use]
    pub const fn is_minute(self) -> bool {
        matches!(self, Self::MinuteNewPeerService)
            || self as usize >= Self::MinutePacketsOut as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_names_are_consistent() {
        for (place, metric) in ALL.iter().enumerate() {
            assert_eq!(metric.index(), place);
            assert_eq!(Metric::from_index(place), Some(*metric));
            assert_eq!(serde_json::to_value(metric).ok(), Some(metric.name().into()));
        }
        for (place, metric) in GATED.iter().enumerate() {
            let context = ALL[FIRST_CONTEXT + place];
            assert_eq!(context.name(), format!("{}_context", metric.name()));
            assert_eq!(context.is_novelty(), metric.is_novelty());
        }
        assert_eq!(Metric::PeersOfPort.index() + 1, COUNTS);
    }
}
