//! Drills: attack rows made from benign rows, so that a classifier has something to tell apart.
//!
//! Each drill changes the counts of a benign window as an attack of its kind would have to, whatever
//! the device: packets are added with their bytes, attempts with their failures, and the context
//! counts as if the attack had gone on for up to five minutes (or an hour). Strength, direction, and whether the
//! other end is known are drawn; no host, port or capture enters.
//!
//! | drill | what it adds to the window |
//! |---|---|
//! | scan | 3 to 1,000 attempts, to many ends (sweep) or many ports of one end, most unanswered or reset |
//! | flood | 1,000 to 300,000 packets sent or received, TCP attempts, UDP or ICMP |
//! | beacon | 1 to 12 attempts to one end, answered or not |
//! | exfiltration | 20 kB to 10 MB sent, over TCP or UDP, with sparse answers or none |
//! | brute force | 3 to 200 short conversations with one end, made or received |

use crate::draw::Draw;
use crate::features::Values;
use crate::metrics::{FIRST_CONTEXT, GATED, METRICS, Metric};
use crate::network::Scaled;

/// Windows a context count adds up, at the usual window length.
const CONTEXT_WINDOWS: f64 = 30.0;
/// Minutes the longest context looks back.
const MINUTES: f64 = 60.0;
/// Bytes of an attempt on the wire.
const ATTEMPT_BYTES: f64 = 66.0;

/// Kind of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drill {
    /// Looking for hosts or services.
    Scan,
    /// Many packets.
    Flood,
    /// Attempts to reach one end, again and again.
    Beacon,
    /// Much sent.
    Exfiltration,
    /// Many short conversations with one end.
    BruteForce,
}

/// Every kind.
pub const ALL: [Drill; 5] =
    [Drill::Scan, Drill::Flood, Drill::Beacon, Drill::Exfiltration, Drill::BruteForce];

/// Attack rows of all kinds in turn, each from a benign row drawn from `rows`.
///
/// `scale` as in [`super::Lesson::scale`]; metrics that are not judged stay 0. The seed and the name
/// decide every draw. Empty without rows.
#[must_use]
pub fn drills(
    rows: &[Scaled],
    scale: &[f64; METRICS],
    count: usize,
    seed: u64,
    name: &str,
) -> Vec<Scaled> {
    let mut draw = Draw::new(seed, name);
    let kinds = ALL.iter().cycle().take(if rows.is_empty() { 0 } else { count });
    kinds.map(|drill| drill.row(&rows[draw.below(rows.len())], scale, &mut draw)).collect()
}

impl Drill {
    fn row(self, benign: &Scaled, scale: &[f64; METRICS], draw: &mut Draw) -> Scaled {
        let before: Values =
            std::array::from_fn(|place| (f64::from(benign[place]) * scale[place]).exp_m1());
        let mut edit = Edit { values: before, failed_of_one: 0.0, unanswered_of_one: 0.0 };
        match self {
            Self::Scan => scan(&mut edit, draw),
            Self::Flood => flood(&mut edit, draw),
            Self::Beacon => beacon(&mut edit, draw),
            Self::Exfiltration => exfiltration(&mut edit, draw),
            Self::BruteForce => brute_force(&mut edit, draw),
        }
        edit.finish(&before, draw);
        std::array::from_fn(|place| {
            if scale[place] > 0.0 {
                (edit.values[place].max(0.0).ln_1p() / scale[place]) as f32
            } else {
                0.0
            }
        })
    }
}

/// The counts of a window while an attack is added to them.
struct Edit {
    values: Values,
    /// Attempts without answer within one conversation.
    failed_of_one: f64,
    /// UDP packets without answer within one conversation.
    unanswered_of_one: f64,
}

impl Edit {
    fn add(&mut self, metric: Metric, count: f64) {
        self.values[metric.index()] += count;
    }

    fn send(&mut self, packets: f64, bytes_each: f64) {
        self.add(Metric::PacketsOut, packets);
        self.add(Metric::BytesOut, packets * bytes_each);
    }

