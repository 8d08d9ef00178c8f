//! One unusual command, with what is needed to show it, to call it normal and to learn it.

use analytics::commands::{CommandFinding, Deviation, Entry, Summary};
use analytics::host::Host;
use protocols::app::Role;
use serde::{Deserialize, Serialize};

/// Values of an operation that are kept to learn it from; with more it cannot be learned by a word.
const MAX_KEPT_VALUES: usize = 128;
/// Longest text kept, characters.
const MAX_TEXT: usize = 600;

/// An unusual command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnusualCommand {
    /// In which way.
    pub(crate) kind: Deviation,
    /// First and last time, microseconds of packet time.
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
    /// How often it came.
    pub(crate) count: u64,
    pub(crate) from: Host,
    pub(crate) to: Host,
    pub(crate) protocol: String,
    pub(crate) unit: u32,
    pub(crate) role: String,
    pub(crate) function: u16,
    pub(crate) name: String,
    pub(crate) effect: String,
    pub(crate) object: String,
    pub(crate) value: Option<f64>,
    pub(crate) why: String,
    pub(crate) expected: String,
    pub(crate) technique: Option<String>,
    pub(crate) score: f64,
    /// The operation itself.
    pub(crate) entry: Option<Entry>,
    /// The function it followed.
    pub(crate) after: Option<u16>,
    /// The change it made: space, point, by how much.
    pub(crate) step: Option<(u32, u32, f64)>,
}

impl UnusualCommand {
    /// From what the judge says of a report.
    pub(crate) fn new(found: CommandFinding, report: &Summary) -> Self {
        let same = |entry: &&Entry| entry.function == found.function;
        let exact = report
            .entries
            .iter()
            .filter(same)
            .find(|entry| entry.first_us == found.ts_us && found.kind != Deviation::Rate);
        let entry = exact.or_else(|| report.entries.iter().find(same));
        let many = found.kind == Deviation::Rate;
        let rated = || found.value.map_or(1, |value| value.max(1.0) as u64);
        let after = report
            .order
            .iter()
            .find(|(function, _, ts_us)| *function == found.function && *ts_us == found.ts_us);
        let step = report
            .steps
            .iter()
            .find(|step| step.function == found.function && step.ts_us == found.ts_us);
        Self {
            kind: found.kind,
            first_us: found.ts_us,
            last_us: exact.map_or(found.ts_us, |entry| entry.last_us),
            count: if many { rated() } else { exact.map_or(1, |entry| entry.count) },
            from: found.from,
            to: found.to,
            protocol: report.protocol.clone(),
            unit: found.unit,
            role: report.role.clone(),
            function: found.function,
            effect: entry.map(|entry| entry.effect.clone()).unwrap_or_default(),
            object: cut(found.object),
            value: found.value,
            why: cut(found.why),
            expected: cut(found.expected),
            technique: found.technique.map(str::to_owned),
            score: found.score,
            name: cut(found.name.to_string()),
            entry: entry.filter(|entry| entry.values.len() <= MAX_KEPT_VALUES).cloned(),
            after: after.map(|(_, after, _)| *after),
            step: step.map(|step| (step.space, step.point, (step.value - step.before).abs())),
        }
    }

    /// Whether it is the same once more.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
            && self.kind == other.kind
            && self.object == other.object
            && self.value == other.value
    }

    /// Who did what to whom.
    pub(crate) fn key(&self) -> (Host, Host, &str, u32, &str, u16) {
        (self.from, self.to, &self.protocol, self.unit, &self.role, self.function)
    }

    /// The machine: who is commanded, or who answers and reports.
    pub(crate) const fn machine(&self, role: Role) -> (Host, Host) {
        match role {
            Role::Request => (self.to, self.from),
            Role::Response | Role::Report => (self.from, self.to),
        }
    }

    /// Who speaks.
    pub(crate) fn role(&self) -> Role {
        match self.role.as_str() {
            "response" => Role::Response,
            "report" => Role::Report,
            _ => Role::Request,
        }
    }

    /// Whether it changes what a machine does.
    pub(crate) fn acts(&self) -> bool {
        matches!(self.effect.as_str(), "write" | "control" | "configure")
    }

    /// One line: what, on what, compared with what.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{} ({}, function {}", self.why, self.name, self.function);
        if !self.object.is_empty() {
            line.push_str(&format!(", {}", self.object));
        }
        if self.unit > 0 {
            line.push_str(&format!(", unit {}", self.unit));
        }
        if let Some(value) = self.value {
            line.push_str(&format!(", value {value}"));
        }
        line.push_str(&format!("); expected: {}", self.expected));
        line
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= MAX_TEXT { text } else { text.chars().take(MAX_TEXT).collect() }
}
