//! `labels.csv` and `intervals.csv`: what is known of the test part. Read for figures only.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

/// Labels of one scenario at most.
pub const MAX_LABELS: usize = 100_000_000;
/// Names of attacks at most.
const MAX_ATTACKS: usize = 4_096;
/// Longest name of an attack, bytes.
const MAX_ATTACK_BYTES: usize = 128;
/// Longest line, bytes.
const MAX_LINE_BYTES: u64 = 4_096;
/// Intervals of one scenario at most.
const MAX_INTERVALS: usize = 100_000;
const HEADER: &str = "frame,label,attack";
const INTERVAL_HEADER: &str = "start,end,attack";

/// A line that is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct LabelError {
    /// Line, from 1.
    pub line: usize,
    /// What, and what was expected.
    pub problem: String,
}

/// Label of one packet or row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing bad.
    Benign,
    /// Part of the attack with this number in [`Labels::attacks`].
    Malicious(u16),
    /// Not known: a window with it alone is not scored.
    Unscored,
}

/// The labels of a test part, in the order of its packets or rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    codes: Vec<u16>,
    attacks: Vec<Arc<str>>,
}

const BENIGN: u16 = u16::MAX;
const UNSCORED: u16 = u16::MAX - 1;

impl Labels {
    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Label of a packet or row, from 0; `None` behind the last.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Label> {
        Some(match *self.codes.get(place)? {
            BENIGN => Label::Benign,
            UNSCORED => Label::Unscored,
            attack => Label::Malicious(attack),
        })
    }

    /// Names of the attacks, by number.
    #[must_use]
    pub fn attacks(&self) -> &[Arc<str>] {
        &self.attacks
    }

    /// Reads `frame,label,attack`: frames from 1 without a gap, labels 0, 1 or x.
    ///
    /// # Errors
    /// At the first line that breaks the form.
    pub fn read(source: impl BufRead) -> Result<Self, LabelError> {
        let mut labels = Self::default();
        each_line(source, HEADER, |line, text| {
            labels.push(text).map_err(|problem| LabelError { line, problem })
        })?;
        Ok(labels)
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        let mut cells = text.splitn(3, ',');
        let mut cell = || cells.next().unwrap_or_default().trim();
        let (frame, label, attack) = (cell(), cell(), cell());
        let expected = self.codes.len() + 1;
        if frame.parse() != Ok(expected) {
            return Err(format!("frame `{}` where {expected} was expected", shown(frame)));
        }
        if expected > MAX_LABELS {
            return Err(format!("more than {MAX_LABELS} labels: split the scenario"));
        }
        let code = match label {
            "0" => BENIGN,
            "x" | "X" => UNSCORED,
            "1" => self.attack(attack)?,
            other => {
                return Err(format!("label `{}`: 0, 1 or x was expected", shown(other)));
            }
        };
        self.codes.push(code);
        Ok(())
    }

    fn attack(&mut self, name: &str) -> Result<u16, String> {
        let name = if name.is_empty() { "unnamed" } else { name };
        if let Some(place) = self.attacks.iter().position(|known| **known == *name) {
            return Ok(place as u16);
        }
        if name.len() > MAX_ATTACK_BYTES || self.attacks.len() >= MAX_ATTACKS {
            return Err(format!(
                "attack `{}`: names have at most {MAX_ATTACK_BYTES} bytes, and there are at most {MAX_ATTACKS}",
                shown(name)
            ));
        }
        self.attacks.push(name.into());
        Ok((self.attacks.len() - 1) as u16)
    }
}

/// A time in which an attack shows by silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Start, microseconds since the Unix epoch.
    pub start_us: i64,
    /// End (exclusive), microseconds since the Unix epoch.
    pub end_us: i64,
    /// The attack.
    pub attack: Arc<str>,
}