    fn receive(&mut self, packets: f64, bytes_each: f64) {
        self.add(Metric::PacketsIn, packets);
        self.add(Metric::BytesIn, packets * bytes_each);
    }

    /// Marks packets as exchanged with ends never seen, over a new service, or in a new combination.
    fn news(&mut self, packets: f64, ends: f64, novelty: News) {
        if novelty.peer {
            self.add(Metric::NewPeer, ends);
        }
        if novelty.service {
            self.add(Metric::NewService, packets);
        }
        if novelty.combination && !novelty.peer && !novelty.service {
            self.add(Metric::NewPeerService, packets);
        }
    }

    /// Mean sizes and context counts follow from what was added.
    fn finish(&mut self, before: &Values, draw: &mut Draw) {
        for (mean, bytes, packets) in [
            (Metric::MeanSizeOut, Metric::BytesOut, Metric::PacketsOut),
            (Metric::MeanSizeIn, Metric::BytesIn, Metric::PacketsIn),
        ] {
            let packets = self.values[packets.index()];
            if packets >= 1.0 {
                self.values[mean.index()] = self.values[bytes.index()] / packets;
            }
        }
        let windows = draw.between(1.0, CONTEXT_WINDOWS).floor();
        let minutes = draw.between(1.0, MINUTES).floor();
        // The same conversation in each of these windows and minutes.
        let gained = |metric: Metric| self.values[metric.index()] > before[metric.index()];
        let news = [Metric::NewPeer, Metric::NewService, Metric::NewPeerService];
        let news = f64::from(u8::from(news.into_iter().any(gained)));
        for (of_one, context, hour) in [
            (news, Metric::NewKeyContext, Metric::NewKeyHour),
            (self.failed_of_one, Metric::FailedKeyContext, Metric::FailedKeyHour),
            (self.unanswered_of_one, Metric::UnansweredKeyContext, Metric::UnansweredKeyHour),
        ] {
            if of_one > 0.0 {
                self.add(context, of_one * windows);
                self.add(hour, minutes);
            }
        }
        for (context, metric) in GATED.iter().enumerate() {
            let added = self.values[metric.index()] - before[metric.index()];
            if added > 0.0 {
                self.values[FIRST_CONTEXT + context] += added * windows;
            }
        }
    }
}

/// What of an attack's packets is new to the device.
#[derive(Clone, Copy)]
struct News {
    peer: bool,
    service: bool,
    combination: bool,
}

impl News {
    /// Half of all attacks use an end the device knows, half of all a service it knows, and half of
    /// those that know both know them together.
    fn drawn(draw: &mut Draw) -> Self {
        let (peer, service) = (draw.unit() < 0.5, draw.unit() < 0.5);
        Self { peer, service, combination: draw.unit() < 0.5 }
    }
}

/// `10^low` to `10^high`, even in the exponent, a whole number.
fn magnitude(draw: &mut Draw, low: f64, high: f64) -> f64 {
    10_f64.powf(draw.between(low, high)).round()
}

fn scan(edit: &mut Edit, draw: &mut Draw) {
    let attempts = magnitude(draw, 0.5, 3.0);
    let failed = (attempts * draw.between(0.5, 1.0)).round();
    edit.send(attempts, ATTEMPT_BYTES);
    edit.add(Metric::SynOut, attempts);
    edit.add(Metric::SynFailed, failed);
    edit.add(Metric::Resets, attempts - failed);
    edit.receive(attempts - failed, ATTEMPT_BYTES);
    if draw.unit() < 0.5 {
        edit.add(Metric::Peers, attempts);
        edit.add(Metric::PeersOfPort, attempts);
        let service = draw.unit() < 0.5;
        edit.news(attempts, attempts, News { peer: true, service, combination: true });
    } else {
        edit.add(Metric::ServicePorts, attempts);
        edit.add(Metric::PortsOfPeer, attempts);
        let peer = draw.unit() < 0.5;
        edit.news(attempts, 1.0, News { peer, service: true, combination: true });
    }
    edit.failed_of_one = failed.min(1.0);
}

