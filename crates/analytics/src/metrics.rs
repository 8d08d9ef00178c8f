//! The metrics of a window: nineteen counts, three of novelty, three sums over the last windows and
//! eight of what one conversation did lately.
//!
//! Two of the counts ([`Metric::is_judged`]) stand in the record for people only: no developer capture
//! was told apart by them that was not told apart by another metric.

use serde::{Deserialize, Serialize};

/// Number of counts taken from the packets of a window.
pub const COUNTS: usize = 19;
/// Number of metrics a model may judge.
pub const METRICS: usize = 33;
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
}

/// Every metric, in the order of the metric vectors.
pub const ALL: [Metric; METRICS] = [
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
];

/// The metrics with a sum over the context, in the order of those sums.
pub const GATED: [Metric; CONTEXTS] = [Metric::SynFailed, Metric::SynIn, Metric::Resets];

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
        )
    }

    /// Whether models judge the metric; the others are told to people.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        !matches!(self, Self::PortsOfPeer | Self::PeersOfPort)
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
        )
    }

    /// Whether the metric looks back further than its window.
    #[must_use]
    pub const fn is_context(self) -> bool {
        self as usize >= FIRST_CONTEXT
    }

    /// Name in model files and in explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacketsOut => "packets_out",
            Self::PacketsIn => "packets_in",
            Self::BytesOut => "bytes_out",
            Self::BytesIn => "bytes_in",
            Self::SynOut => "syn_out",
            Self::SynFailed => "syn_failed",
            Self::SynIn => "syn_in",
            Self::Resets => "resets",
            Self::Peers => "peers",
            Self::ServicePorts => "service_ports",
            Self::MeanSizeOut => "mean_size_out",
            Self::MeanSizeIn => "mean_size_in",
            Self::Udp => "udp",
            Self::Arp => "arp",
            Self::Icmp => "icmp",
            Self::BroadcastOut => "broadcast_out",
            Self::UdpUnanswered => "udp_unanswered",
            Self::PortsOfPeer => "ports_of_peer",
            Self::PeersOfPort => "peers_of_port",
            Self::NewPeer => "new_peer",
            Self::NewService => "new_service",
            Self::NewPeerService => "new_peer_service",
            Self::SynFailedContext => "syn_failed_context",
            Self::SynInContext => "syn_in_context",
            Self::ResetsContext => "resets_context",
            Self::NewKeyContext => "new_key_context",
            Self::NewKeyHour => "new_key_hour",
            Self::FailedKeyContext => "failed_key_context",
            Self::FailedKeyHour => "failed_key_hour",
            Self::UnansweredKeyContext => "unanswered_key_context",
            Self::UnansweredKeyHour => "unanswered_key_hour",
            Self::TrafficKeyContext => "traffic_key_context",
            Self::TrafficKeyHour => "traffic_key_hour",
        }
    }

    /// What the number counts, in plain words, for people who read a finding.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::PacketsOut => "packets sent",
            Self::PacketsIn => "packets received",
            Self::BytesOut => "bytes sent",
            Self::BytesIn => "bytes received",
            Self::SynOut => "connection attempts sent",
            Self::SynFailed => "connection attempts without answer",
            Self::SynIn => "connection attempts received",
            Self::Resets => "connections reset",
            Self::Peers => "different other ends",
            Self::ServicePorts => "different service ports",
            Self::MeanSizeOut => "mean size of sent packets, bytes",
            Self::MeanSizeIn => "mean size of received packets, bytes",
            Self::Udp => "UDP packets",
            Self::Arp => "ARP packets",
            Self::Icmp => "ICMP packets",
            Self::BroadcastOut => "broadcast and multicast packets sent",
            Self::UdpUnanswered => "UDP packets without answer",
            Self::PortsOfPeer => "different service ports of one peer",
            Self::PeersOfPort => "different peers on one service port",
            Self::NewPeer => "unknown peers",
            Self::NewService => "packets with an unknown service port",
            Self::NewPeerService => {
                "packets with a known peer on a service port not used with it before"
            }
            Self::SynFailedContext => "connection attempts without answer in the last five minutes",
            Self::SynInContext => "connection attempts received in the last five minutes",
            Self::ResetsContext => "connections reset in the last five minutes",
            Self::NewKeyContext => {
                "times in the last five minutes with the same unknown conversation"
            }
            Self::NewKeyHour => "minutes of the last hour with the same unknown conversation",
            Self::FailedKeyContext => {
                "recent attempts without answer to the same service of the same peer"
            }
            Self::FailedKeyHour => {
                "minutes of the last hour with an attempt without answer to the same service of the same peer"
            }
            Self::UnansweredKeyContext => {
                "recent UDP packets without answer to the same service of the same peer"
            }
            Self::UnansweredKeyHour => {
                "minutes of the last hour with UDP packets without answer to the same service of the same peer"
            }
            Self::TrafficKeyContext => {
                "times more recent packets with one known service than ever in training"
            }
            Self::TrafficKeyHour => {
                "times more minutes of the last hour with one known service than ever in training"
            }
        }
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
