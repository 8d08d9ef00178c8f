//! What kind of attack the evidence supports, and how bad it is. No kind is claimed that the
//! windows do not show: the rest is "unusual behaviour".

use analytics::policy::is_local;
use model::{AttackKind, Reason, Severity, Technique};

use super::tally::{Party, TCP, Tally};

/// New peers, or new services of one peer, from which on it is a scan.
pub(super) const SCAN_TARGETS: usize = 16;
/// New targets from which on a scan is serious at once.
pub(super) const WIDE_SCAN_TARGETS: usize = 64;
/// Packets sent in one window from which on it can be a flood.
pub(super) const FLOOD_PACKETS: u64 = 1_000;
/// How many times more than expected a flood is.
pub(super) const FLOOD_FACTOR: f64 = 10.0;
/// Unknown hosts of one controller address list at most; more is a scan or something else.
pub(super) const MAX_CONTROLLERS: usize = 8;
/// Ports they are called on at most.
pub(super) const MAX_CONTROLLER_PORTS: usize = 4;
/// Connection attempts (SYN) one call to a dead host sends at most: the first and six repetitions
/// (`tcp_syn_retries` of Linux). More are attempts that somebody starts again and again.
pub(super) const ATTEMPTS_OF_ONE_CALL: u64 = 7;
/// Windows from which on attempts to reach a controller are repeated, not a mishap.
pub(super) const REPEATED_WINDOWS: u64 = 3;
/// Windows from which on unusual behaviour deserves a look…
pub(super) const LASTING_WINDOWS: u64 = 6;
/// …if it is far from normal: after a short learning, small excesses come back for ever.
pub(super) const STRONG_SCORE: f64 = 4.0;

/// Ports that programs of every kind use; an attempt there is no sign of a non-standard port.
const STANDARD_PORTS: [u16; 22] = [
    20, 21, 22, 23, 25, 53, 80, 110, 123, 143, 443, 465, 502, 587, 853, 993, 995, 1883, 5683, 8080,
    8443, 8883,
];

/// Services where people sign in.
const SIGN_IN_PORTS: [u16; 14] =
    [21, 22, 23, 110, 143, 389, 445, 1433, 2323, 3306, 3389, 5432, 5900, 5985];
/// Services by which machines are administered.
const ADMIN_PORTS: [u16; 9] = [22, 23, 135, 445, 2323, 3389, 5900, 5985, 5986];
/// Answered connections to one sign-in service in one window from which on they are tries.
pub(super) const SIGN_IN_TRIES: u64 = 10;
/// Share of the packets that one party must carry to be what it is all about.
const MAIN_SHARE: f64 = 0.5;
/// Bytes sent in one window from which on it can be exfiltration.
const EXFILTRATION_BYTES: u64 = 100_000;

/// The kind the sums show.
pub(super) fn kind(tally: &Tally, why: &[Reason]) -> AttackKind {
    if scan_targets(tally) >= SCAN_TARGETS {
        AttackKind::Scan
    } else if exfiltrates(tally, why) {
        AttackKind::Exfiltration
    } else if tries_to_sign_in(tally) {
        AttackKind::BruteForce
    } else if is_flood(tally, why) {
        AttackKind::Flood
    } else if calls_a_controller(tally) {
        AttackKind::CommandAndControl
    } else if administers_neighbours(tally) {
        AttackKind::LateralMovement
    } else {
        AttackKind::Anomaly
    }
}

/// Far more data than expected, most of it with one unknown party outside that answers.
fn exfiltrates(tally: &Tally, why: &[Reason]) -> bool {
    let much = why.iter().any(|reason| {
        reason.metric == "bytes_out" && reason.measured >= FLOOD_FACTOR * reason.expected.max(1.0)
    });
    let stranger = |party: &Party| party.is_unknown_outside() && !party.is_called();
    much && tally.peak_bytes_out >= EXFILTRATION_BYTES
        && tally.strongest(stranger).is_some_and(|(_, share)| share >= MAIN_SHARE)
}

/// Many answered connections to one service where people sign in, in either direction.
pub(super) fn tries_to_sign_in(tally: &Tally) -> bool {
    let many = tally.peak_answered_out.max(tally.peak_attempts_in) >= SIGN_IN_TRIES;
    let sign_in = |party: &Party| party.protocol == TCP && SIGN_IN_PORTS.contains(&party.port);
    many && tally.strongest(sign_in).is_some_and(|(_, share)| share >= MAIN_SHARE)
}

/// New neighbours, on services by which machines are administered.
fn administers_neighbours(tally: &Tally) -> bool {
    tally.peers(is_administered) > 0
}

pub(super) fn is_administered(party: &Party) -> bool {
    party.new_peer
        && party.protocol == TCP
        && is_local(party.peer)
        && ADMIN_PORTS.contains(&party.port)
}