fn flood(edit: &mut Edit, draw: &mut Draw) {
    let packets = magnitude(draw, 3.0, 5.5);
    let bytes = draw.between(60.0, 1_400.0);
    let outward = draw.unit() < 0.6;
    let means = draw.below(3);
    if outward {
        edit.send(packets, bytes);
    } else {
        edit.receive(packets, bytes);
    }
    match (means, outward) {
        (0, true) => {
            edit.add(Metric::SynOut, packets);
            edit.add(Metric::SynFailed, packets);
            edit.failed_of_one = packets;
        }
        (0, false) => edit.add(Metric::SynIn, packets),
        (1, true) => {
            edit.add(Metric::Udp, packets);
            edit.add(Metric::UdpUnanswered, packets);
            edit.unanswered_of_one = packets;
        }
        (1, false) => edit.add(Metric::Udp, packets),
        _ => edit.add(Metric::Icmp, packets),
    }
    let novelty = News::drawn(draw);
    edit.add(Metric::Peers, f64::from(u8::from(novelty.peer)));
    edit.add(Metric::ServicePorts, f64::from(u8::from(novelty.service)));
    edit.news(packets, 1.0, novelty);
}

fn beacon(edit: &mut Edit, draw: &mut Draw) {
    let attempts = 1.0 + draw.below(12) as f64;
    let answered = draw.unit() < 0.3;
    let novelty = News::drawn(draw);
    edit.add(Metric::SynOut, attempts);
    let mut packets = attempts;
    if answered {
        let talk = attempts * draw.between(3.0, 8.0).round();
        edit.send(talk, draw.between(66.0, 300.0));
        edit.receive(talk, draw.between(66.0, 300.0));
        packets += 2.0 * talk;
    } else {
        edit.add(Metric::SynFailed, attempts);
        edit.failed_of_one = attempts;
    }
    edit.send(attempts, ATTEMPT_BYTES);
    edit.add(Metric::Peers, 1.0);
    edit.add(Metric::ServicePorts, 1.0);
    edit.news(packets, 1.0, novelty);
}

fn exfiltration(edit: &mut Edit, draw: &mut Draw) {
    let bytes = magnitude(draw, 4.3, 7.0);
    let size = draw.between(200.0, 1_450.0);
    let packets = (bytes / size).ceil();
    let (udp, silent) = (draw.unit() < 0.5, draw.unit() < 0.5);
    let share = if udp && silent { 0.0 } else { draw.between(0.05, 0.5) };
    let answers = (packets * share).ceil();
    edit.send(packets, size);
    edit.receive(answers, ATTEMPT_BYTES);
    if udp {
        edit.add(Metric::Udp, packets + answers);
        if silent {
            edit.add(Metric::UdpUnanswered, packets);
            edit.unanswered_of_one = packets;
        }
    } else {
        edit.add(Metric::SynOut, 1.0);
    }
    let novelty = News::drawn(draw);
    edit.add(Metric::Peers, f64::from(u8::from(novelty.peer)));
    edit.news(packets + answers, 1.0, novelty);
}

fn brute_force(edit: &mut Edit, draw: &mut Draw) {
    let attempts = magnitude(draw, 0.5, 2.3);
    let each = draw.between(6.0, 15.0).round();
    let outward = draw.unit() < 0.5;
    edit.add(if outward { Metric::SynOut } else { Metric::SynIn }, attempts);
    edit.send(attempts * each, draw.between(66.0, 150.0));
    edit.receive(attempts * each, draw.between(66.0, 150.0));
    edit.add(Metric::Resets, (attempts * draw.between(0.0, 1.0)).round());
    let novelty = News::drawn(draw);
    edit.add(Metric::Peers, f64::from(u8::from(novelty.peer)));
    edit.add(Metric::ServicePorts, f64::from(u8::from(novelty.service)));
    edit.news(2.0 * attempts * each, 1.0, novelty);
}
