//! What a device said and was told in the application messages of a window, counted by family.
//!
//! The messages come from followed conversations ([`protocols::flow::Tracker`]); where nobody
//! follows them (flow export, cut payloads, encrypted connections) the counts stay 0.

mod note;

use serde::{Deserialize, Serialize};

use crate::distinct::Distinct;
use crate::metrics::Metric;

pub(crate) use note::{Note, hears};

/// Names of a window told apart one by one; of more the number is estimated.
pub const MAX_NAMES: usize = 64;
/// Number of counts.
const COUNTS: usize = 13;
/// The counts, in the order of the stored form.
const ORDER: [Metric; COUNTS] = [
    Metric::DnsQueries,
    Metric::DnsNoSuchName,
    Metric::DnsEntropy,
    Metric::DnsNameBits,
    Metric::WebRequests,
    Metric::TlsHandshakes,
    Metric::MqttMessages,
    Metric::CoapMessages,
    Metric::DiscoveryMessages,
    Metric::ShellMessages,
    Metric::IndustrialReads,
    Metric::IndustrialWrites,
    Metric::IndustrialRefusals,
];

/// Counts of messages in one window, and the names asked of DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    counts: [u64; COUNTS],
    names: Distinct<MAX_NAMES>,
}

/// Whether of two values of a metric the larger counts, not their sum.
const fn is_largest(metric: Metric) -> bool {
    matches!(metric, Metric::DnsEntropy | Metric::DnsNameBits)
}

impl Talk {
    /// One of the counts; 0 for metrics that are no counts of messages.
    #[must_use]
    pub fn count(&self, metric: Metric) -> u64 {
        if metric == Metric::DnsNames {
            return self.names.count();
        }
        ORDER.iter().position(|own| *own == metric).map_or(0, |place| self.counts[place])
    }

    /// The names asked of DNS.
    #[must_use]
    pub const fn names(&self) -> &Distinct<MAX_NAMES> {
        &self.names
    }

    /// Adds to one of the counts, or raises it where the largest counts.
    pub(crate) fn note(&mut self, metric: Metric, value: u64) {
        let Some(place) = ORDER.iter().position(|own| *own == metric) else { return };
        let count = &mut self.counts[place];
        *count = if is_largest(metric) { (*count).max(value) } else { count.saturating_add(value) };
    }

    /// Counts a query for a name.
    pub(crate) fn ask(&mut self, name: &note::Asked) {
        self.names.insert(name.digest);
        self.note(Metric::DnsEntropy, name.entropy);
        self.note(Metric::DnsNameBits, name.bits);
    }

    /// Adds what was said in another window, or by another address of the device.
    pub fn merge(&mut self, other: &Self) {
        for (metric, count) in ORDER.into_iter().zip(other.counts) {
            self.note(metric, count);
        }
        self.names.merge(&other.names);
    }
}
