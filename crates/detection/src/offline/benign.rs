//! Is a training time benign? What speaks against it, with evidence.
//!
//! A model learns whatever it is shown: an attack in the training part becomes normal. These checks
//! look for what attacks of many kinds have in common, know nothing of hosts or ports, and never
//! change the training; they warn.

use std::collections::BTreeMap;
use std::fmt;

use analytics::host::Host;
use analytics::metrics::Metric;
use analytics::models::{Learner, by_name};
use analytics::record::WindowRecord;
use analytics::threshold::{BLOCKS, block_of};
use analytics::train::TrainOptions;

use super::singles::{Singles, SinglesJudge};

/// Suspicions told at most.
pub const MAX_SUSPICIONS: usize = 20;
/// Peers and services of one device that are followed at most; the rest is not looked at.
const MAX_FOLLOWED: usize = 65_536;
/// Devices whose time blocks are compared at most: each costs five small trainings.
const MAX_BLOCKED_DEVICES: usize = 64;
/// Windows a call without answer must go on for before it is told.
const LEAST_CALLS: u64 = 20;
/// Share of the windows with this peer and service in which no attempt was answered.
const UNANSWERED: f64 = 0.9;
/// Packets per window above which a conversation is more than an unanswered call.
const MOST_CALL_PACKETS: f64 = 16.0;
/// Other ends, or services, of one window that are a scan when most attempts fail.
const SCAN_WIDTH: u64 = 20;
/// Windows of a device below which its time blocks say nothing.
const LEAST_BLOCKED_WINDOWS: usize = 100;
/// Windows of one time block that must deviate from all the others.
const LEAST_DEVIATING: usize = 10;
/// Share of one time block that must deviate from all the others.
const DEVIATING: f64 = 0.35;
/// Share of every other block that may deviate.
const DEVIATING_ELSEWHERE: f64 = 0.02;

/// What speaks against a training time.
#[derive(Clone, Debug, PartialEq)]
pub enum Concern {
    /// The device keeps calling one peer that does not answer.
    UnansweredCalls {
        /// The peer.
        peer: Host,
        /// The service port.
        port: u16,
        /// Windows in which every attempt failed.
        windows: u64,
    },
    /// The device tries many ends or services at once, and most do not answer.
    Scan {
        /// Other ends, or services, in the widest window.
        width: u64,
        /// Windows of this kind.
        windows: u64,
    },
    /// One stretch of the time is unlike all the rest.
    UnlikeTheRest {
        /// Windows of the stretch that deviate.
        deviating: u64,
        /// Windows of the stretch.
        windows: u64,
        /// What deviates most often.
        metric: String,
    },
}

/// A concern with its place in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspicion {
    /// The device.
    pub device: Host,
    /// What.
    pub concern: Concern,
    /// Start of the first window, microseconds since the Unix epoch.
    pub first_us: i64,
    /// End of the last window, microseconds since the Unix epoch.
    pub last_us: i64,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this training may not be benign: {} ", self.device)?;
        match &self.concern {
            Concern::UnansweredCalls { peer, port, windows } => write!(
                f,
                "keeps calling {peer} on TCP port {port} without an answer ({windows} windows)"
            )?,
            Concern::Scan { width, windows } => write!(
                f,
                "tries up to {width} ends or services within one window, most without an answer ({windows} windows)"
            )?,
            Concern::UnlikeTheRest { deviating, windows, metric } => write!(
                f,
                "behaves unlike the rest of the time in {deviating} of {windows} windows, mostly by {metric}"
            )?,
        }
        let seconds = |time_us: i64| time_us.div_euclid(1_000_000);
        write!(f, ", from {} to {} (Unix seconds)", seconds(self.first_us), seconds(self.last_us))?;
        f.write_str("; look at it before trusting the model, or train on another time")
    }
}

/// Looks through the windows of a training time; the strongest concerns first, at most
/// [`MAX_SUSPICIONS`].
#[must_use]
pub fn suspicions(records: &[WindowRecord]) -> Vec<Suspicion> {
    let mut by_device: BTreeMap<Host, Vec<&WindowRecord>> = BTreeMap::new();
    for record in records {
        by_device.entry(record.device).or_default().push(record);
    }
    let mut found = Vec::new();
    for (place, (device, mut windows)) in by_device.into_iter().enumerate() {
        windows.sort_by_key(|record| record.start_us);
        found.extend(unanswered_calls(device, &windows));
        found.extend(scan(device, &windows));
        if place < MAX_BLOCKED_DEVICES {
            found.extend(unlike_the_rest(device, &windows));
        }
    }
    found.sort_by_key(|suspicion| std::cmp::Reverse(suspicion.concern.windows()));
    found.truncate(MAX_SUSPICIONS);
    found
}

