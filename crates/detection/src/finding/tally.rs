//! What the alerting windows of a finding add up to.

use std::net::IpAddr;

use analytics::metrics::Metric;
use analytics::policy::is_local;
use analytics::record::{KeyCount, PROTOCOL_ARP, PROTOCOL_LINK};
use model::Evidence;
use serde::{Deserialize, Serialize};

use super::{Alert, Published};

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
}

impl Party {
    /// A host on the outside that was never seen in training.
    pub(super) fn is_unknown_outside(&self) -> bool {
        self.new_peer && !is_local(self.peer) && !self.peer.is_multicast()
    }
}

/// The sums over a finding's windows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) epoch: i64,
    pub(crate) last_start_us: i64,
    pub(super) syn_out: u64,
    pub(super) syn_failed: u64,
    /// The most packets sent in one window.
    pub(super) peak_packets_out: u64,
    pub(super) parties: Vec<Party>,
    /// Packets of parties that found no place.
    pub(super) beyond: u64,
    pub(crate) published: Published,
}

impl Tally {
    pub(super) fn new(epoch: i64, start_us: i64) -> Self {
        Self {
            epoch,
            last_start_us: start_us,
            syn_out: 0,
            syn_failed: 0,
            peak_packets_out: 0,
            parties: vec![],
            beyond: 0,
            published: Published::default(),
        }
    }

    pub(super) fn add(&mut self, alert: &Alert<'_>) {
        let record = alert.record;
        self.last_start_us = self.last_start_us.max(record.start_us);
        self.syn_out += record.count(Metric::SynOut);
        self.syn_failed += record.count(Metric::SynFailed);
        self.peak_packets_out = self.peak_packets_out.max(record.count(Metric::PacketsOut));
        self.beyond += record.overflow_packets;
        for key in &record.keys {
            self.add_key(alert, *key);
        }
    }

    fn add_key(&mut self, alert: &Alert<'_>, key: KeyCount) {
        let Some(peer) = key.peer.ip() else { return };
        let packets = u64::from(key.packets);
        let same = |party: &&mut Party| {
            (party.peer, party.protocol, party.port) == (peer, key.protocol, key.port)
        };
        if let Some(party) = self.parties.iter_mut().find(same) {
            party.packets += packets;
            return;
        }
        let (new_peer, new_key) = alert.watch.novelty(key);
        let party =
            Party { peer, protocol: key.protocol, port: key.port, packets, new_peer, new_key };
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

    /// Parties whose peer was never seen in training.
    pub(crate) fn new_parties(&self) -> usize {
        self.parties.iter().filter(|party| party.new_peer).count()
    }

    /// The parties that carry the evidence: the new ones, or all where nothing is new.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let any_new = self.parties.iter().any(|party| party.new_key);
        let mut parties: Vec<&Party> =
            self.parties.iter().filter(|party| party.new_key || !any_new).collect();
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
pub(super) fn protocol_name(number: u8) -> String {
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
