//! Associated random neural network: which of all devices of a window are compromised, judged
//! together from who talks to whom and how (after Gelenbe and Nakıp, arXiv 2303.13627).
//!
//! Every device has two neurons that contradict each other, `compromised` and `safe`, driven by the
//! evidence of the device's own models. Traffic links them: unusual traffic (keys the device's
//! training does not know) carries suspicion between both ends, ordinary traffic carries trust. An
//! end that several devices talk to joins as a pair of neurons without evidence of its own, so that
//! devices that turn to the same unknown host at the same time raise each other. The published
//! network learns its weights from labels by gradient descent; here they follow from the traffic
//! (ours), and only the threshold is learned, from benign windows.
//!
//! | from | to the other end's, by share of the traffic | weight |
//! |---|---|---|
//! | compromised | compromised (excites), safe (inhibits) | 0.7, 0.1 of the unusual traffic |
//! | safe | safe (excites), compromised (inhibits) | 0.2, 0.05 of the ordinary traffic |
//! | either | the other of the same device (inhibits) | 0.2 |
//!
//! What a neuron does not spend on links leaves the network, so that all fire at rate 1 and none is
//! weaker for having more to say. The excitation that returns to a device over unusual traffic is at
//! most 0.7² of what it sent: the network amplifies agreement, it cannot ignite by itself.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::Host;
use crate::models::blocks;
use crate::novelty::KnownKeys;
use crate::record::WindowRecord;
use crate::rnn::{RandomNetwork, Sign};
use crate::threshold::{block_of, limit};

/// Name in files and in the output contract.
pub const NAME: &str = "arnn";
/// Version of the stored form.
const VERSION: u32 = 1;
/// Devices judged together at most; of more, those with the strongest evidence.
pub const MAX_DEVICES: usize = 4_096;
/// Ties of one device at most, the strongest.
const MAX_TIES: usize = 64;
/// Firing rate of every neuron.
const RATE: f64 = 1.0;
/// Inhibition between the two neurons of a device.
const CONTRADICTION: f64 = 0.2;
/// Excitation and inhibition by all unusual traffic of a compromised device.
const SUSPICION: (f64, f64) = (0.7, 0.1);
/// The same by all ordinary traffic of a safe device: talking to a safe device proves little.
const TRUST: (f64, f64) = (0.2, 0.05);
/// External rate of an end without evidence, to either side.
const UNDECIDED: f64 = 0.1;

/// What one device did in a window, and what its own models say.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The window.
    pub record: &'a WindowRecord,
    /// Score of the device's own model: error over threshold, 1 is the limit.
    pub evidence: f64,
    /// Keys known from training; without them no traffic counts as unusual.
    pub known: Option<&'a KnownKeys>,
}

/// Judgement of one device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collective {
    /// The device.
    pub device: Host,
    /// `q / (q + s)`: how much more its `compromised` neuron is excited than its `safe` one, 0 to 1.
    pub association: f64,
    /// The other end that adds most to the suspicion, if any.
    pub through: Option<Host>,
}

/// Traffic of a device with one other end, in logarithms of packets.
#[derive(Clone, Copy, Default)]
struct Tie {
    unusual: f64,
    ordinary: f64,
}

/// Two neurons.
#[derive(Clone, Copy)]
struct Pair {
    compromised: usize,
    safe: usize,
}

/// `e² / (1 + e²)`: evidence at its limit is even odds.
fn odds(evidence: f64) -> f64 {
    let square = evidence.clamp(0.0, 1e6).powi(2);
    square / (1.0 + square)
}

