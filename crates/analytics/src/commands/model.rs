//! What pairs of devices do with each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocols::app::{Effect, Object, Protocol, Role};
use serde::{Deserialize, Serialize};

use super::intervals::Intervals;
use super::values::PointValues;
use crate::host::Host;

/// Version of the stored form and of the text.
pub const MODEL_VERSION: u32 = 1;
/// Pairs a model holds; further ones are counted and stay new.
pub const MAX_PAIRS: usize = 16_384;
/// Functions of one pair.
pub const MAX_FUNCTIONS: usize = 256;
/// Names a function touches.
pub const MAX_NAMES: usize = 4_096;
/// Points of a function whose values are kept.
pub const MAX_POINTS: usize = 4_096;
/// Training below which everything learned is said to be thin.
const THIN_SECONDS: f64 = 600.0;
const THIN_OPERATIONS: u64 = 1_000;

/// How much a model rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Operations.
    pub operations: u64,
    /// Time from first to last, seconds.
    pub seconds: f64,
    /// Pairs, functions, names and points that found no place.
    pub beyond: u64,
    /// Ranges widened because they were too many.
    pub widened: u64,
    /// Share of the operations after the first fifth of the time that deviated from everything
    /// before them, by kind: the false alarms to expect.
    #[serde(default)]
    pub forward: BTreeMap<String, f64>,
}

impl Training {
    /// Whether so little was learned that unusual may only mean not yet seen.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        self.seconds < THIN_SECONDS || self.operations < THIN_OPERATIONS
    }
}

/// One function of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionModel {
    /// As the protocol numbers it.
    pub code: u16,
    /// In the words of the field; for the reader.
    pub name: String,
    /// What it does; for the reader.
    pub effect: String,
    /// Operations learned from.
    pub count: u64,
    /// Most in one window.
    pub most_per_window: u32,
    /// Functions it was seen to follow, by code.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub follows: BTreeSet<u16>,
    /// Refusals that are normal here, by code.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refusals: BTreeSet<u16>,
    /// Names touched.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
    /// Points touched, by address space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<SpacePoints>,
    /// Values written, by space and point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<PointValues>,
}

/// Points of one address space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpacePoints {
    /// The space.
    pub space: u32,
    /// Its points.
    pub ranges: Intervals,
}

impl FunctionModel {
    pub(super) fn new(code: u16, name: &str, effect: Effect) -> Self {
        Self {
            code,
            name: name.to_owned(),
            effect: effect_name(effect).to_owned(),
            count: 0,
            most_per_window: 0,
            follows: BTreeSet::new(),
            refusals: BTreeSet::new(),
            names: BTreeSet::new(),
            points: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Points of a space.
    #[must_use]
    pub fn space(&self, space: u32) -> Option<&Intervals> {
        self.points.iter().find(|points| points.space == space).map(|points| &points.ranges)
    }

    /// Values of a point; they are kept in order.
    #[must_use]
    pub fn values_of(&self, space: u32, point: u32) -> Option<&PointValues> {
        let place = self.place_of(space, point).ok()?;
        self.values.get(place)
    }

    pub(super) fn place_of(&self, space: u32, point: u32) -> Result<usize, usize> {
        self.values.binary_search_by_key(&(space, point), |have| (have.space, have.point))
    }
}

/// What one device says to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairModel {
    /// Who sends.
    pub from: Host,
    /// Who receives.
    pub to: Host,
    /// Name of the protocol.
    pub protocol: String,
    /// Unit behind the address.
    pub unit: u32,
    /// `request` (the sender is a master here), `response` or `report`.
    pub role: String,
    /// Its functions, by code.
    #[serde(rename = "function")]
    pub functions: Vec<FunctionModel>,
}

impl PairModel {
    /// A function of the pair.
    #[must_use]
    pub fn function(&self, code: u16) -> Option<&FunctionModel> {
        self.functions.iter().find(|function| function.code == code)
    }
}

/// Every pair. The same struct is stored with a detector and written as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandModel {
    /// [`MODEL_VERSION`].
    pub version: u32,
    /// Length of the windows in which rates are counted, microseconds.
    pub window_us: i64,
    /// How much it rests on.
    pub training: Training,
    /// The pairs, in order.
    #[serde(rename = "pair", default)]
    pub pairs: Vec<PairModel>,
}

/// What tells pairs apart.
pub(super) type Key = (Host, Host, Protocol, u32, Role);

impl CommandModel {
    /// The pairs by what tells them apart; those of unknown protocols are left out.
    pub(super) fn index(&self) -> HashMap<Key, usize> {
        let key = |pair: &PairModel| {
            let protocol = Protocol::from_name(&pair.protocol)?;
            Some((pair.from, pair.to, protocol, pair.unit, role_of(&pair.role)?))
        };
        let places = self.pairs.iter().enumerate();
        places.filter_map(|(place, pair)| Some((key(pair)?, place))).collect()
    }

    /// Who commands whom, by protocol.
    #[must_use]
    pub fn masters(&self) -> BTreeSet<(Host, Host, &str)> {
        let commands = self.pairs.iter().filter(|pair| pair.role == role_name(Role::Request));
        commands.map(|pair| (pair.from, pair.to, pair.protocol.as_str())).collect()
    }
}

/// Name of a role in the text.
pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Request => "request",
        Role::Response => "response",
        Role::Report => "report",
    }
}

pub(super) fn role_of(name: &str) -> Option<Role> {
    [Role::Request, Role::Response, Role::Report].into_iter().find(|role| role_name(*role) == name)
}

/// Name of an effect in the text.
pub(super) const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Control => "control",
        Effect::Configure => "configure",
        Effect::Diagnose => "diagnose",
        Effect::Session => "session",
    }
}

pub(super) fn effect_of(name: &str) -> Option<Effect> {
    use Effect::{Configure, Control, Diagnose, Read, Session, Write};
    [Read, Write, Control, Configure, Diagnose, Session]
        .into_iter()
        .find(|effect| effect_name(*effect) == name)
}

/// A name as the model keeps it: text, at most so long.
fn name_text(bytes: &[u8]) -> String {
    const LONGEST: usize = 256;
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned()
}

/// Name of a named object, with its domain in front where it has one.
pub(super) fn object_name(object: &Object<'_>) -> Option<String> {
    match object {
        Object::Name(name) => Some(name_text(name)),
        Object::Member { domain, name } => {
            Some(format!("{}/{}", name_text(domain), name_text(name)))
        }
        Object::None | Object::Range { .. } => None,
    }
}
