//! What the alerting windows of a finding add up to.

use std::net::IpAddr;

use analytics::metrics::Metric;
use analytics::policy::is_local;
use analytics::record::{KeyCount, PROTOCOL_ARP, PROTOCOL_LINK, WindowRecord};
use model::Evidence;
use serde::{Deserialize, Serialize};

use super::classify::{MAX_CONTROLLERS, STRONG_SCORE};
use super::{Alert, OpenFinding, Published};
use crate::judge::Watch;
use crate::machines::evidence::UnusualCommand;

/// Parties kept; those beyond are counted.
pub(super) const MAX_PARTIES: usize = 256;
/// Parties a finding shows, the most telling ones first.
pub(super) const MAX_EVIDENCE: usize = 16;

pub(super) const TCP: u8 = 6;
const UDP: u8 = 17;

/// One remote party and service seen in alerting windows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Party {
    pub(super) peer: IpAddr,
    pub(super) protocol: u8,
    pub(super) port: u16,
    pub(super) packets: u64,
    /// The peer was never seen in training.
    pub(super) new_peer: bool,
    /// Peer and service were never seen together in training.
    pub(super) new_key: bool,
    /// Connection attempts without answer that can have gone to it.
    pub(super) in_vain: u64,
}

impl Party {
    /// A host on the outside that was never seen in training.
    pub(super) fn is_unknown_outside(&self) -> bool {
        self.new_peer && !is_local(self.peer) && !self.peer.is_multicast()
    }

    /// A host on the outside that was called in vain.
    pub(super) fn is_called(&self) -> bool {
        self.in_vain > 0
    }
}

/// Which of a device's findings a window goes to: attempts to reach somebody are told apart from
/// everything else, so that neither hides in the other's noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lane {
    /// Windows with unanswered calls to few unknown hosts on the outside.
    Calls,
    /// All other alerting windows.
    Other,
    /// Unknown parties met like clockwork.
    Rhythm,
    /// The device's habits changed.
    Habits,
    /// Attacks on what the detector learns and on the detector itself.
    Model,
    /// Commands that the machine never received, or never so.
    Commands,
    /// Laws of GOOSE and MMS that were broken.
    Laws,
}

/// How many lanes there are.
pub(crate) const LANES: usize = 7;

impl Lane {
    /// All lanes, in the order of their places.
    pub(crate) const ALL: [Self; LANES] = [
        Self::Calls,
        Self::Other,
        Self::Rhythm,
        Self::Habits,
        Self::Model,
        Self::Commands,
        Self::Laws,
    ];

    /// The word in the database.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Other => "other",
            Self::Rhythm => "rhythm",
            Self::Habits => "habits",
            Self::Model => "model",
            Self::Commands => "commands",
            Self::Laws => "laws",
        }
    }

    /// The lane of an alerting window by itself.
    fn alone(watch: &Watch, record: &WindowRecord) -> Self {
        let called = record.keys.iter().filter(|key| is_called(watch, record, **key)).count();
        if (1..=MAX_CONTROLLERS).contains(&called) { Self::Calls } else { Self::Other }
    }

    /// The lane of an alerting window, given what goes on: while calls go on, a window that says
    /// nothing else, or hardly anything, is a part of them.
    pub(crate) fn of(
        findings: &[Option<OpenFinding>; LANES],
        alert: &Alert<'_>,
        gap_us: i64,
    ) -> Self {
        let (watch, record) = (alert.watch, alert.record);
        if Self::alone(watch, record) == Self::Calls {
            return Self::Calls;
        }
        let [calls, other, ..] = findings;
        let goes_on = |open: &OpenFinding| open.covers(record, gap_us);
        let Some(calls) = calls.as_ref().filter(|open| goes_on(open)) else { return Self::Other };
        let weak = alert.judgement.score < STRONG_SCORE && !other.as_ref().is_some_and(goes_on);
        let mut new = record.keys.iter().filter(|key| watch.novelty(**key).1).peekable();
        let same = new.peek().is_some() && new.all(|key| calls.tally.has_called(*key));
        if weak || same { Self::Calls } else { Self::Other }
    }
}

/// True when all packets with this party can be unanswered attempts, to an unknown host outside.
fn is_called(watch: &Watch, record: &WindowRecord, key: KeyCount) -> bool {
    let outside = |peer: IpAddr| !is_local(peer) && !peer.is_multicast();
    key.protocol == TCP
        && u64::from(key.packets) <= record.count(Metric::SynFailed)
        && key.peer.ip().is_some_and(outside)
        && watch.novelty(key).0
}

/// The sums over a finding's windows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) epoch: i64,
    pub(crate) last_start_us: i64,
    /// The most packets sent in one window.
    pub(super) peak_packets_out: u64,
    /// The most bytes sent in one window.
    #[serde(default)]
    pub(super) peak_bytes_out: u64,
    /// The most connection attempts sent in one window that were answered.
    #[serde(default)]
    pub(super) peak_answered_out: u64,
    /// The most connection attempts received in one window.
    #[serde(default)]
    pub(super) peak_attempts_in: u64,
    /// Windows with every metric in range that yet did not fit together.
    #[serde(default)]
    pub(super) hidden: u64,
    pub(super) parties: Vec<Party>,
    /// Packets of parties that found no place.
    pub(super) beyond: u64,
    /// Unusual commands, for findings of commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<UnusualCommand>,
    /// Unusual commands that found no place.
    #[serde(default)]
    pub(crate) commands_beyond: u64,
    pub(crate) published: Published,
    /// The largest score of a window, and what else was counted in that window.
    #[serde(default)]
    pub(super) strongest_score: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) told: Vec<(Metric, u64)>,
}

