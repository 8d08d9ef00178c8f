//! The metrics of a window: sixteen counts, three novelty counts, seven context counts.

use serde::{Deserialize, Serialize};

/// Number of counts taken from the packets of a window.
pub const COUNTS: usize = 16;
/// Number of metrics a model may judge.
pub const METRICS: usize = 26;
/// Number of metrics that also have a context count.
pub const CONTEXTS: usize = 7;

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
    /// Packets with a peer never seen in training.
    NewPeer,
    /// Packets with a (protocol, service port) never seen in training.
    NewService,
    /// Packets with a (peer, protocol, service port) never seen in training.
    NewPeerService,
    /// [`Metric::SynOut`] over the context, 0 unless this window has some.
    SynOutContext,
    /// [`Metric::SynFailed`] over the context, 0 unless this window has some.
    SynFailedContext,
    /// [`Metric::SynIn`] over the context, 0 unless this window has some.
    SynInContext,
    /// [`Metric::Resets`] over the context, 0 unless this window has some.
    ResetsContext,
    /// [`Metric::NewPeer`] over the context, 0 unless this window has some.
    NewPeerContext,
    /// [`Metric::NewService`] over the context, 0 unless this window has some.
    NewServiceContext,
    /// [`Metric::NewPeerService`] over the context, 0 unless this window has some.
    NewPeerServiceContext,
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
    Metric::NewPeer,
    Metric::NewService,
    Metric::NewPeerService,
    Metric::SynOutContext,
    Metric::SynFailedContext,
    Metric::SynInContext,
    Metric::ResetsContext,
    Metric::NewPeerContext,
    Metric::NewServiceContext,
    Metric::NewPeerServiceContext,
];

/// The metrics with a context count, in the order of the context counts.
pub const GATED: [Metric; CONTEXTS] = [
    Metric::SynOut,
    Metric::SynFailed,
    Metric::SynIn,
    Metric::Resets,
    Metric::NewPeer,
    Metric::NewService,
    Metric::NewPeerService,
];

/// Place of the first context count in a metric vector.
pub const FIRST_CONTEXT: usize = Metric::SynOutContext as usize;

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
                | Self::NewPeerContext
                | Self::NewServiceContext
                | Self::NewPeerServiceContext
        )
    }

    /// Whether the metric is a sum over the last windows.
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
            Self::NewPeer => "new_peer",
            Self::NewService => "new_service",
            Self::NewPeerService => "new_peer_service",
            Self::SynOutContext => "syn_out_context",
            Self::SynFailedContext => "syn_failed_context",
            Self::SynInContext => "syn_in_context",
            Self::ResetsContext => "resets_context",
            Self::NewPeerContext => "new_peer_context",
            Self::NewServiceContext => "new_service_context",
            Self::NewPeerServiceContext => "new_peer_service_context",
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
            Self::NewPeer => "packets with an unknown peer",
            Self::NewService => "packets with an unknown service port",
            Self::NewPeerService => "packets with an unknown peer and service port",
            Self::SynOutContext => "connection attempts sent in the last five minutes",
            Self::SynFailedContext => "connection attempts without answer in the last five minutes",
            Self::SynInContext => "connection attempts received in the last five minutes",
            Self::ResetsContext => "connections reset in the last five minutes",
            Self::NewPeerContext => "packets with an unknown peer in the last five minutes",
            Self::NewServiceContext => {
                "packets with an unknown service port in the last five minutes"
            }
            Self::NewPeerServiceContext => {
                "packets with an unknown peer and service port in the last five minutes"
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
        assert_eq!(Metric::BroadcastOut.index() + 1, COUNTS);
    }
}