/// New peers, or new services of the peer with the most of them.
pub(super) fn scan_targets(tally: &Tally) -> usize {
    let hosts = tally.peers(|party| party.new_peer);
    let mut new: Vec<&Party> = tally.parties.iter().filter(|party| party.new_key).collect();
    new.sort_by_key(|party| party.peer);
    let ports = new.chunk_by(|a, b| a.peer == b.peer).map(<[&Party]>::len).max().unwrap_or(0);
    hosts.max(ports)
}

fn is_flood(tally: &Tally, why: &[Reason]) -> bool {
    let volume = ["packets_out", "bytes_out", "syn_out", "udp", "icmp"];
    tally.peak_packets_out >= FLOOD_PACKETS
        && why.iter().any(|reason| {
            volume.contains(&reason.metric.as_str())
                && reason.measured >= FLOOD_FACTOR * reason.expected.max(1.0)
        })
}

/// Unanswered attempts to few unknown hosts on the outside, on few ports.
fn calls_a_controller(tally: &Tally) -> bool {
    let hosts = tally.peers(Party::is_called);
    let attempts: u64 = tally.parties.iter().map(|party| party.in_vain).sum();
    (1..=MAX_CONTROLLERS).contains(&hosts)
        && tally.services(Party::is_called).len() <= MAX_CONTROLLER_PORTS
        && attempts >= 2
}

/// How bad it is. One window never wakes anybody, unless it shows a wide scan.
pub(super) fn severity(kind: AttackKind, windows: u64, score: f64, tally: &Tally) -> Severity {
    match kind {
        AttackKind::CommandAndControl => {
            let most = tally.parties.iter().map(|party| party.in_vain).max().unwrap_or(0);
            let again = most > ATTEMPTS_OF_ONE_CALL || tally.peers(Party::is_called) > 1;
            if windows >= REPEATED_WINDOWS && again { Severity::High } else { Severity::Low }
        }
        AttackKind::Scan if windows > 1 || scan_targets(tally) >= WIDE_SCAN_TARGETS => {
            Severity::High
        }
        AttackKind::Flood | AttackKind::BruteForce | AttackKind::Exfiltration if windows > 1 => {
            Severity::High
        }
        AttackKind::LateralMovement if windows >= REPEATED_WINDOWS => Severity::High,
        AttackKind::Scan
        | AttackKind::Flood
        | AttackKind::BruteForce
        | AttackKind::Exfiltration
        | AttackKind::LateralMovement
        | AttackKind::FalseCommand
        | AttackKind::Replay
        | AttackKind::ManInTheMiddle
        | AttackKind::ModelAttack => Severity::Medium,
        AttackKind::Anomaly if windows >= LASTING_WINDOWS && score >= STRONG_SCORE => {
            Severity::Medium
        }
        AttackKind::Anomaly => Severity::Low,
    }
}

