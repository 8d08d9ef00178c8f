//! From a message of a conversation to what it adds to the windows of its two ends.

use protocols::app::message::dns::Name;
use protocols::app::message::http::Start;
use protocols::app::message::{Dns, Tls};
use protocols::app::{Effect, Protocol, Record, Role};
use protocols::flow::Sighting;

use super::Talk;
use crate::host::mix;
use crate::metrics::Metric;

/// Names of one query that are looked at; resolvers answer one.
const MAX_QUESTIONS: usize = 4;
/// Response code of DNS: the name does not exist (RFC 1035, 4.1.1).
const NO_SUCH_NAME: u8 = 3;
/// Longest label of DNS, octets (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// A name asked of DNS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Of its labels, whatever their case.
    pub(crate) digest: u64,
    /// Shannon entropy of the letters of its longest label, hundredths of a bit per character.
    ///
    /// C. E. Shannon, *A Mathematical Theory of Communication*, 1948, section 6; as a mark of data
    /// carried in names: Nadler, Aminov, Shabtai, *Detection of malicious and low throughput data
    /// exfiltration over the DNS protocol*, Computers & Security 80, 2019. A label of n characters
    /// has at most log₂ n, so a short one cannot look random.
    pub(crate) entropy: u64,
    /// The same for the whole label: entropy per character times characters, bits. What a query can
    /// carry to a name server, at most.
    pub(crate) bits: u64,
}

impl Asked {
    fn new(name: &Name<'_>) -> Self {
        let mut digest = 0;
        let mut longest: &[u8] = &[];
        for label in name.labels() {
            for octet in label {
                digest = mix(digest ^ u64::from(octet.to_ascii_lowercase()));
            }
            digest = mix(digest ^ u64::from(b'.'));
            if label.len() > longest.len() {
                longest = label;
            }
        }
        let entropy = entropy(longest);
        let bits = (entropy * longest.len() as f64).round() as u64;
        Self { digest, entropy: (100.0 * entropy).round() as u64, bits }
    }
}

/// Shannon entropy of the octets of a label, whatever their case, bits per octet.
fn entropy(label: &[u8]) -> f64 {
    let label = &label[..label.len().min(MAX_LABEL)];
    let mut counts = [0_u8; 256];
    for octet in label {
        counts[usize::from(octet.to_ascii_lowercase())] += 1;
    }
    let length = label.len() as f64;
    let mut entropy = 0.0;
    for octet in label {
        // Each octet is met once; what was counted is taken away.
        let count = std::mem::take(&mut counts[usize::from(octet.to_ascii_lowercase())]);
        if count > 0 {
            let share = f64::from(count) / length;
            entropy -= share * share.log2();
        }
    }
    entropy.max(0.0)
}

/// What one message adds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note<'a> {
    /// A query: to the window of who sent it.
    Query(Dns<'a>),
    /// An answer that the name does not exist: to the window of who asked.
    NoSuchName,
    /// One message of a family: to the windows of both ends.
    Family(Metric),
    /// One message to or from a machine that does several things.
    Machine {
        /// Asks for values.
        reads: bool,
        /// Writes, operates or configures.
        writes: bool,
        /// Refuses.
        refuses: bool,
    },
}

/// Whether messages of a protocol are counted at all; spares the rest of the work.
pub(crate) const fn hears(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::Dhcp | Protocol::Ntp | Protocol::Goose)
}

impl<'a> Note<'a> {
    /// What a message adds, if anything.
    pub(crate) fn of(sighting: &Sighting<'a>) -> Option<Self> {
        match (&sighting.record, sighting.protocol) {
            (Record::Dns(_), Protocol::Mdns) | (Record::Ssdp(_), _) => {
                Some(Self::Family(Metric::DiscoveryMessages))
            }
            (Record::Dns(message), _) => match (message.is_response(), message.rcode()) {
                (false, _) => (message.opcode() == 0).then_some(Self::Query(*message)),
                (true, NO_SUCH_NAME) => Some(Self::NoSuchName),
                (true, _) => None,
            },
            (Record::Http(message), _) => matches!(message.start, Start::Request { .. })
                .then_some(Self::Family(Metric::WebRequests)),
            (Record::Tls(message), _) => {
                matches!(message, Tls::Client(_)).then_some(Self::Family(Metric::TlsHandshakes))
            }
            (Record::Mqtt(_), _) => Some(Self::Family(Metric::MqttMessages)),
            (Record::Coap(_), _) => Some(Self::Family(Metric::CoapMessages)),
            (Record::Ssh(_) | Record::Telnet(_), _) => Some(Self::Family(Metric::ShellMessages)),
            (Record::Dhcp(_) | Record::Ntp(_) | Record::Goose(_), _) => None,
            (record, _) => Self::of_machine(record),
        }
    }

    fn of_machine(record: &Record<'a>) -> Option<Self> {
        let (mut reads, mut writes, mut refuses) = (false, false, false);
        record.operations(&mut |operation| {
            refuses |= operation.refused.is_some();
            if operation.role == Role::Request {
                reads |= operation.effect == Effect::Read;
                writes |=
                    matches!(operation.effect, Effect::Write | Effect::Control | Effect::Configure);
            }
        });
        (reads || writes || refuses).then_some(Self::Machine { reads, writes, refuses })
    }

    /// Adds it to the window of the sender.
    pub(crate) fn sent(&self, talk: &mut Talk) {
        match self {
            Self::Query(message) => {
                talk.note(Metric::DnsQueries, 1);
                for question in message.questions().take(MAX_QUESTIONS) {
                    talk.ask(&Asked::new(&question.name));
                }
            }
            Self::NoSuchName => {}
            Self::Family(_) | Self::Machine { .. } => self.either(talk),
        }
    }

    /// Adds it to the window of the receiver.
    pub(crate) fn received(&self, talk: &mut Talk) {
        match self {
            Self::NoSuchName => talk.note(Metric::DnsNoSuchName, 1),
            Self::Query(_) => {}
            Self::Family(_) | Self::Machine { .. } => self.either(talk),
        }
    }

    fn either(&self, talk: &mut Talk) {
        match *self {
            Self::Family(metric) => talk.note(metric, 1),
            Self::Machine { reads, writes, refuses } => {
                talk.note(Metric::IndustrialReads, u64::from(reads));
                talk.note(Metric::IndustrialWrites, u64::from(writes));
                talk.note(Metric::IndustrialRefusals, u64::from(refuses));
            }
            Self::Query(_) | Self::NoSuchName => {}
        }
    }

    /// Whether the window of the sender, and that of the receiver, get anything.
    pub(crate) const fn concerns(&self) -> (bool, bool) {
        (!matches!(self, Self::NoSuchName), !matches!(self, Self::Query(_)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn hundredths(label: &str) -> f64 {
        (100.0 * entropy(label.as_bytes())).round()
    }

    #[test]
    fn entropy_is_that_of_shannon() {
        assert_eq!(hundredths(""), 0.0);
        assert_eq!(hundredths("www"), 0.0);
        assert_eq!(hundredths("ab"), 100.0);
        assert_eq!(hundredths("aAbB"), 100.0, "case says nothing");
        assert_eq!(hundredths("abcdefgh"), 300.0);
        assert_eq!(hundredths("aab"), 92.0);
        assert_eq!(hundredths(&"0123456789abcdef".repeat(3)), 400.0);
    }
}
