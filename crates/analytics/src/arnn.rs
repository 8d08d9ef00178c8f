//! Associated random neural network: which of all devices of a window are compromised, judged
//! together from who talks to whom and how (after Gelenbe and Nakıp, arXiv 2303.13627).
//!
//! Every device has two neurons that contradict each other, `compromised` and `safe`, driven by the
//! evidence of the device's own models. Traffic links them: unusual traffic (keys the device's
//! training does not know) carries suspicion between both ends, ordinary traffic carries trust. An
//! end that several devices talk to joins as a pair of neurons without evidence of its own, so that
//! devices that turn to the same unknown host at the same time raise each other. The published
//! network learns its weights from labels by gradient descent; here they follow from the traffic
//! (ours), and only the thresholds are learned, from benign windows.
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

impl Collective {
    /// `√(q / s)`, 0 to 1,000: alone, about the evidence of the device itself.
    #[must_use]
    pub fn suspicion(&self) -> f64 {
        (self.association / (1.0 - self.association).max(1e-6)).sqrt()
    }
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

/// The associated network with its thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arnn {
    version: u32,
    /// Of each device that was in the training: a noisy one must not hide the others.
    devices: BTreeMap<Host, f64>,
    /// Of all together, for devices that were not.
    pooled: f64,
}

impl Arnn {
    /// Learns the thresholds from the benign windows of all devices. Like the evidence, which traffic
    /// is unusual is judged without the window's own block of time, so that training sees about as
    /// much unusual traffic as later days do. `None` without any window.
    #[must_use]
    pub fn train(pupils: &[Pupil<'_>], alpha: f64) -> Option<Self> {
        let known: Vec<Vec<KnownKeys>> =
            pupils.iter().map(|pupil| known_before(pupil.records)).collect();
        let mut windows: BTreeMap<i64, Vec<Seen<'_>>> = BTreeMap::new();
        for (pupil, known) in pupils.iter().zip(&known).take(MAX_DEVICES) {
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
        let mut errors: BTreeMap<Host, Vec<f64>> = BTreeMap::new();
        for judged in windows.values().flat_map(|seen| associate(seen)) {
            errors.entry(judged.device).or_default().push(judged.suspicion());
        }
        let mut all: Vec<f64> = errors.values().flatten().copied().collect();
        if all.is_empty() {
            return None;
        }
        let devices =
            errors.iter_mut().map(|(device, errors)| (*device, limit(errors, alpha))).collect();
        Some(Self { version: VERSION, devices, pooled: limit(&mut all, alpha) })
    }

    /// Judges the devices of one window together, in the order given: each with its score.
    #[must_use]
    pub fn judge(&self, seen: &[Seen<'_>]) -> Vec<(Collective, f64)> {
        associate(seen).into_iter().map(|judged| (judged, self.score(&judged))).collect()
    }

    /// Score of a judgement: suspicion over the device's threshold, above 1 is an alert.
    #[must_use]
    pub fn score(&self, judged: &Collective) -> f64 {
        judged.suspicion() / self.devices.get(&judged.device).unwrap_or(&self.pooled)
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
        let sound = |threshold: &f64| threshold.is_finite() && *threshold > 0.0;
        if opened.devices.len() > MAX_DEVICES {
            return Err(format!("model `{NAME}`: more than {MAX_DEVICES} devices"));
        }
        if !opened.devices.values().chain([&opened.pooled]).all(sound) {
            return Err(format!("model `{NAME}`: a threshold is not above 0"));
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests;
