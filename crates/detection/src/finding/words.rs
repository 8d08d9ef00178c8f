//! The title of a finding: one sentence for a person.

use model::{AttackKind, Finding};

use super::classify::{is_administered, scan_targets};
use super::tally::{Party, Tally, protocol_name};

/// The sentence.
pub(super) fn title(finding: &Finding, tally: &Tally) -> String {
    let who = who(finding);
    match finding.kind {
        AttackKind::CommandAndControl => controller(&who, finding.windows, tally),
        AttackKind::Scan => {
            let targets = scan_targets(tally);
            format!("{who} tries many hosts or ports: {targets} it never used before")
        }
        AttackKind::Flood => {
            let packets = tally.peak_packets_out;
            format!("{who} sends far more than usual: up to {packets} packets in one window")
        }
        AttackKind::BruteForce => sign_in(&who, tally),
        AttackKind::Exfiltration => {
            let mega = tally.peak_bytes_out as f64 / 1e6;
            let hosts =
                count(tally.peers(Party::is_unknown_outside), "unknown host", "unknown hosts");
            format!(
                "{who} sends far more data than usual to {hosts}: up to {mega:.1} MB in one window"
            )
        }
        AttackKind::LateralMovement => {
            let hosts = count(tally.peers(is_administered), "neighbour", "neighbours");
            format!("{who} administers {hosts} it never administered")
        }
        // Their detectors word them.
        AttackKind::FalseCommand
        | AttackKind::Replay
        | AttackKind::ManInTheMiddle
        | AttackKind::ModelAttack
        | AttackKind::Anomaly => unusual(&who, finding, tally),
    }
}

fn sign_in(who: &str, tally: &Tally) -> String {
    if tally.peak_attempts_in > tally.peak_answered_out {
        let times = tally.peak_attempts_in;
        format!("Somebody tries to sign in to {who}: up to {times} times in one window")
    } else {
        let times = tally.peak_answered_out;
        format!("{who} tries to sign in elsewhere: up to {times} times in one window")
    }
}

/// What, compared with what, since when: the explanation people read.
pub(crate) fn explanation(finding: &Finding) -> String {
    let mut text = format!("{}.", finding.title);
    if finding.detector == crate::machines::finding::COMMANDS {
        let kinds = finding.why.len();
        text.push_str(&format!(
            " Every command is compared with what these machines did with each other in training; {} of the strongest are listed. Between {} and {}.",
            count(kinds, "one", "ones"), finding.first_at, finding.last_at
        ));
        return text;
    }
    for reason in finding.why.iter().take(3) {
        let by = match reason.judge.as_str() {
            "network" => "given its other traffic, about",
            _ => "in its own past, about",
        };
        text.push_str(&format!(
            " Measured: {} {}; expected {by} {}.",
            rounded(reason.measured),
            reason.meaning,
            rounded(reason.expected)
        ));
    }
    let windows =
        count(usize::try_from(finding.windows).unwrap_or(usize::MAX), "window", "windows");
    text.push_str(&format!(
        " Since {} (until {}, {windows}); {:.1} times the threshold at most.",
        finding.first_at, finding.last_at, finding.score
    ));
    text
}

/// The name somebody gave, else the address: a MAC address tells people nothing.
pub(crate) fn who(finding: &Finding) -> String {
    let automatic = finding.device_mac.as_deref() == Some(finding.device_name.as_str());
    if automatic && !finding.device_address.is_empty() {
        finding.device_address.clone()
    } else {
        finding.device_name.clone()
    }
}

fn controller(who: &str, windows: u64, tally: &Tally) -> String {
    let hosts = count(tally.peers(Party::is_called), "unknown host", "unknown hosts");
    let services = tally.services(Party::is_called);
    let ports: Vec<String> = services.iter().map(|(_, port)| port.to_string()).collect();
    let (word, list) = (if ports.len() == 1 { "port" } else { "ports" }, ports.join(" and "));
    if windows > 1 {
        format!("{who} keeps trying to reach {hosts} on TCP {word} {list}")
    } else {
        let times: u64 = tally.parties.iter().map(|party| party.in_vain).sum();
        format!("{who} tried {times} times in vain to reach {hosts} on TCP {word} {list}")
    }
}

fn unusual(who: &str, finding: &Finding, tally: &Tally) -> String {
    let new = tally.peers(|party| party.new_peer);
    if new > 0 {
        let services = tally.services(|party| party.new_peer);
        let hosts = count(new, "host", "hosts");
        return match services.as_slice() {
            [(protocol, 0)] => format!(
                "{who} exchanges {} with {hosts} it never knew",
                protocol_name(*protocol).to_uppercase()
            ),
            [(protocol, port)] => format!(
                "{who} talks to {hosts} it never knew, on {} port {port}",
                protocol_name(*protocol).to_uppercase()
            ),
            _ => format!("{who} talks to {hosts} it never knew"),
        };
    }
    match finding.why.first() {
        Some(reason) => format!(
            "{who} behaves unusually: {}: {}, expected about {}",
            reason.meaning,
            rounded(reason.measured),
            rounded(reason.expected)
        ),
        None => format!("{who} behaves unusually"),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A figure as people read it: whole from ten on, else one decimal.
fn rounded(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
