//! What tshark says of a capture, beside what this crate says: the frame of work for the tests that
//! compare the messages of each protocol.
//!
//! A test asks tshark for fields ([`fields`]), turns the rows into [`Seen`] messages (the frame that
//! completed the message, and its kind in words such as `"read_holding request"`), turns the
//! sightings of the same capture into the same words ([`sightings`]), and compares both as
//! multisets ([`Agreement::add`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocols::capture::CaptureReader;
use protocols::flow::{Sighting, Stats, Tracker};
use protocols::packet::decode;

use crate::data;

/// A message: the number of the frame that completed it (from 1, as tshark counts), and its kind.
pub(crate) type Seen = (u64, String);

/// Whether tshark runs here; says so where it does not.
pub(crate) fn available() -> bool {
    let runs = Command::new("tshark").arg("--version").output();
    if runs.is_ok_and(|output| output.status.success()) {
        return true;
    }
    eprintln!("skipped: tshark is not there");
    false
}

/// Captures whose path holds one of these words, with the folder that keeps the unpacked ones;
/// `None` (said) where the data or tshark are missing.
pub(crate) fn captures(words: &[&str]) -> Option<(Vec<PathBuf>, tempfile::TempDir)> {
    if !available() {
        return None;
    }
    let detection = data::detection()?;
    let archives = data::unpack_archives(&detection)?;
    let mut files = data::captures_below(&detection);
    files.extend(data::captures_below(archives.path()));
    files.retain(|path| words.iter().any(|word| path.to_string_lossy().contains(word)));
    Some((files, archives))
}

/// The values of one frame: as many lists as fields were asked for, each with every occurrence in
/// the frame, in order.
pub(crate) struct Row {
    pub(crate) frame: u64,
    pub(crate) fields: Vec<Vec<String>>,
}

impl Row {
    /// First value of a field, or nothing.
    pub(crate) fn first(&self, field: usize) -> &str {
        self.fields[field].first().map_or("", String::as_str)
    }
}

/// Asks tshark for fields of the frames that pass a display filter. `options` are further
/// arguments (`-d` to decode a port as something, `-o` for preferences).
pub(crate) fn fields(path: &Path, filter: &str, names: &[&str], options: &[&str]) -> Vec<Row> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-Y", filter, "-T", "fields"]);
    command.args(["-E", "occurrence=a", "-E", "aggregator=|", "-e", "frame.number"]);
    for name in names {
        command.args(["-e", name]);
    }
    let output = command.args(options).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("aren't valid"), "tshark: {errors}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            let mut columns = line.split('\t');
            let frame = columns.next().and_then(|number| number.parse().ok()).unwrap();
            let fields = columns.map(|column| match column {
                "" => Vec::new(),
                values => values.split('|').map(str::to_owned).collect(),
            });
            Row { frame, fields: fields.collect() }
        })
        .collect()
}

/// What this crate says of a capture: `words` names the kind of a sighting, as often as it stands
/// for messages (once by pushing one word).
pub(crate) fn sightings(
    path: &Path,
    mut words: impl FnMut(&Sighting<'_>, &mut Vec<String>),
) -> (Vec<Seen>, Stats) {
    let file = data::read(path);
    let mut tracker = Tracker::default();
    let (mut seen, mut found, mut frame) = (Vec::new(), Vec::new(), 0);
    for item in CaptureReader::new(&file) {
        // A capture that breaks off is used up to the break, as tshark does.
        let Ok(item) = item else { break };
        frame = item.index + 1;
        let Ok(packet) = decode(item.link, item.captured, item.wire_len) else { continue };
        tracker.push(item.ts_ns, &packet, &mut |sighting| words(sighting, &mut found));
        seen.extend(found.drain(..).map(|word| (frame, word)));
    }
    tracker.finish(&mut |sighting| words(sighting, &mut found));
    seen.extend(found.drain(..).map(|word| (frame, word)));
    (seen, tracker.stats())
}

/// Counts of one kind.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) ours: u64,
    pub(crate) theirs: u64,
    /// In the same frame.
    pub(crate) both: u64,
}

/// Agreement over any number of captures.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    pub(crate) kinds: BTreeMap<String, Counts>,
    /// First messages only one side saw.
    pub(crate) examples: Vec<String>,
}

/// Behind this the word of a message has what it says; the tables show what stands before.
pub(crate) const MARK: char = '\u{1}';
/// Most disagreements kept in words.
const MAX_EXAMPLES: usize = 40;