impl Tally {
    pub(crate) fn new(epoch: i64, start_us: i64) -> Self {
        Self {
            epoch,
            last_start_us: start_us,
            peak_packets_out: 0,
            peak_bytes_out: 0,
            peak_answered_out: 0,
            peak_attempts_in: 0,
            hidden: 0,
            parties: vec![],
            beyond: 0,
            commands: vec![],
            commands_beyond: 0,
            published: Published::default(),
            strongest_score: 0.0,
            told: vec![],
        }
    }

    pub(super) fn add(&mut self, alert: &Alert<'_>) {
        let record = alert.record;
        self.last_start_us = self.last_start_us.max(record.start_us);
        self.peak_packets_out = self.peak_packets_out.max(record.count(Metric::PacketsOut));
        self.peak_bytes_out = self.peak_bytes_out.max(record.count(Metric::BytesOut));
        let answered = record.count(Metric::SynOut).saturating_sub(record.count(Metric::SynFailed));
        self.peak_answered_out = self.peak_answered_out.max(answered);
        self.peak_attempts_in = self.peak_attempts_in.max(record.count(Metric::SynIn));
        self.beyond += record.overflow_packets;
        if alert.judgement.score >= self.strongest_score {
            self.strongest_score = alert.judgement.score;
            alert.told.clone_into(&mut self.told);
        }
        for key in &record.keys {
            self.add_key(alert, *key);
        }
    }

    fn add_key(&mut self, alert: &Alert<'_>, key: KeyCount) {
        let Some(peer) = key.peer.ip() else { return };
        let packets = u64::from(key.packets);
        let in_vain = if is_called(alert.watch, alert.record, key) { packets } else { 0 };
        let same = |party: &&mut Party| {
            (party.peer, party.protocol, party.port) == (peer, key.protocol, key.port)
        };
        if let Some(party) = self.parties.iter_mut().find(same) {
            party.packets += packets;
            party.in_vain += in_vain;
            return;
        }
        let (new_peer, new_key) = alert.watch.novelty(key);
        let (protocol, port) = (key.protocol, key.port);
        let party = Party { peer, protocol, port, packets, new_peer, new_key, in_vain };
        if self.parties.len() < MAX_PARTIES {
            self.parties.push(party);
        } else if let Some(place) = self.parties.iter().position(|known| !known.new_key)
            && new_key
        {
            // What is new tells more than what was always there.
            self.beyond += self.parties[place].packets;
            self.parties[place] = party;
        } else {
            self.beyond += packets;
        }
    }

    /// True when this party was called in vain before.
    fn has_called(&self, key: KeyCount) -> bool {
        self.parties.iter().any(|party| {
            party.is_called()
                && (Some(party.peer), party.protocol, party.port)
                    == (key.peer.ip(), key.protocol, key.port)
        })
    }

    /// Unusual commands so far.
    pub(super) fn unusual_commands(&self) -> u64 {
        self.commands.len() as u64 + self.commands_beyond
    }

    /// Parties whose peer was never seen in training.
    pub(crate) fn new_parties(&self) -> usize {
        self.parties.iter().filter(|party| party.new_peer).count()
    }

    /// The party with the most packets among those that pass, with its share of all packets.
    pub(super) fn strongest(&self, pass: impl Fn(&Party) -> bool) -> Option<(&Party, f64)> {
        let all: u64 = self.parties.iter().map(|party| party.packets).sum::<u64>() + self.beyond;
        let passing = self.parties.iter().filter(|party| pass(party));
        let most = passing.max_by_key(|party| (party.packets, party.peer, party.port))?;
        Some((most, most.packets as f64 / all.max(1) as f64))
    }

    /// The parties that carry the evidence: those called in vain, else the new ones, else all.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let called = self.parties.iter().any(Party::is_called);
        let any_new = self.parties.iter().any(|party| party.new_key);
        let tells = |party: &&Party| {
            if called { party.is_called() } else { party.new_key || !any_new }
        };
        let mut parties: Vec<&Party> = self.parties.iter().filter(tells).collect();
        parties.sort_by_key(|party| {
            let weight = (party.is_unknown_outside(), party.new_peer, party.packets);
            (std::cmp::Reverse(weight), party.peer, party.port)
        });
        parties
            .into_iter()
            .take(MAX_EVIDENCE)
            .map(|party| Evidence {
                peer: party.peer,
                protocol: protocol_name(party.protocol),
                port: (party.protocol == TCP || party.protocol == UDP).then_some(party.port),
                packets: party.packets,
                new: party.new_peer,
            })
            .collect()
    }

    /// Distinct peers among the parties that pass.
    pub(super) fn peers(&self, pass: impl Fn(&Party) -> bool) -> usize {
        let mut peers: Vec<IpAddr> =
            self.parties.iter().filter(|party| pass(party)).map(|party| party.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        peers.len()
    }

    /// Distinct services (protocol, port) among the parties that pass.
    pub(super) fn services(&self, pass: impl Fn(&Party) -> bool) -> Vec<(u8, u16)> {
        let mut services: Vec<(u8, u16)> = self
            .parties
            .iter()
            .filter(|party| pass(party))
            .map(|party| (party.protocol, party.port))
            .collect();
        services.sort_unstable();
        services.dedup();
        services
    }
}

/// An IP protocol number as people write it.
pub(crate) fn protocol_name(number: u8) -> String {
    match number {
        PROTOCOL_ARP => "arp".into(),
        1 => "icmp".into(),
        2 => "igmp".into(),
        TCP => "tcp".into(),
        UDP => "udp".into(),
        58 => "icmpv6".into(),
        PROTOCOL_LINK => "link".into(),
        other => format!("ip-{other}"),
    }
}