/// Ties of a device: each end with the logarithm of packets, the strongest first.
fn ties(seen: &Seen<'_>) -> Vec<(Host, Tie)> {
    let mut packets: HashMap<Host, (u64, u64)> = HashMap::new();
    for key in &seen.record.keys {
        let entry = packets.entry(key.peer).or_default();
        match seen.known {
            Some(known) if !known.contains(key) => entry.0 += u64::from(key.packets),
            _ => entry.1 += u64::from(key.packets),
        }
    }
    let log = |count: u64| (count as f64).ln_1p();
    let mut ties: Vec<(Host, Tie)> = packets
        .into_iter()
        .map(|(host, (unusual, ordinary))| {
            (host, Tie { unusual: log(unusual), ordinary: log(ordinary) })
        })
        .collect();
    let strength = |tie: &Tie| (tie.unusual, tie.ordinary);
    ties.sort_by(|a, b| {
        let ((ua, oa), (ub, ob)) = (strength(&a.1), strength(&b.1));
        ub.total_cmp(&ua).then(ob.total_cmp(&oa)).then(a.0.cmp(&b.0))
    });
    ties.truncate(MAX_TIES);
    ties
}

/// Judges the devices of one window together, in the order given.
///
/// Beyond [`MAX_DEVICES`] the devices with the weakest evidence are judged by it alone.
#[must_use]
pub fn associate(seen: &[Seen<'_>]) -> Vec<Collective> {
    let mut strongest: Vec<usize> = (0..seen.len()).collect();
    strongest.sort_by(|a, b| seen[*b].evidence.total_cmp(&seen[*a].evidence).then(a.cmp(b)));
    strongest.truncate(MAX_DEVICES);
    let graph = Graph::new(seen, &strongest);
    let excited = graph.network.steady_state().excited;
    seen.iter()
        .map(|device| {
            let host = device.record.device;
            match graph.pairs.get(&host) {
                Some(pair) => Collective {
                    device: host,
                    association: share(excited[pair.compromised], excited[pair.safe]),
                    through: graph.through(host, &excited),
                },
                None => {
                    let odds = odds(device.evidence);
                    Collective { device: host, association: odds, through: None }
                }
            }
        })
        .collect()
}

fn share(compromised: f64, safe: f64) -> f64 {
    if compromised > 0.0 { compromised / (compromised + safe) } else { 0.0 }
}

/// The network of a window.
struct Graph {
    network: RandomNetwork,
    pairs: HashMap<Host, Pair>,
    /// Suspicion that flows into a device: from whom, over which weight.
    inflow: HashMap<Host, Vec<(Host, f64)>>,
}

impl Graph {
    fn new(seen: &[Seen<'_>], devices: &[usize]) -> Self {
        let mut graph = Self {
            network: RandomNetwork::default(),
            pairs: HashMap::new(),
            inflow: HashMap::new(),
        };
        let mut ends: HashMap<Host, usize> = HashMap::new();
        let mut all_ties: Vec<(Host, Vec<(Host, Tie)>)> = Vec::with_capacity(devices.len());
        for place in devices {
            let device = &seen[*place];
            let odds = odds(device.evidence);
            if graph.pair(device.record.device, odds, 1.0 - odds) {
                let ties = ties(device);
                ties.iter().for_each(|(host, _)| *ends.entry(*host).or_default() += 1);
                all_ties.push((device.record.device, ties));
            }
        }
        // An end that only one device talks to could only echo it.
        let mut shared: Vec<Host> =
            ends.iter().filter(|(_, devices)| **devices > 1).map(|(host, _)| *host).collect();
        shared.sort_unstable();
        for host in shared {
            graph.pair(host, UNDECIDED, UNDECIDED);
        }
        graph.connect(&all_ties);
        graph.network.level(RATE);
        graph
    }

    /// Adds two contradicting neurons for a host that has none yet.
    fn pair(&mut self, host: Host, compromised: f64, safe: f64) -> bool {
        if self.pairs.contains_key(&host) {
            return false;
        }
        let neurons = (self.network.neuron(compromised, 0.0), self.network.neuron(safe, 0.0));
        let (Some(compromised), Some(safe)) = neurons else { return false };
        self.network.link(compromised, safe, Sign::Inhibits, CONTRADICTION);
        self.network.link(safe, compromised, Sign::Inhibits, CONTRADICTION);
        self.pairs.insert(host, Pair { compromised, safe });
        true
    }

    /// Links both ends of every tie: each weighs it by its share of what it does.
    fn connect(&mut self, all_ties: &[(Host, Vec<(Host, Tie)>)]) {
        let mut totals: HashMap<Host, Tie> = HashMap::new();
        for (device, ties) in all_ties {
            for (host, tie) in ties.iter().filter(|(host, _)| self.pairs.contains_key(host)) {
                for end in [device, host] {
                    let total = totals.entry(*end).or_default();
                    total.unusual += tie.unusual;
                    total.ordinary += tie.ordinary;
                }
            }
        }
        for (device, ties) in all_ties {
            for (host, tie) in ties {
                let (Some(a), Some(b)) = (self.pairs.get(device), self.pairs.get(host)) else {
                    continue;
                };
                let (a, b) = (*a, *b);
                for (from, to, from_host, to_host) in
                    [(a, b, *device, *host), (b, a, *host, *device)]
                {
                    let total = totals.get(&from_host).copied().unwrap_or_default();
                    let part = |tie: f64, total: f64| if total > 0.0 { tie / total } else { 0.0 };
                    let unusual = part(tie.unusual, total.unusual);
                    let ordinary = part(tie.ordinary, total.ordinary);
                    for (neuron, target, sign, weight) in [
                        (from.compromised, to.compromised, Sign::Excites, SUSPICION.0 * unusual),
                        (from.compromised, to.safe, Sign::Inhibits, SUSPICION.1 * unusual),
                        (from.safe, to.safe, Sign::Excites, TRUST.0 * ordinary),
                        (from.safe, to.compromised, Sign::Inhibits, TRUST.1 * ordinary),
                    ] {
                        self.network.link(neuron, target, sign, weight);
                    }
                    if unusual > 0.0 {
                        self.inflow.entry(to_host).or_default().push((from_host, unusual));
                    }
                }
            }
        }
    }

    /// The end from which most suspicion flows into a device.
    fn through(&self, host: Host, excited: &[f64]) -> Option<Host> {
        let flows = self.inflow.get(&host)?.iter().filter_map(|(from, weight)| {
            Some((excited[self.pairs.get(from)?.compromised] * weight, *from))
        });
        flows.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, from)| from)
    }
}