/// The techniques the evidence shows; often none.
pub(super) fn techniques(kind: AttackKind, tally: &Tally) -> Vec<Technique> {
    let attack = |id: &str, name: &str| Technique {
        framework: "mitre-attack".into(),
        id: id.into(),
        name: name.into(),
    };
    match kind {
        AttackKind::CommandAndControl => {
            let odd = tally
                .services(Party::is_called)
                .iter()
                .any(|(_, port)| !STANDARD_PORTS.contains(port));
            if odd { vec![attack("T1571", "Non-Standard Port")] } else { vec![] }
        }
        AttackKind::Scan => vec![attack("T1046", "Network Service Discovery")],
        AttackKind::Flood => vec![attack("T1498", "Network Denial of Service")],
        AttackKind::BruteForce => vec![attack("T1110", "Brute Force")],
        AttackKind::Exfiltration => {
            vec![attack("T1048", "Exfiltration Over Alternative Protocol")]
        }
        AttackKind::LateralMovement => vec![attack("T1021", "Remote Services")],
        // The detectors that find these name their techniques themselves.
        AttackKind::FalseCommand
        | AttackKind::Replay
        | AttackKind::ManInTheMiddle
        | AttackKind::ModelAttack
        | AttackKind::Anomaly => vec![],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::net::IpAddr;

    use super::*;

    fn party(peer: &str, port: u16, new: bool, in_vain: u64) -> Party {
        let peer: IpAddr = peer.parse().unwrap();
        Party { peer, protocol: TCP, port, packets: 9, new_peer: new, new_key: new, in_vain }
    }

    fn tally(parties: Vec<Party>) -> Tally {
        Tally { parties, ..Tally::new(1, 0) }
    }

    fn check(parties: Vec<Party>, windows: u64, expect: (AttackKind, Severity, &[&str])) {
        let tally = tally(parties);
        let kind = kind(&tally, &[]);
        let ids: Vec<String> = techniques(kind, &tally).into_iter().map(|t| t.id).collect();
        let expected: Vec<String> = expect.2.iter().map(|id| (*id).to_owned()).collect();
        let severity = severity(kind, windows, 40.0, &tally);
        assert_eq!((kind, severity, ids), (expect.0, expect.1, expected));
    }

    #[test]
    fn one_call_to_a_dead_host_wakes_nobody_but_calling_again_and_again_does() {
        use AttackKind::CommandAndControl as Control;
        let one = |in_vain| vec![party("192.0.2.1", 50, true, in_vain)];
        check(one(3), 1, (Control, Severity::Low, &["T1571"]));
        check(one(7), 5, (Control, Severity::Low, &["T1571"]));
        check(one(8), 3, (Control, Severity::High, &["T1571"]));
        check(one(1), 3, (AttackKind::Anomaly, Severity::Low, &[]));
        let two = vec![party("192.0.2.1", 443, true, 2), party("192.0.2.2", 443, true, 2)];
        check(two.clone(), 2, (Control, Severity::Low, &[]));
        check(two.clone(), 3, (Control, Severity::High, &[]));
        // Conversations beside the calls do not hide them.
        let noise = (1..=9).map(|last| party(&format!("198.51.100.{last}"), 443, true, 0));
        check(noise.chain(two).collect(), 3, (Control, Severity::High, &[]));
        // Answered or known: no controller.
        check(one(0), 8, (AttackKind::Anomaly, Severity::Medium, &[]));
        check(vec![party("192.0.2.1", 50, false, 0)], 3, (AttackKind::Anomaly, Severity::Low, &[]));
    }

    #[test]
    fn small_excesses_stay_low_however_long_they_last() {
        let empty = tally(vec![]);
        assert_eq!(severity(AttackKind::Anomaly, 1_000, 1.8, &empty), Severity::Low);
        assert_eq!(severity(AttackKind::Anomaly, 6, 20.0, &empty), Severity::Medium);
        assert_eq!(severity(AttackKind::Anomaly, 5, 20.0, &empty), Severity::Low);
    }

    #[test]
    fn signing_in_administering_and_carrying_away_have_names() {
        let tries =
            Tally { peak_answered_out: 12, ..tally(vec![party("192.0.2.1", 22, false, 0)]) };
        assert_eq!(kind(&tries, &[]), AttackKind::BruteForce);
        assert_eq!(techniques(AttackKind::BruteForce, &tries)[0].id, "T1110");
        let few = Tally { peak_answered_out: 9, ..tries.clone() };
        assert_eq!(kind(&few, &[]), AttackKind::Anomaly);
        let web = Tally { peak_answered_out: 40, ..tally(vec![party("192.0.2.1", 443, false, 0)]) };
        assert_eq!(kind(&web, &[]), AttackKind::Anomaly);
        let neighbour = tally(vec![party("192.168.1.9", 445, true, 0)]);
        assert_eq!(kind(&neighbour, &[]), AttackKind::LateralMovement);
        assert_eq!(
            kind(&tally(vec![party("192.168.1.9", 445, false, 0)]), &[]),
            AttackKind::Anomaly
        );
        let much = [Reason {
            metric: "bytes_out".into(),
            meaning: String::new(),
            measured: 2e6,
            expected: 4_000.0,
            judge: "range".into(),
            ratio: 9.0,
        }];
        let away =
            Tally { peak_bytes_out: 2_000_000, ..tally(vec![party("203.0.113.5", 443, true, 0)]) };
        assert_eq!(kind(&away, &much), AttackKind::Exfiltration);
        let known =
            Tally { peak_bytes_out: 2_000_000, ..tally(vec![party("203.0.113.5", 443, false, 0)]) };
        assert_eq!(kind(&known, &much), AttackKind::Anomaly);
    }

    #[test]
    fn many_hosts_or_many_ports_are_a_scan() {
        let hosts: Vec<Party> =
            (0..SCAN_TARGETS).map(|last| party(&format!("10.0.0.{last}"), 23, true, 1)).collect();
        check(hosts, 1, (AttackKind::Scan, Severity::Medium, &["T1046"]));
        let ports: Vec<Party> = (1..=64).map(|port| party("192.0.2.1", port, true, 1)).collect();
        check(ports, 1, (AttackKind::Scan, Severity::High, &["T1046"]));
    }

    #[test]
    fn a_flood_is_many_times_more_than_expected() {
        let reason = |measured, expected| Reason {
            metric: "packets_out".into(),
            meaning: "packets sent in 10 s".into(),
            measured,
            expected,
            judge: "range".into(),
            ratio: 9.0,
        };
        let much = Tally { peak_packets_out: 5_000, ..tally(vec![]) };
        assert_eq!(kind(&much, &[reason(5_000.0, 20.0)]), AttackKind::Flood);
        assert_eq!(kind(&much, &[reason(5_000.0, 4_000.0)]), AttackKind::Anomaly);
        assert_eq!(severity(AttackKind::Flood, 1, 9.0, &much), Severity::Medium);
        assert_eq!(severity(AttackKind::Flood, 2, 9.0, &much), Severity::High);
    }
}
