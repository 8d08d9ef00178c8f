//! "This is normal for this device": what people called normal, and whether a window is covered.

use std::net::IpAddr;

use analytics::model::Judgement;
use analytics::record::{KeyCount, WindowRecord};
use model::{DeviceId, Finding, FindingId, SuppressionId, Timestamp};

use crate::finding::protocol_name;
use crate::machines::evidence::UnusualCommand;
use crate::machines::scope::CommandScope;

/// Suppressions of one device in force at the same time.
pub(crate) const MAX_ACTIVE: usize = 200;
/// Nothing stronger than this many times what was called normal is covered by it.
pub(crate) const HEADROOM: f64 = 1.5;
/// A peer that carries so much of a window's packets answers for its volumes.
const DOMINANT_SHARE: f64 = 0.9;

/// A person's word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suppression {
    pub(crate) id: SuppressionId,
    pub(crate) device: DeviceId,
    /// The finding it came from.
    pub(crate) finding: Option<FindingId>,
    /// Only this metric (and its context count).
    pub(crate) metric: Option<String>,
    /// Only traffic with this party…
    pub(crate) peer: Option<IpAddr>,
    /// …over this protocol…
    pub(crate) protocol: Option<String>,
    /// …and service port.
    pub(crate) port: Option<u16>,
    /// Only findings of this technique.
    pub(crate) technique: Option<String>,
    /// Only these commands.
    pub(crate) command: Option<CommandScope>,
    /// Nothing above this score is covered.
    pub(crate) ceiling: f64,
    pub(crate) reason: String,
    pub(crate) author: String,
    pub(crate) created_at: Timestamp,
    /// Until when; `None` until it is taken back.
    pub(crate) until: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revoked_by: Option<String>,
    /// Windows it covered.
    pub(crate) hits: i64,
    pub(crate) last_hit_at: Option<Timestamp>,
}

impl Suppression {
    /// Whether it holds now (wall time).
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.until.is_none_or(|until| now < until)
    }

    /// What it covers, in words.
    pub(crate) fn scope(&self) -> String {
        let mut parts = Vec::new();
        if let Some(command) = &self.command {
            parts.push(command.words());
        }
        if let Some(metric) = &self.metric {
            parts.push(format!("metric {metric}"));
        }
        if let Some(peer) = self.peer {
            let service = match (&self.protocol, self.port) {
                (Some(protocol), Some(port)) => format!(" over {protocol} port {port}"),
                (Some(protocol), None) => format!(" over {protocol}"),
                (None, Some(port)) => format!(" on port {port}"),
                (None, None) => String::new(),
            };
            parts.push(format!("traffic with {peer}{service}"));
        }
        if let Some(technique) = &self.technique {
            parts.push(format!("technique {technique}"));
        }
        if parts.is_empty() {
            parts.push("everything of this device".to_owned());
        }
        format!("{} up to score {:.1}", parts.join(", "), self.ceiling)
    }

    /// Whether a conversation counts as known because of it.
    pub(crate) fn covers_key(&self, key: &KeyCount) -> bool {
        self.technique.is_none()
            && self.command.is_none()
            && self.peer.is_some_and(|peer| key.peer.ip() == Some(peer))
            && self.port.is_none_or(|port| key.port == port)
            && self.protocol.as_ref().is_none_or(|name| *name == protocol_name(key.protocol))
    }

    fn covers_reason(&self, metric: &str, ratio: f64, record: &WindowRecord) -> bool {
        if self.technique.is_some() || self.command.is_some() || ratio > self.ceiling {
            return false;
        }
        let named = self.metric.as_deref().is_none_or(|own| {
            metric == own || metric.strip_suffix("_context").is_some_and(|base| base == own)
        });
        named && (self.peer.is_none() || self.carries(record))
    }

    /// Whether the named party carries nearly all of a window.
    fn carries(&self, record: &WindowRecord) -> bool {
        let own: u64 = record
            .keys
            .iter()
            .filter(|key| self.covers_key(key))
            .map(|key| u64::from(key.packets))
            .sum();
        let all: u64 = record.keys.iter().map(|key| u64::from(key.packets)).sum::<u64>()
            + record.overflow_packets;
        all > 0 && own as f64 >= DOMINANT_SHARE * all as f64
    }

    /// Whether an unusual command is covered: by a word on such commands, on its technique, on its
    /// sender, or on everything the device does.
    pub(crate) fn covers_command(&self, one: &UnusualCommand) -> bool {
        if one.score > self.ceiling || self.metric.is_some() {
            return false;
        }
        if let Some(scope) = &self.command {
            return scope.covers(one);
        }
        let technique =
            self.technique.as_ref().is_none_or(|own| one.technique.as_ref() == Some(own));
        let ends = [one.from.ip(), one.to.ip()];
        let peer = self.peer.is_none_or(|peer| ends.contains(&Some(peer)));
        // A word on one service says nothing of what is asked through it.
        technique && peer && self.port.is_none() && self.protocol.is_none()
    }

    /// Whether a broken law is covered: by a word on it, on its technique, or on everything the device
    /// does.
    pub(crate) fn covers_law(&self, law: &str, technique: Option<&str>, ratio: f64) -> bool {
        let narrower = self.command.is_some() || self.peer.is_some() || self.port.is_some();
        ratio <= self.ceiling
            && !narrower
            && self.protocol.is_none()
            && self.metric.as_deref().is_none_or(|own| own == law)
            && self.technique.as_deref().is_none_or(|own| technique == Some(own))
    }

    /// Whether a finding is covered by its technique alone.
    fn covers_technique(&self, finding: &Finding) -> bool {
        self.metric.is_none()
            && self.command.is_none()
            && finding.score <= self.ceiling
            && self
                .technique
                .as_ref()
                .is_some_and(|own| finding.techniques.iter().any(|technique| technique.id == *own))
            && self.peer.is_none_or(|peer| finding.evidence.iter().all(|party| party.peer == peer))
    }
}

/// The suppression that covers an alerting window: every reason of it must be covered by one.
pub(crate) fn of_window(
    active: &[&Suppression],
    record: &WindowRecord,
    judgement: &Judgement,
) -> Option<SuppressionId> {
    let mut first = None;
    for reason in judgement.reasons().filter(|reason| reason.ratio > 1.0) {
        let by = active
            .iter()
            .find(|one| one.covers_reason(reason.metric.name(), reason.ratio, record))?;
        first.get_or_insert(by.id);
    }
    first
}

/// The suppression that covers a finding by its technique.
pub(crate) fn of_finding(active: &[&Suppression], finding: &Finding) -> Option<SuppressionId> {
    active.iter().find(|one| one.covers_technique(finding)).map(|one| one.id)
}
