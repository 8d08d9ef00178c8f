//! What one pair of devices did with each other in one window: small enough for every edge to tell
//! at all times, and enough to learn and to judge each unusual command one by one.
//!
//! Order and steps, which need the operation before, are told by whoever saw it
//! ([`super::Summariser`]): who reads a summary needs no memory.

use std::collections::{BTreeMap, BTreeSet};

use protocols::app::{Effect, Object, Operation, Protocol, Role, Values};
use serde::{Deserialize, Serialize};

use super::model::{Key, effect_of, role_of};
use crate::host::Host;

/// Different operations of one pair in one window; the most telling ones, see [`Summary::beyond`].
pub const MAX_ENTRIES: usize = 256;
/// Values of one operation; Modbus carries at most 1,968 coils.
pub(super) const MAX_VALUES: usize = 2_048;
/// Values of all operations of a summary.
pub(super) const MAX_SUMMARY_VALUES: usize = 8_192;
/// Functions, followed functions and steps of a summary.
pub(super) const MAX_PARTS: usize = 256;
/// Longest name kept, bytes.
const MAX_NAME: usize = 256;

/// What an operation is about, owned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Nothing in particular.
    #[default]
    Nothing,
    /// Numbered points: space, first, count.
    Points(u32, u32, u32),
    /// A named object.
    Name(String),
    /// A named object of a domain.
    Member(String, String),
}

impl About {
    pub(super) fn of(object: &Object<'_>) -> Self {
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_NAME)]).into_owned()
        };
        match object {
            Object::None => Self::Nothing,
            Object::Range { space, start, count } => Self::Points(*space, *start, *count),
            Object::Name(name) => Self::Name(text(name)),
            Object::Member { domain, name } => Self::Member(text(domain), text(name)),
        }
    }

    fn object(&self) -> Object<'_> {
        match self {
            Self::Nothing => Object::None,
            Self::Points(space, start, count) => {
                Object::Range { space: *space, start: *start, count: *count }
            }
            Self::Name(name) => Object::Name(name.as_bytes()),
            Self::Member(domain, name) => {
                Object::Member { domain: domain.as_bytes(), name: name.as_bytes() }
            }
        }
    }
}

/// One distinct operation and how often it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Function as the protocol numbers it.
    pub function: u16,
    /// Its name in the words of the field.
    pub name: String,
    /// What it does, see [`protocols::app::Effect`], as the model writes it.
    pub effect: String,
    /// What it is about.
    #[serde(default)]
    pub about: About,
    /// Values written; reads and answers carry none here. What is no number is the largest one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// Code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u16>,
    /// How often.
    pub count: u64,
    /// First and last time, microseconds.
    pub first_us: i64,
    /// See `first_us`.
    pub last_us: i64,
}

/// The largest change of one point by one function in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The function that wrote it.
    pub function: u16,
    /// Address space.
    pub space: u32,
    /// The point.
    pub point: u32,
    /// Value before.
    pub before: f64,
    /// Value written.
    pub value: f64,
    /// When, microseconds.
    pub ts_us: i64,
}

/// What one device said to another in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Who sent.
    pub from: Host,
    /// Who received.
    pub to: Host,
    /// Name of the protocol.
    pub protocol: String,
    /// Unit behind the address.
    pub unit: u32,
    /// `request`, `response` or `report`.
    pub role: String,
    /// Start of the window, microseconds.
    pub start_us: i64,
    /// Its end (exclusive).
    pub end_us: i64,
    /// Distinct operations, in the order of their first time.
    pub entries: Vec<Entry>,
    /// Functions and those they followed: function, function before, first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<(u16, u16, i64)>,
    /// Largest steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Operations whose details found no place; their functions are counted in `entries`.
    #[serde(default)]
    pub beyond: u64,
}

/// Why a summary cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the summary of {from} and {to}: {problem}")]
pub struct SummaryError {
    from: Host,
    to: Host,
    problem: String,
}

impl Summary {
    /// Operations told.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.count))
    }

    /// What tells the pair apart.
    ///
    /// # Errors
    /// When a word is unknown or a bound is passed: such a summary was not made by [`Summariser`].
    pub(super) fn key(&self) -> Result<Key, SummaryError> {
        let wrong = |problem: String| SummaryError { from: self.from, to: self.to, problem };
        let values: usize = self.entries.iter().map(|entry| entry.values.len()).sum();
        let parts = self.order.len().max(self.steps.len());
        // A function is told even when its details found no place: at most one more each.
        if self.entries.len() > MAX_ENTRIES + MAX_PARTS || parts > MAX_PARTS {
            return Err(wrong(format!("more than {MAX_ENTRIES} operations or {MAX_PARTS} steps")));
        }
        if values > MAX_SUMMARY_VALUES {
            return Err(wrong(format!("{values} values, the limit is {MAX_SUMMARY_VALUES}")));
        }
        if let Some(entry) = self.entries.iter().find(|entry| effect_of(&entry.effect).is_none()) {
            return Err(wrong(format!("effect `{}` is unknown", entry.effect)));
        }
        if self.entries.iter().any(|entry| entry.last_us < entry.first_us || entry.count == 0) {
            return Err(wrong("an operation that ends before it begins, or never came".to_owned()));
        }
        let protocol = Protocol::from_name(&self.protocol)
            .ok_or_else(|| wrong(format!("protocol `{}` is unknown", self.protocol)))?;
        let role =
            role_of(&self.role).ok_or_else(|| wrong(format!("role `{}` is unknown", self.role)))?;
        Ok((self.from, self.to, protocol, self.unit, role))
    }
}

impl Entry {
    /// Bytes of its names.
    pub(crate) fn name_bytes(&self) -> usize {
        let about = match &self.about {
            About::Nothing | About::Points(..) => 0,
            About::Name(name) => name.len(),
            About::Member(domain, name) => domain.len() + name.len(),
        };
        self.name.len() + about
    }

    /// The operation told; `scratch` holds its values.
    pub(super) fn operation<'a>(
        &'a self,
        (unit, role): (u32, Role),
        scratch: &'a mut Vec<u8>,
    ) -> Operation<'a> {
        scratch.clear();
        scratch.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        Operation {
            role,
            effect: effect_of(&self.effect).unwrap_or(Effect::Session),
            function: self.function,
            name: &self.name,
            unit,
            transaction: None,
            refused: self.refused,
            cause: 0,
            object: self.about.object(),
            values: Values::f64_le(scratch),
        }
    }
}

/// Functions of a summary with how often each came, in order.
pub(super) fn functions(summary: &Summary) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    for entry in &summary.entries {
        let count: &mut u64 = counts.entry(entry.function).or_default();
        *count = count.saturating_add(entry.count);
    }
    counts
}

/// Pairs that summaries tell of.
#[must_use]
pub fn pairs(summaries: &[Summary]) -> BTreeSet<(Host, Host)> {
    summaries.iter().map(|summary| (summary.from, summary.to)).collect()
}