/// Reads `start,end,attack`, times in Unix seconds.
///
/// # Errors
/// At the first line that breaks the form.
pub fn read_intervals(source: impl BufRead) -> Result<Vec<Interval>, LabelError> {
    let mut intervals = Vec::new();
    each_line(source, INTERVAL_HEADER, |line, text| {
        let wrong = |problem: String| LabelError { line, problem };
        let mut cells = text.splitn(3, ',');
        let mut time = |name: &str| -> Result<i64, LabelError> {
            let cell = cells.next().unwrap_or_default().trim();
            cell.parse::<f64>()
                .ok()
                .filter(|time| time.is_finite() && time.abs() < 1e12)
                .map(|time| (time * 1e6).round() as i64)
                .ok_or_else(|| {
                    wrong(format!("{name} `{}`: Unix seconds were expected", shown(cell)))
                })
        };
        let (start_us, end_us) = (time("start")?, time("end")?);
        if end_us <= start_us {
            return Err(wrong("the interval ends before it starts".to_owned()));
        }
        if intervals.len() >= MAX_INTERVALS {
            return Err(wrong(format!("more than {MAX_INTERVALS} intervals")));
        }
        let attack = cells.next().unwrap_or_default().trim();
        intervals.push(Interval { start_us, end_us, attack: attack.into() });
        Ok(())
    })?;
    Ok(intervals)
}

/// Every line behind the header, empty ones left out, with its number.
fn each_line(
    mut source: impl BufRead,
    header: &str,
    mut take: impl FnMut(usize, &str) -> Result<(), LabelError>,
) -> Result<(), LabelError> {
    let (mut line, mut bytes) = (0, Vec::new());
    loop {
        line += 1;
        bytes.clear();
        let read = (&mut source)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| LabelError { line, problem: format!("cannot be read: {error}") })?;
        if read == 0 && line > 1 {
            return Ok(());
        }
        if read as u64 == MAX_LINE_BYTES {
            let problem = format!("longer than {MAX_LINE_BYTES} bytes");
            return Err(LabelError { line, problem });
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| LabelError { line, problem: "is not text (UTF-8)".to_owned() })?
            .trim_end_matches(['\n', '\r']);
        if line == 1 {
            let text = text.trim_start_matches('\u{feff}');
            // The attack's name may be missing as a column: labels alone are enough.
            if text != header && format!("{text},attack") != header {
                let problem = format!("`{}` where `{header}` was expected", shown(text));
                return Err(LabelError { line, problem });
            }
        } else if !text.is_empty() {
            take(line, text)?;
        }
    }
}

/// Text of a file in a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> LabelError {
        Labels::read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn labels_are_read_in_order() {
        let text = "frame,label,attack\n1,0,\n2,1,scan\n3,x,\n4,1,scan\n5,1\n";
        let labels = Labels::read(text.as_bytes()).unwrap();
        let codes: Vec<Label> = (0..5).map(|place| labels.get(place).unwrap()).collect();
        assert_eq!(
            codes,
            [
                Label::Benign,
                Label::Malicious(0),
                Label::Unscored,
                Label::Malicious(0),
                Label::Malicious(1)
            ]
        );
        assert_eq!(labels.attacks()[0].as_ref(), "scan");
        assert_eq!(labels.get(5), None);
    }

    #[test]
    fn the_line_at_fault_is_named() {
        assert_eq!(refused("").line, 1);
        assert_eq!(refused("frame;label\n").line, 1);
        let gap = refused("frame,label,attack\n1,0,\n3,0,\n");
        assert_eq!((gap.line, gap.to_string().contains("2 was expected")), (3, true), "{gap}");
        let label = refused("frame,label,attack\n1,0,\n2,2,\n");
        assert_eq!((label.line, label.to_string().contains("0, 1 or x")), (3, true), "{label}");
        let name = refused(&format!("frame,label,attack\n1,1,{}\n", "a".repeat(129)));
        assert_eq!(name.line, 2);
        let long = refused(&format!("frame,label,attack\n1,0,{}\n", "a".repeat(5_000)));
        assert_eq!(long.line, 2);
    }

    #[test]
    fn intervals_are_read() {
        let read = read_intervals("start,end,attack\n10.5,20,gone\n".as_bytes()).unwrap();
        assert_eq!((read[0].start_us, read[0].end_us), (10_500_000, 20_000_000));
        for (text, line) in [
            ("start,end,attack\n20,10,gone\n", 2),
            ("start,end,attack\n1,2,a\nsoon,10,gone\n", 3),
            ("start,end,attack\n1,inf,a\n", 2),
        ] {
            assert_eq!(read_intervals(text.as_bytes()).unwrap_err().line, line, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Labels::read(bytes.as_slice());
            let _ = read_intervals(bytes.as_slice());
            let mut text = b"frame,label,attack\n".to_vec();
            text.extend(&bytes);
            let _ = Labels::read(text.as_slice());
        }
    }
}