impl Concern {
    fn windows(&self) -> u64 {
        match self {
            Self::UnansweredCalls { windows, .. } | Self::Scan { windows, .. } => *windows,
            Self::UnlikeTheRest { deviating, .. } => *deviating,
        }
    }
}

#[derive(Default)]
struct Calls {
    windows: u64,
    unanswered: u64,
    packets: u64,
    span: Option<(i64, i64)>,
}

fn unanswered_calls(device: Host, windows: &[&WindowRecord]) -> Vec<Suspicion> {
    const TCP: u8 = 6;
    let mut calls: BTreeMap<(Host, u16), Calls> = BTreeMap::new();
    for record in windows {
        let (tried, failed) = (record.count(Metric::SynOut), record.count(Metric::SynFailed));
        for key in record.keys.iter().filter(|key| key.protocol == TCP) {
            let place = (key.peer, key.port);
            if calls.len() >= MAX_FOLLOWED && !calls.contains_key(&place) {
                continue;
            }
            let entry = calls.entry(place).or_default();
            entry.windows += 1;
            entry.packets += u64::from(key.packets);
            if failed > 0 && failed == tried {
                entry.unanswered += 1;
                let start = entry.span.map_or(record.start_us, |span| span.0);
                entry.span = Some((start, record.end_us));
            }
        }
    }
    let suspect = |calls: &Calls| {
        calls.unanswered >= LEAST_CALLS
            && calls.unanswered as f64 >= UNANSWERED * calls.windows as f64
            && (calls.packets as f64) <= MOST_CALL_PACKETS * calls.windows as f64
    };
    calls
        .into_iter()
        .filter(|(_, calls)| suspect(calls))
        .filter_map(|((peer, port), calls)| {
            let (first_us, last_us) = calls.span?;
            let windows = calls.unanswered;
            let concern = Concern::UnansweredCalls { peer, port, windows };
            Some(Suspicion { device, concern, first_us, last_us })
        })
        .collect()
}

fn scan(device: Host, windows: &[&WindowRecord]) -> Option<Suspicion> {
    let width =
        |record: &WindowRecord| record.count(Metric::Peers).max(record.count(Metric::ServicePorts));
    let wide: Vec<&&WindowRecord> = windows
        .iter()
        .filter(|record| {
            let (tried, failed) = (record.count(Metric::SynOut), record.count(Metric::SynFailed));
            width(record) >= SCAN_WIDTH && tried >= SCAN_WIDTH && 2 * failed >= tried
        })
        .collect();
    let (first, last) = (wide.first()?, wide.last()?);
    let widest = wide.iter().map(|record| width(record)).max()?;
    Some(Suspicion {
        device,
        concern: Concern::Scan { width: widest, windows: wide.len() as u64 },
        first_us: first.start_us,
        last_us: last.end_us,
    })
}

/// Judges each of five time blocks by ranges learned from the other four.
fn unlike_the_rest(device: Host, windows: &[&WindowRecord]) -> Option<Suspicion> {
    let learner = by_name("range")?;
    if windows.len() < LEAST_BLOCKED_WINDOWS {
        return None;
    }
    let blocks: Vec<Deviation> =
        (0..BLOCKS).map(|block| deviation(learner, windows, block)).collect::<Option<_>>()?;
    let (place, worst) =
        blocks.iter().enumerate().max_by(|a, b| a.1.share().total_cmp(&b.1.share()))?;
    let quiet = blocks
        .iter()
        .enumerate()
        .all(|(other, block)| other == place || block.share() <= DEVIATING_ELSEWHERE);
    if !quiet || worst.deviating < LEAST_DEVIATING || worst.share() < DEVIATING {
        return None;
    }
    let (first_us, last_us) = worst.span?;
    let metric = worst.metrics.iter().max_by_key(|(_, count)| **count)?.0.clone();
    Some(Suspicion {
        device,
        concern: Concern::UnlikeTheRest {
            deviating: worst.deviating as u64,
            windows: worst.windows as u64,
            metric,
        },
        first_us,
        last_us,
    })
}

#[derive(Default)]
struct Deviation {
    windows: usize,
    deviating: usize,
    metrics: BTreeMap<String, u64>,
    span: Option<(i64, i64)>,
}

