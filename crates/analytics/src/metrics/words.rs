//! Names of the metrics, and what they count in plain words.

use super::Metric;

impl Metric {
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
            Self::MinuteNewPeerService => "minute_new_peer_service",
            Self::MinutePeers => "minute_peers",
            Self::MinuteServicePorts => "minute_service_ports",
            Self::MinuteSynOut => "minute_syn_out",
            Self::MinutePacketsOut => "minute_packets_out",
            Self::MinutePacketsIn => "minute_packets_in",
            Self::MinuteBytesOut => "minute_bytes_out",
            Self::MinuteBytesIn => "minute_bytes_in",
            Self::MinuteDnsNames => "minute_dns_names",
            Self::DnsNameBits => "dns_name_bits",
            Self::DnsNoSuchName => "dns_no_such_name",
            Self::IndustrialWrites => "industrial_writes",
            Self::IndustrialRefusals => "industrial_refusals",
            Self::DnsQueries => "dns_queries",
            Self::DnsNames => "dns_names",
            Self::DnsEntropy => "dns_entropy",
            Self::GapOut => "gap_out",
            Self::GapVariation => "gap_variation",
            Self::WebRequests => "web_requests",
            Self::TlsHandshakes => "tls_handshakes",
            Self::MqttMessages => "mqtt_messages",
            Self::CoapMessages => "coap_messages",
            Self::DiscoveryMessages => "discovery_messages",
            Self::ShellMessages => "shell_messages",
            Self::IndustrialReads => "industrial_reads",
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
            Self::MinuteNewPeerService => {
                "packets in this minute so far with a known peer on a service port not used with it before"
            }
            Self::MinutePeers => "different other ends in this minute so far",
            Self::MinuteServicePorts => "different service ports in this minute so far",
            Self::MinuteSynOut => "connection attempts sent in this minute so far",
            Self::MinutePacketsOut => "packets sent in this minute so far",
            Self::MinutePacketsIn => "packets received in this minute so far",
            Self::MinuteBytesOut => "bytes sent in this minute so far",
            Self::MinuteBytesIn => "bytes received in this minute so far",
            Self::MinuteDnsNames => "different names asked of DNS in this minute so far",
            Self::DnsNameBits => "bits in the longest label of a name asked of DNS",
            Self::DnsNoSuchName => "DNS answers that the name does not exist",
            Self::IndustrialWrites => "messages that write to, operate or configure a machine",
            Self::IndustrialRefusals => "refusals by a machine",
            Self::DnsQueries => "DNS queries sent",
            Self::DnsNames => "different names asked of DNS",
            Self::DnsEntropy => {
                "entropy of the longest label of a name asked of DNS, hundredths of a bit per character"
            }
            Self::GapOut => "mean pause between sent packets, milliseconds",
            Self::GapVariation => {
                "variation of the pauses between sent packets, per cent of their mean"
            }
            Self::WebRequests => "web requests",
            Self::TlsHandshakes => "encrypted connections opened (TLS)",
            Self::MqttMessages => "MQTT messages",
            Self::CoapMessages => "CoAP messages",
            Self::DiscoveryMessages => "messages that look for or announce services (mDNS, SSDP)",
            Self::ShellMessages => "messages of remote shells (Telnet, SSH)",
            Self::IndustrialReads => "messages that read from a machine",
        }
    }
}
