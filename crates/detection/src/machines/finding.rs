//! Unusual commands to one machine, near in time, become one finding that goes on.

use analytics::commands::Deviation;
use model::{AttackKind, Evidence, Finding, FindingId, Reason, Severity, Technique, Timestamp};

use super::evidence::UnusualCommand;
use crate::finding::{MAX_FINDING_REASONS, OpenFinding, Tally};
use crate::state::{DeviceRow, moment};

/// Name of the detector.
pub(crate) const COMMANDS: &str = "commands";
/// Unusual commands a finding tells one by one; those beyond are counted.
pub(crate) const MAX_COMMANDS: usize = 64;
/// Remote parties a finding shows.
const MAX_PARTIES: usize = 16;
/// From this score on an unusual write is serious: another sender, function, point or value.
const SERIOUS_SCORE: f64 = 2.5;

/// Techniques of ATT&CK for ICS that commands are evidence of, with their names as published.
const TECHNIQUES: [(&str, &str); 6] = [
    ("T0806", "Brute Force I/O"),
    ("T0836", "Modify Parameter"),
    ("T0848", "Rogue Master"),
    ("T0855", "Unauthorized Command Message"),
    ("T0861", "Point & Tag Identification"),
    ("T0888", "Remote System Information Discovery"),
];

/// Opens a finding about the machine of `row` with its first unusual command.
pub(crate) fn open(
    id: FindingId,
    row: &DeviceRow,
    model: &str,
    one: &UnusualCommand,
    now: Timestamp,
) -> OpenFinding {
    let finding = Finding {
        id,
        device: row.device,
        device_name: row.name.clone(),
        device_address: row.address.clone(),
        device_mac: row.mac.clone(),
        detector: COMMANDS.to_owned(),
        model: model.to_owned(),
        title: String::new(),
        kind: AttackKind::Anomaly,
        severity: Severity::Low,
        score: 0.0,
        why: vec![],
        evidence: vec![],
        techniques: vec![],
        first_at: moment(one.first_us),
        last_at: moment(one.last_us),
        windows: 0,
        recorded_at: now,
    };
    let tally = Tally::new(row.epoch, one.first_us);
    let mut open = OpenFinding { finding, tally, place: row.place, dirty: true };
    extend(&mut open, one);
    open
}

/// Whether a command belongs to a finding: soon after its last one, or during it.
pub(crate) fn covers(open: &OpenFinding, one: &UnusualCommand, gap_us: i64) -> bool {
    let after = moment(one.first_us).micros_since(open.finding.last_at);
    let before = open.finding.first_at.micros_since(moment(one.last_us));
    after <= gap_us && before <= gap_us
}

/// Adds an unusual command.
pub(crate) fn extend(open: &mut OpenFinding, one: &UnusualCommand) {
    open.dirty = true;
    let start_us = one.first_us;
    if open.finding.windows == 0 || start_us > open.tally.last_start_us {
        open.finding.windows += 1;
    }
    open.tally.last_start_us = open.tally.last_start_us.max(start_us);
    let commands = &mut open.tally.commands;
    if let Some(known) = commands.iter_mut().find(|known| known.is_same(one)) {
        known.count = known.count.saturating_add(one.count);
        known.first_us = known.first_us.min(one.first_us);
        known.last_us = known.last_us.max(one.last_us);
    } else if commands.len() < MAX_COMMANDS {
        commands.push(one.clone());
    } else {
        open.tally.commands_beyond += one.count;
    }
    let finding = &mut open.finding;
    finding.first_at = finding.first_at.min(moment(one.first_us));
    finding.last_at = finding.last_at.max(moment(one.last_us));
    finding.score = finding.score.max(one.score);
    describe(open);
}

/// Kind, severity, techniques, evidence and title follow from the commands.
fn describe(open: &mut OpenFinding) {
    let mut strongest: Vec<&UnusualCommand> = open.tally.commands.iter().collect();
    strongest.sort_by(|a, b| {
        let order = b.acts().cmp(&a.acts()).then(b.score.total_cmp(&a.score));
        order.then(a.first_us.cmp(&b.first_us))
    });
    let finding = &mut open.finding;
    let Some(first) = strongest.first() else { return };
    finding.kind = if first.acts() { AttackKind::FalseCommand } else { AttackKind::Anomaly };
    let serious = first.acts() && first.score >= SERIOUS_SCORE;
    let severity = match first.kind {
        _ if serious => Severity::High,
        _ if first.acts() => Severity::Medium,
        // Who never spoke to the machine and now reads it is looking around.
        Deviation::NewPair | Deviation::Function => Severity::Medium,
        _ => Severity::Low,
    };
    finding.severity = finding.severity.max(severity);
    finding.techniques = techniques(&strongest);
    finding.why = strongest.iter().take(MAX_FINDING_REASONS).map(|one| reason(one)).collect();
    finding.evidence = parties(&strongest);
    let more = strongest.len() - 1;
    let beyond = open.tally.commands_beyond;
    finding.title = match (more, beyond) {
        (0, 0) => first.line(),
        (more, 0) => format!("{} and {more} more unusual commands", first.line()),
        (more, beyond) => {
            format!("{} and {} more unusual commands", first.line(), more as u64 + beyond)
        }
    };
}

fn techniques(commands: &[&UnusualCommand]) -> Vec<Technique> {
    let mut ids: Vec<&str> = Vec::new();
    for id in commands.iter().filter_map(|one| one.technique.as_deref()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let name = |id: &str| TECHNIQUES.iter().find(|known| known.0 == id).map(|known| known.1);
    ids.into_iter()
        .filter_map(|id| Some((id, name(id)?)))
        .map(|(id, name)| Technique {
            framework: "mitre-ics-attack".into(),
            id: id.into(),
            name: name.into(),
        })
        .collect()
}

fn reason(one: &UnusualCommand) -> Reason {
    Reason {
        metric: one.kind.name().to_owned(),
        meaning: format!("times: {}", one.line()),
        measured: one.count as f64,
        expected: 0.0,
        judge: COMMANDS.to_owned(),
        ratio: one.score,
    }
}

/// The other ends, each once.
fn parties(commands: &[&UnusualCommand]) -> Vec<Evidence> {
    let mut parties: Vec<Evidence> = Vec::new();
    for one in commands {
        let Some(peer) = one.machine(one.role()).1.ip() else { continue };
        let new = one.kind == Deviation::NewPair;
        let same = |party: &&mut Evidence| party.peer == peer && party.protocol == one.protocol;
        if let Some(party) = parties.iter_mut().find(same) {
            party.packets = party.packets.saturating_add(one.count);
            party.new |= new;
        } else if parties.len() < MAX_PARTIES {
            let protocol = one.protocol.clone();
            parties.push(Evidence { peer, protocol, port: None, packets: one.count, new });
        }
    }
    parties
}
