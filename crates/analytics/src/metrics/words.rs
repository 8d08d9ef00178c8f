//! Names of the metrics, and what they count in plain words.

use super::{ALL_METRICS, Metric};

/// Name and meaning of each metric, in the order of the metric vectors.
const WORDS: [(&str, &str); ALL_METRICS] = [
    ("packets_out", "packets sent"),
    ("packets_in", "packets received"),
    ("bytes_out", "bytes sent"),
    ("bytes_in", "bytes received"),
    ("syn_out", "connection attempts sent"),
    ("syn_failed", "connection attempts without answer"),
    ("syn_in", "connection attempts received"),
    ("resets", "connections reset"),
    ("peers", "different other ends"),
    ("service_ports", "different service ports"),
    ("mean_size_out", "mean size of sent packets, bytes"),
    ("mean_size_in", "mean size of received packets, bytes"),
    ("udp", "UDP packets"),
    ("arp", "ARP packets"),
    ("icmp", "ICMP packets"),
    ("broadcast_out", "broadcast and multicast packets sent"),
    ("udp_unanswered", "UDP packets without answer"),
    ("ports_of_peer", "different service ports of one peer"),
    ("peers_of_port", "different peers on one service port"),
    ("new_peer", "unknown peers"),
    ("new_service", "packets with an unknown service port"),
    ("new_peer_service", "packets with a known peer on a service port not used with it before"),
    ("syn_failed_context", "connection attempts without answer in the last five minutes"),
    ("syn_in_context", "connection attempts received in the last five minutes"),
    ("resets_context", "connections reset in the last five minutes"),
    ("new_key_context", "times in the last five minutes with the same unknown conversation"),
    ("new_key_hour", "minutes of the last hour with the same unknown conversation"),
    ("failed_key_context", "recent attempts without answer to the same service of the same peer"),
    (
        "failed_key_hour",
        "minutes of the last hour with an attempt without answer to the same service of the same peer",
    ),
    (
        "unanswered_key_context",
        "recent UDP packets without answer to the same service of the same peer",
    ),
    (
        "unanswered_key_hour",
        "minutes of the last hour with UDP packets without answer to the same service of the same peer",
    ),
    (
        "traffic_key_context",
        "times more recent packets with one known service than ever in training",
    ),
    (
        "traffic_key_hour",
        "times more minutes of the last hour with one known service than ever in training",
    ),
    (
        "minute_new_peer_service",
        "packets in this minute so far with a known peer on a service port not used with it before",
    ),
    ("dns_name_bits", "bits in the longest label of a name asked of DNS"),
    ("industrial_refusals", "refusals by a machine"),
    ("industrial_writes", "messages that write to, operate or configure a machine"),
    ("industrial_reads", "messages that read from a machine"),
    ("dns_queries", "DNS queries sent"),
    ("dns_names", "different names asked of DNS"),
    ("dns_no_such_name", "DNS answers that the name does not exist"),
    (
        "dns_entropy",
        "entropy of the longest label of a name asked of DNS, hundredths of a bit per character",
    ),
    ("web_requests", "web requests"),
    ("tls_handshakes", "encrypted connections opened (TLS)"),
    ("mqtt_messages", "MQTT messages"),
    ("coap_messages", "CoAP messages"),
    ("discovery_messages", "messages that look for or announce services (mDNS, SSDP)"),
    ("shell_messages", "messages of remote shells (Telnet, SSH)"),
    ("gap_out", "mean pause between sent packets, milliseconds"),
    ("gap_variation", "variation of the pauses between sent packets, per cent of their mean"),
    ("minute_packets_out", "packets sent in this minute so far"),
    ("minute_packets_in", "packets received in this minute so far"),
    ("minute_bytes_out", "bytes sent in this minute so far"),
    ("minute_bytes_in", "bytes received in this minute so far"),
    ("minute_syn_out", "connection attempts sent in this minute so far"),
    ("minute_peers", "different other ends in this minute so far"),
    ("minute_service_ports", "different service ports in this minute so far"),
    ("minute_dns_names", "different names asked of DNS in this minute so far"),
];

impl Metric {
    /// Name in model files and in explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        WORDS[self.index()].0
    }

    /// What the number counts, in plain words, for people who read a finding.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        WORDS[self.index()].1
    }
}