impl Deviation {
    fn share(&self) -> f64 {
        self.deviating as f64 / self.windows.max(1) as f64
    }
}

fn deviation(
    learner: &'static dyn Learner,
    windows: &[&WindowRecord],
    block: usize,
) -> Option<Deviation> {
    let total = windows.len();
    let inside = |place: usize| block_of(place, total) == block;
    let others: Vec<WindowRecord> = windows
        .iter()
        .enumerate()
        .filter(|(place, _)| !inside(*place))
        .map(|(_, record)| (*record).clone())
        .collect();
    let singles = Singles::learn(learner, &others, &TrainOptions::default()).ok()?;
    let mut judge = SinglesJudge::new(&singles);
    let mut found = Deviation::default();
    for (_, record) in windows.iter().enumerate().filter(|(place, _)| inside(*place)) {
        found.windows += 1;
        let judged = judge.judge(record)?;
        if judged.alert {
            found.deviating += 1;
            let start = found.span.map_or(record.start_us, |span| span.0);
            found.span = Some((start, record.end_us));
            if let Some(why) = judged.why.first() {
                *found.metrics.entry(why.metric.to_string()).or_insert(0) += 1;
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use analytics::metrics::COUNTS;
    use analytics::pace::Pace;
    use analytics::record::{KeyCount, RECORD_VERSION};

    const WINDOW_US: i64 = 10_000_000;

    fn host(last: u8) -> Host {
        Host::v4([192, 0, 2, last].into())
    }

    /// A device that talks to one server, a little unevenly.
    fn benign(count: usize) -> Vec<WindowRecord> {
        let window = |place: usize| {
            let mut counts = [0; COUNTS];
            counts[Metric::PacketsOut.index()] = 4 + (place % 3) as u64;
            counts[Metric::PacketsIn.index()] = 4 + (place % 5) as u64;
            counts[Metric::BytesOut.index()] = 400 + 10 * (place % 7) as u64;
            counts[Metric::Peers.index()] = 1;
            counts[Metric::ServicePorts.index()] = 1;
            WindowRecord {
                version: RECORD_VERSION,
                device: Host::v4([192, 168, 0, 7].into()),
                mac: None,
                start_us: place as i64 * WINDOW_US,
                end_us: (place as i64 + 1) * WINDOW_US,
                counts,
                keys: vec![KeyCount::new(host(1), 6, 443, 8)],
                overflow_packets: 0,
                pace: Pace::default(),
                talk: None,
            }
        };
        (0..count).map(window).collect()
    }

    fn call(record: &mut WindowRecord) {
        record.counts[Metric::SynOut.index()] = 2;
        record.counts[Metric::SynFailed.index()] = 2;
        record.keys.push(KeyCount::new(host(66), 6, 50, 2));
    }

    #[test]
    fn a_quiet_time_raises_no_concern() {
        assert_eq!(suspicions(&benign(500)), []);
        assert_eq!(suspicions(&[]), []);
    }

    #[test]
    fn a_beacon_is_told_with_its_peer_and_its_time() {
        let mut records = benign(500);
        records[100..].iter_mut().step_by(6).for_each(call);
        let found = suspicions(&records);
        let calls = found
            .iter()
            .find(|one| matches!(one.concern, Concern::UnansweredCalls { .. }))
            .unwrap();
        assert_eq!(
            calls.concern,
            Concern::UnansweredCalls { peer: host(66), port: 50, windows: 67 }
        );
        assert_eq!(calls.first_us, 100 * WINDOW_US);
        assert!(calls.to_string().contains("192.0.2.66 on TCP port 50"), "{calls}");
    }

    #[test]
    fn a_scan_is_told() {
        let mut records = benign(50);
        records[20].counts[Metric::Peers.index()] = 40;
        records[20].counts[Metric::SynOut.index()] = 40;
        records[20].counts[Metric::SynFailed.index()] = 39;
        let found = suspicions(&records);
        assert_eq!(found[0].concern, Concern::Scan { width: 40, windows: 1 });
    }

    #[test]
    fn a_stretch_unlike_the_rest_is_told() {
        let mut records = benign(500);
        for record in &mut records[220..260] {
            record.counts[Metric::PacketsOut.index()] = 9_000;
            record.counts[Metric::BytesOut.index()] = 900_000;
        }
        let found = suspicions(&records);
        assert!(
            matches!(found[0].concern, Concern::UnlikeTheRest { deviating: 40, .. }),
            "{found:?}"
        );
        assert_eq!(found[0].first_us, 220 * WINDOW_US);
    }
}