/// The benign windows of one device, in the order of time.
#[derive(Clone, Copy, Debug)]
pub struct Pupil<'a> {
    /// The windows.
    pub records: &'a [&'a WindowRecord],
    /// For each window the score of the device's own model, learned without the window's block of
    /// time (see [`crate::models::held_out_scores`]).
    pub evidence: &'a [f64],
}

/// Keys known in each block of time: those of the blocks before; for the first, those of all others.
fn known_before(records: &[&WindowRecord]) -> Vec<KnownKeys> {
    blocks(records.len())
        .into_iter()
        .map(|block| {
            let others =
                if block.start == 0 { &records[block.end..] } else { &records[..block.start] };
            let mut known = KnownKeys::default();
            others.iter().for_each(|record| known.learn(record));
            known
        })
        .collect()
}

/// The associated network with its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arnn {
    version: u32,
    threshold: f64,
}

impl Arnn {
    /// Learns the threshold from the benign windows of all devices. Like the evidence, which traffic
    /// is unusual is judged without the window's own block of time, so that training sees about as
    /// much unusual traffic as later days do. `None` without any window.
    #[must_use]
    pub fn train(pupils: &[Pupil<'_>], alpha: f64) -> Option<Self> {
        let known: Vec<Vec<KnownKeys>> =
            pupils.iter().map(|pupil| known_before(pupil.records)).collect();
        let mut windows: BTreeMap<i64, Vec<Seen<'_>>> = BTreeMap::new();
        for (pupil, known) in pupils.iter().zip(&known) {
            let total = pupil.records.len();
            let windows_of = pupil.records.iter().zip(pupil.evidence).enumerate();
            for (place, (record, evidence)) in windows_of {
                windows.entry(record.start_us).or_default().push(Seen {
                    record,
                    evidence: *evidence,
                    known: known.get(block_of(place, total)),
                });
            }
        }
        let judged = windows.values().flat_map(|seen| associate(seen));
        Self::from_associations(judged.map(|judged| judged.association).collect(), alpha)
    }

    /// Learns the threshold from the associations of benign windows.
    #[must_use]
    pub fn from_associations(mut associations: Vec<f64>, alpha: f64) -> Option<Self> {
        if associations.is_empty() {
            return None;
        }
        // Nothing associates more than 1: a threshold above would never alert.
        let threshold = limit(&mut associations, alpha).min(0.99);
        Some(Self { version: VERSION, threshold })
    }

    /// Judges the devices of one window together, in the order given: each with its score.
    #[must_use]
    pub fn judge(&self, seen: &[Seen<'_>]) -> Vec<(Collective, f64)> {
        associate(seen).into_iter().map(|judged| (judged, self.score(&judged))).collect()
    }

    /// Score of a judgement: association over threshold, above 1 is an alert.
    #[must_use]
    pub fn score(&self, judged: &Collective) -> f64 {
        judged.association / self.threshold
    }

    /// The stored form.
    #[must_use]
    pub fn stored(&self) -> Value {
        crate::models::to_value(self)
    }

    /// Opens the stored form.
    ///
    /// # Errors
    /// When it is of another version, damaged, or its threshold is none.
    pub fn open(value: &Value) -> Result<Self, String> {
        let opened: Self = crate::models::from_value(value)?;
        if opened.version != VERSION {
            return Err(format!(
                "model `{NAME}`: stored as version {}, this build reads version {VERSION}; train again",
                opened.version
            ));
        }
        if !(opened.threshold > 0.0 && opened.threshold <= 1.0) {
            return Err(format!("model `{NAME}`: threshold {} is none", opened.threshold));
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::metrics::COUNTS;
    use crate::record::{KeyCount, RECORD_VERSION};

    fn host(last: u8) -> Host {
        Host::v4([10, 0, 0, last].into())
    }

    fn record(device: u8, peers: &[(u8, u32)]) -> WindowRecord {
        let key = |(last, packets): &(u8, u32)| KeyCount::new(host(*last), 6, 443, *packets);
        WindowRecord {
            version: RECORD_VERSION,
            device: host(device),
            mac: None,
            start_us: 0,
            end_us: 10_000_000,
            counts: [1; COUNTS],
            keys: peers.iter().map(key).collect(),
            overflow_packets: 0,
        }
    }

    /// Everyone knows the cloud (200) and the hub (1).
    fn known() -> KnownKeys {
        let mut known = KnownKeys::default();
        known.learn(&record(0, &[(200, 1), (1, 1)]));
        known
    }

    fn judge(records: &[(WindowRecord, f64)]) -> Vec<f64> {
        let known = known();
        let seen: Vec<Seen<'_>> = records
            .iter()
            .map(|(record, evidence)| Seen { record, evidence: *evidence, known: Some(&known) })
            .collect();
        associate(&seen).iter().map(|judged| judged.association).collect()
    }

    /// Three devices with evidence just below the limit turn to the same unknown host; a fourth with
    /// the same evidence to one of its own; two are quiet.
    fn outbreak() -> Vec<(WindowRecord, f64)> {
        vec![
            (record(2, &[(200, 50), (250, 4)]), 0.8),
            (record(3, &[(200, 90), (250, 4)]), 0.8),
            (record(4, &[(200, 10), (250, 4)]), 0.8),
            (record(5, &[(200, 50), (251, 4)]), 0.8),
            (record(6, &[(200, 50), (1, 9)]), 0.2),
            (record(1, &[(6, 9), (200, 5)]), 0.3),
        ]
    }

    #[test]
    fn the_compromised_set_is_found_together() {
        let benign: Vec<Vec<(WindowRecord, f64)>> = (0..60)
            .map(|turn| {
                let mut window = outbreak();
                for (place, (record, evidence)) in window.iter_mut().enumerate() {
                    record.start_us = i64::from(turn) * 10_000_000;
                    record.keys.retain(|key| key.peer == host(200) || key.peer == host(1));
                    *evidence = f64::from((turn * 7 + place as i32 * 5) % 19) / 20.0;
                }
                window
            })
            .collect();
        let flat: Vec<(WindowRecord, f64)> = benign.into_iter().flatten().collect();
        let devices: Vec<Vec<&(WindowRecord, f64)>> = (1..7)
            .map(|last| flat.iter().filter(|(record, _)| record.device == host(last)).collect())
            .collect();
        let records: Vec<Vec<&WindowRecord>> = devices
            .iter()
            .map(|windows| windows.iter().map(|(record, _)| record).collect())
            .collect();
        let evidence: Vec<Vec<f64>> = devices
            .iter()
            .map(|windows| windows.iter().map(|(_, evidence)| *evidence).collect())
            .collect();
        let pupils: Vec<Pupil<'_>> = records
            .iter()
            .zip(&evidence)
            .map(|(records, evidence)| Pupil { records, evidence })
            .collect();
        let model = Arnn::train(&pupils, 0.005).unwrap();
        let known = known();
        let outbreak = outbreak();
        let seen: Vec<Seen<'_>> = outbreak
            .iter()
            .map(|(record, evidence)| Seen { record, evidence: *evidence, known: Some(&known) })
            .collect();
        let judged = model.judge(&seen);
        let alerts: Vec<bool> = judged.iter().map(|(_, score)| *score > 1.0).collect();
        assert_eq!(alerts, [true, true, true, false, false, false], "{judged:?} {model:?}");
        assert_eq!(judged[0].0.through, Some(host(250)));
        assert_eq!(judged[3].0.through, None);
    }

    #[test]
    fn alone_the_evidence_decides() {
        let mut last = 0.0;
        for evidence in [0.0, 0.1, 0.5, 1.0, 2.0, 50.0, f64::INFINITY] {
            let now = judge(&[(record(2, &[(200, 3)]), evidence)])[0];
            assert!(now >= last && now <= 1.0, "{evidence}: {now}");
            last = now;
        }
        let even = judge(&[(record(2, &[]), 1.0)])[0];
        assert!((even - 0.5).abs() < 1e-6, "{even}");
        assert!(associate(&[]).is_empty());
    }

    #[test]
    fn suspicion_spreads_over_unusual_ties_only() {
        let with = |evidence: f64, peer: u8| {
            judge(&[(record(2, &[(peer, 9)]), evidence), (record(3, &[(peer, 9)]), 0.5)])[1]
        };
        assert!(with(5.0, 250) > with(0.1, 250) + 0.05);
        assert!(with(5.0, 200) - with(0.1, 200) < 0.1);
        // A device that attacks another directly.
        let direct = |evidence: f64| {
            judge(&[(record(2, &[(3, 9)]), evidence), (record(3, &[(2, 9)]), 0.5)])[1]
        };
        assert!(direct(5.0) > direct(0.1) + 0.05);
    }

    #[test]
    fn stored_form_round_trips_and_refuses_damage() {
        let model = Arnn { version: VERSION, threshold: 0.5 };
        assert_eq!(Arnn::open(&model.stored()).unwrap(), model);
        for damaged in [r#"{"version":2,"threshold":0.5}"#, r#"{"version":1,"threshold":0}"#, "{}"]
        {
            assert!(Arnn::open(&serde_json::from_str(damaged).unwrap()).is_err());
        }
        assert!(Arnn::train(&[], 0.01).is_none());
    }
}