impl Agreement {
    /// Compares the messages of one capture as multisets of (frame, kind).
    pub(crate) fn add(&mut self, path: &Path, ours: &[Seen], theirs: &[Seen]) {
        let (left, right) = (counted(ours), counted(theirs));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
            let ours = left.get(key).copied().unwrap_or(0);
            let theirs = right.get(key).copied().unwrap_or(0);
            let kind = key.1.split(MARK).next().unwrap_or_default();
            let counts = self.kinds.entry(kind.to_owned()).or_default();
            counts.ours += ours;
            counts.theirs += theirs;
            counts.both += ours.min(theirs);
            if ours != theirs && self.examples.len() < MAX_EXAMPLES {
                let (frame, kind) = (key.0, key.1.replace(MARK, " "));
                self.examples.push(format!("{name} frame {frame}: {kind}: {ours} / {theirs}"));
            }
        }
    }

    /// Sums over all kinds.
    pub(crate) fn total(&self) -> Counts {
        self.kinds.values().fold(Counts::default(), |sum, counts| Counts {
            ours: sum.ours + counts.ours,
            theirs: sum.theirs + counts.theirs,
            both: sum.both + counts.both,
        })
    }

    /// Prints what was compared and demands the numbers agreed upon: messages this crate saw, those
    /// tshark saw, those both saw in the same frame. `docs/measurements/agreement.md` says for each
    /// difference who is right. They are those of tshark 4.0; of another version only the share of
    /// messages both saw is demanded.
    #[track_caller]
    pub(crate) fn check(&self, protocol: &str, agreed: [u64; 3]) {
        let mut text = format!("{protocol}: kind, ours, tshark, both\n");
        for (kind, Counts { ours, theirs, both }) in &self.kinds {
            let _ = writeln!(text, "  {kind:<44} {ours:>8} {theirs:>8} {both:>8}");
        }
        let Counts { ours, theirs, both } = self.total();
        eprintln!("{text}  {}", self.examples.join("\n  "));
        eprintln!("agreement of {protocol:<32} {ours:>8} {theirs:>8} {both:>8}");
        if is_version_4_0() {
            assert_eq!([ours, theirs, both], agreed, "{protocol}: ours, tshark's, both");
        } else {
            let share =
                |[ours, theirs, both]: [u64; 3]| both as f64 / (ours + theirs - both) as f64;
            let (now, then) = (share([ours, theirs, both]), share(agreed));
            assert!(
                now >= then - 0.02,
                "{protocol}: agreement {now:.4}, with tshark 4.0 {then:.4}"
            );
        }
    }
}

/// Whether tshark is of the version the numbers are of.
fn is_version_4_0() -> bool {
    let output = Command::new("tshark").arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("(Wireshark) 4.0.")
}

fn counted(seen: &[Seen]) -> BTreeMap<Seen, u64> {
    let mut counts = BTreeMap::new();
    for item in seen {
        *counts.entry(item.clone()).or_insert(0) += 1;
    }
    counts
}

/// The frame of work itself, by the plainest protocol: function code, transaction and unit of every
/// message.
#[test]
fn modbus_functions_agree() {
    use protocols::app::Record;

    let Some((files, _keep)) = captures(&["odbus"]) else { return };
    let mut agreement = Agreement::default();
    for path in &files {
        let names = ["modbus.func_code", "mbtcp.trans_id", "mbtcp.unit_id"];
        let theirs: Vec<Seen> = fields(path, "modbus", &names, &[])
            .iter()
            .flat_map(|row| {
                let [codes, transactions, units] = [0, 1, 2].map(|field| &row.fields[field]);
                let both = codes.iter().zip(transactions).zip(units);
                let words =
                    both.map(|((code, id), unit)| format!("function {code}{MARK}{id} {unit}"));
                words.map(|word| (row.frame, word)).collect::<Vec<_>>()
            })
            .collect();
        let (ours, _) = sightings(path, |sighting, words| {
            if let Record::Modbus(message) = sighting.record {
                let (code, id, unit) = (message.function, message.transaction, message.unit);
                words.push(format!("function {code}{MARK}{id} {unit}"));
            }
        });
        agreement.add(path, &ours, &theirs);
    }
    agreement.check("modbus", [40_656, 40_643, 40_623]);
}
